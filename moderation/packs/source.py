"""YAML as rule authors mean it: scalars are texts with positions, and whatever hides or multiplies content is refused.

PyYAML's events are read instead of its constructors: `no` stays "no", `12:30` stays "12:30", nothing is ever built but
texts, lists and mappings, and depth and size are bounded while reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from moderation.errors import Diagnostic
from moderation.packs.codes import diagnostic

Location: TypeAlias = "tuple[str | int, ...]"

MAX_BYTES = 4 << 20
MAX_DEPTH = 40
MAX_NODES = 200_000

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Plain(str):
    """A scalar written without quotes: only such a one may stand for a number, true, false or null."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: line and column from 1, in code points, and how many of them on that line."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its data, and the place of every value and key by location in the data."""

    path: str
    data: Any
    values: Mapping[Location, Place]
    keys: Mapping[Location, Place]
    lines: tuple[str, ...]

    def place(self, location: Location) -> Place:
        """The place of the value at a location, or of the nearest thing around it."""
        for length in range(len(location), -1, -1):
            if location[:length] in self.values:
                return self.values[location[:length]]
        return Place(1, 1)

    def key_place(self, location: Location) -> Place:
        """The place of the key at a location, or of what holds it."""
        return self.keys.get(location) or self.place(location)

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


class SourceError(Exception):
    """A file that cannot be read as YAML of packs: carries the one diagnostic that says why."""

    def __init__(self, found: Diagnostic) -> None:
        self.diagnostic = found
        super().__init__(str(found))


def read_document(path: str, content: bytes) -> Document:
    """Parse one file. Raises SourceError."""
    text = _decode(path, content)
    lines = tuple(text.split("\n"))
    lines = tuple(line.removesuffix("\r") for line in lines)
    empty = Document(path, None, {}, {}, lines)
    reader = _Reader(empty)
    try:
        parser = _Parser(text)
        try:
            reader.read(_events(parser))
        finally:
            parser.dispose()
    except yaml.MarkedYAMLError as error:
        raise SourceError(_yaml_error(empty, error)) from None
    except yaml.YAMLError as error:
        raise SourceError(empty.report("M001", Place(1, 1), problem=_one_line(str(error)))) from None
    return Document(path, reader.data, reader.values, reader.keys, lines)


def _decode(path: str, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise SourceError(diagnostic("M006", path, size=f"{len(content):,}", limit=f"{MAX_BYTES:,}"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = len(content[content.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        raise SourceError(diagnostic("M002", path, line, column, byte=f"0x{content[error.start]:02x}")) from None
    if not text.strip():
        raise SourceError(diagnostic("M003", path))
    return text


def _events(parser: Any) -> Iterator[Any]:
    while parser.check_event():
        yield parser.get_event()


def _yaml_error(document: Document, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return document.report("M001", place, problem=_one_line(problem or str(error)))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


@dataclass(slots=True)
class _Reader:
    """Builds data and places from events, refusing what packs may not hold."""

    document: Document
    data: Any = None
    values: dict[Location, Place] = field(default_factory=dict)
    keys: dict[Location, Place] = field(default_factory=dict)
    nodes: int = 0

    def read(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse("M007", event)
            elif isinstance(event, yaml.NodeEvent):
                self.data = self._node(event, events, ())

    def _node(self, event: Any, events: Iterator[Any], location: Location) -> Any:
        self.values[location] = _place(event)
        self._admit(event, location)
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else Plain(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, location)
        return self._mapping(events, location)

    def _admit(self, event: Any, location: Location) -> None:
        self.nodes += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse("M004", event)
        if event.tag is not None:
            self._refuse("M005", event, tag=event.tag)
        if len(location) > MAX_DEPTH:
            self._refuse("M006", event, size=f"more than {MAX_DEPTH} levels deep", limit=f"{MAX_DEPTH} levels")
        if self.nodes > MAX_NODES:
            self._refuse("M006", event, size=f"more than {MAX_NODES:,} values", limit=f"{MAX_NODES:,} values")

    def _sequence(self, events: Iterator[Any], location: Location) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*location, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], location: Location) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            self._admit(event, location)
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse("M008", event)
            key = str(event.value)
            if key in items or key == "<<":
                self._refuse("M009" if key in items else "M004", event, key=key)
            self.keys[(*location, key)] = _place(event)
            items[key] = self._node(next(events), events, (*location, key))
        return items

    def _refuse(self, code: str, event: Any, **values: object) -> None:
        raise SourceError(self.document.report(code, _place(event), "", **values))


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    length = end.column - start.column if end.line == start.line else 1
    return Place(start.line + 1, start.column + 1, max(length, 1))
