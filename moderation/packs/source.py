"""YAML as rule authors mean it: scalars are texts with positions, and whatever hides or multiplies content is refused.

PyYAML's events are read instead of its constructors: `no` stays "no", `12:30` stays "12:30", nothing is ever built but
texts, lists and mappings, and depth and size are bounded while reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import msgspec
import yaml

from moderation.errors import Diagnostic
from moderation.packs.codes import diagnostic
from moderation.packs.yaml_problems import explained

Location: TypeAlias = "tuple[str | int, ...]"

MAX_BYTES = 4 << 20
MAX_DEPTH = 40
MAX_NODES = 200_000
MOST_FOUND = 100

# What YAML calls a line break, and what it allows nowhere. The parser would count or refuse them without a place.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Plain(str):
    """A scalar written without quotes: only such a one may stand for a number, true, false or null."""

    __slots__ = ()


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stands: line and column from 1, in code points, and how many of them on that line."""

    line: int
    column: int
    length: int = 1


class Places(Place, frozen=True, gc=False):
    """Where a list or a mapping stands, and what is in it: its values by number or key, and its keys."""

    values: Any = ()
    keys: Mapping[Any, Place] = {}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its data, and the place of every value and key in it."""

    path: str
    data: Any
    places: Place
    lines: tuple[str, ...]

    def place(self, location: Location) -> Place:
        """The place of the value at a location, or of the nearest thing around it."""
        return self._way(location)[-1]

    def key_place(self, location: Location) -> Place:
        """The place of the key at a location, or of what holds it."""
        way = self._way(location[:-1])
        keys = way[-1].keys if isinstance(way[-1], Places) and len(way) == len(location) else {}
        return (keys.get(location[-1]) if keys else None) or self.place(location)

    def _way(self, location: Location) -> list[Place]:
        """The places of all that stands around a location, the outermost first."""
        way = [self.places]
        for step in location:
            inside = _inside(way[-1], step)
            if inside is None:
                break
            way.append(inside)
        return way

    def within(self, location: Location, start: int, length: int) -> Place:
        """The place of part of a one-line scalar: `start` code points into its text."""
        place = self.place(location)
        value = self.at(location)
        line = self.line(place.line)
        offset = line.find(value, place.column - 1) if isinstance(value, str) else -1
        return Place(place.line, offset + start + 1, length) if offset >= 0 else place

    def at(self, location: Location) -> Any:
        """The value at a location, None where there is none."""
        value = self.data
        for step in location:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def line(self, number: int) -> str:
        """A line's text."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def report(self, code: str, place: Place, hint: str = "", **values: object) -> Diagnostic:
        """A diagnostic at a place of this file."""
        return diagnostic(
            code, self.path, place.line, place.column, place.length, self.line(place.line), hint, **values
        )


def _inside(place: Place, step: str | int) -> Place | None:
    """The place of what stands within, None where nothing does."""
    try:
        found: Place = place.values[step]  # type: ignore[attr-defined]
    except (AttributeError, KeyError, IndexError, TypeError):
        return None
    return found


class SourceError(Exception):
    """A file that is not YAML as packs have it: all that is wrong, and the document if it could be read to its end."""

    def __init__(self, diagnostics: Iterable[Diagnostic], document: Document | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        self.document = document
        super().__init__("\n".join(map(str, self.diagnostics)))


def read_document(path: str, content: bytes) -> Document:
    """Parse one file. Raises SourceError."""
    text = _decode(path, content)
    empty = Document(path, None, Place(1, 1), tuple(_BREAK.split(text)))
    reader = _Reader(empty)
    try:
        parser = _Parser(text)
        try:
            reader.read(iter(parser.get_event, None))
        finally:
            parser.dispose()
    except yaml.MarkedYAMLError as error:
        raise SourceError([*reader.found, _yaml_error(empty, error)]) from None
    except yaml.YAMLError as error:
        raise SourceError([empty.report("M001", Place(1, 1), problem=" ".join(str(error).split())[:200])]) from None
    if reader.data is None or (isinstance(reader.data, Plain) and not reader.data):
        raise SourceError([empty.report("M003", Place(1, 1))])
    document = Document(path, reader.data, reader.places, empty.lines)
    if reader.found:
        raise SourceError(reader.found, document)
    return document


def _decode(path: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise SourceError([diagnostic("M006", path, limit=f"{MAX_BYTES:,}")])
    text, found = decode(path, content)
    if found is not None:
        raise SourceError([found])
    control = _CONTROL.search(text)
    if control is not None:
        line, column, source_line = _spot(text, control.start())
        raise SourceError([diagnostic("M012", path, line, column, 1, source_line, character=f"{ord(control[0]):04X}")])
    return text


def decode(path: str, content: bytes) -> tuple[str, Diagnostic | None]:
    """The text of a file without its byte order mark, or the diagnostic that says where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", "replace")
        # What precedes the first bad byte is good, so it has as many characters as what it decodes to.
        line, column, source_line = _spot(text, len(content[: error.start].decode("utf-8")))
        byte = f"0x{content[error.start]:02x}"
        return "", diagnostic("M002", path, line, column, 1, source_line, byte=byte)


def _spot(text: str, offset: int) -> tuple[int, int, str]:
    """The line and column of an offset, from 1, and the text of that line."""
    before = _BREAK.split(text[:offset])
    return len(before), len(before[-1]) + 1, before[-1] + _BREAK.split(text[offset:], 1)[0]


def _yaml_error(document: Document, error: yaml.MarkedYAMLError) -> Diagnostic:
    end, start = error.problem_mark or error.context_mark, error.context_mark
    character = document.line(end.line + 1)[end.column : end.column + 1] if end else ""
    near = start or end
    problem = explained(error, character, document.line(near.line + 1) if near else "")
    mark = start if problem.opens and start else end
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    return document.report("M001", place, problem.hint, problem=problem.message)


@dataclass(slots=True)
class _Reader:
    """Builds data and places from events; collects what packs may not hold, and stops where it could grow endlessly."""

    document: Document
    data: Any = None
    places: Place = field(default_factory=lambda: Place(1, 1))
    found: list[Diagnostic] = field(default_factory=list)
    nodes: int = 0

    def read(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop("M007", event)
            elif isinstance(event, yaml.NodeEvent):
                self.data, self.places = self._node(event, events, 0)

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> tuple[Any, Place]:
        place = self._place(event)
        self._admit(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return (event.value if event.style else Plain(event.value)), place
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, events, depth + 1)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place, events, depth + 1)
        return "", place

    def _admit(self, event: Any, depth: int) -> None:
        self.nodes += 1
        if event.anchor is not None:
            self._refuse("M004", event)
        if getattr(event, "tag", None) is not None:
            self._refuse("M005", event, tag=event.tag.replace("tag:yaml.org,2002:", "!!"))
        if depth > MAX_DEPTH:
            self._stop("M013", event, limit=MAX_DEPTH)
        if self.nodes > MAX_NODES:
            self._stop("M014", event, limit=f"{MAX_NODES:,}")

    def _sequence(self, place: Place, events: Iterator[Any], depth: int) -> tuple[list[Any], Place]:
        items: list[Any] = []
        places: list[Place] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item, at = self._node(event, events, depth)
            items.append(item)
            places.append(at)
        return items, Places(place.line, place.column, place.length, places)

    def _mapping(self, place: Place, events: Iterator[Any], depth: int) -> tuple[dict[str, Any], Place]:
        items: dict[str, Any] = {}
        places: dict[str, Place] = {}
        keys: dict[str, Place] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, depth, keys)
            value, at = self._node(next(events), events, depth)
            if key is not None and key not in items:
                items[key], places[key] = value, at
        return items, Places(place.line, place.column, place.length, places, keys)

    def _key(self, event: Any, events: Iterator[Any], depth: int, keys: dict[str, Place]) -> str | None:
        """The key that starts here, None where it is none."""
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse("M008" if not isinstance(event, yaml.AliasEvent) else "M004", event)
            if not isinstance(event, yaml.AliasEvent):
                self._node(event, events, depth)
            return None
        self._admit(event, depth - 1)
        key = str(event.value)
        if key == "<<" and not event.style:
            self._refuse("M015", event)
            return None
        if key in keys:
            self._refuse("M009", event, key=key, first=keys[key].line)
        keys.setdefault(key, self._place(event))
        return key

    def _refuse(self, code: str, event: Any, **values: object) -> None:
        if len(self.found) < MOST_FOUND:
            self.found.append(self.document.report(code, self._place(event), "", **values))

    def _stop(self, code: str, event: Any, **values: object) -> NoReturn:
        raise SourceError([*self.found, self.document.report(code, self._place(event), "", **values)])

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        # What takes several lines is underlined to the end of its first.
        stop = end.column if end.line == start.line else len(self.document.line(start.line + 1))
        return Place(start.line + 1, start.column + 1, max(stop - start.column, 1))
