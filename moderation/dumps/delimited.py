"""CSV and TSV (RFC 4180): records under the names of a header, fields quoted where they hold what parts them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from moderation.dumps.fields import FieldMap, check_columns
from moderation.dumps.pieces import Taken
from moderation.dumps.sources import Source
from moderation.errors import DumpError

ROWS = 4096
LARGEST = 1 << 20
"""Characters of a field: what is longer is likelier a quotation mark that nobody closed."""

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,15})?")
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Rows:
    """Records with the line that each begins on and the bytes it was read from.

    `bad` are (line, code, reason, bytes) of those that are none; `taken` counts the source's bytes read so far.
    """

    source: str
    records: list[dict[str, Any]]
    lines: list[int]
    raws: list[bytes]
    bad: list[tuple[int, str, str, bytes]]
    taken: int


def read_rows(
    source: Source, pieces: Iterable[bytes], delimiter: str, fields: FieldMap, taken: Taken
) -> Iterator[Rows]:
    """The records under a header, in order. Raises DumpError where no column of it holds text."""
    lines = _Lines(pieces)
    csv.field_size_limit(LARGEST)
    reader = csv.reader(lines, delimiter=delimiter)
    header = _header(source, next(reader, []), fields.text_columns)
    lines.drawn()
    parser = _Parser(header, frozenset((*fields.text_columns, fields.column("id"))))
    rows = Rows(source.name, [], [], [], [], taken.bytes)
    while True:
        line = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            rows.bad.append((line, "R005", f"not CSV: {error}", lines.drawn()))
            continue
        if cells is None:
            break
        raw = lines.drawn()
        if not cells:
            continue
        problem = parser.problem(cells)
        if problem is not None:
            rows.bad.append((line, *problem, raw))
        else:
            rows.records.append(parser.record(cells))
            rows.lines.append(line)
            rows.raws.append(raw)
        if len(rows.records) + len(rows.bad) >= ROWS:
            yield Rows(source.name, rows.records, rows.lines, rows.raws, rows.bad, taken.bytes)
            rows = Rows(source.name, [], [], [], [], taken.bytes)
    yield Rows(source.name, rows.records, rows.lines, rows.raws, rows.bad, taken.bytes)


@dataclass(slots=True)
class _Lines:
    """Lines as text, for a reader that takes as many as a record has; `drawn` gives what it took since."""

    pieces: Iterable[bytes]
    number: int = 0
    _taken: list[bytes] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        left = b""
        for piece in self.pieces:
            *whole, left = (left + piece).split(b"\n")
            for line in whole:
                yield self._text(line + b"\n")
        if left:
            yield self._text(left)

    def _text(self, line: bytes) -> str:
        self.number += 1
        self._taken.append(line)
        # What is no UTF-8 becomes a lone surrogate, by which the record is told.
        return line.decode("utf-8", "surrogateescape")

    def drawn(self) -> bytes:
        """The bytes of the lines that were taken since the last call, without the newline at their end."""
        raw = b"".join(self._taken)
        self._taken.clear()
        return raw.removesuffix(b"\n").removesuffix(b"\r")


@dataclass(frozen=True, slots=True)
class _Parser:
    header: list[str]
    texts: frozenset[str]

    def problem(self, cells: list[str]) -> tuple[str, str] | None:
        if len(cells) != len(self.header):
            return "R005", f"{_number(len(cells))} under a header of {len(self.header)}: is a quotation mark missing?"
        if any(_is_broken(cell) for cell in cells):
            return "R002", "invalid UTF-8"
        return None

    def record(self, cells: list[str]) -> dict[str, Any]:
        """Texts and the id as they stand; numbers and truths elsewhere as such; nothing where nothing stands."""
        texts = self.texts
        return {
            name: cell if name in texts else _value(cell)
            for name, cell in zip(self.header, cells, strict=True)
            if cell or name in texts
        }


def _number(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


def _is_broken(cell: str) -> bool:
    if cell.isascii():
        return False
    try:
        cell.encode()
    except UnicodeEncodeError:
        return True
    return False


def _value(cell: str) -> Any:
    if _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return _TRUTHS.get(cell.lower(), cell)


def _header(source: Source, cells: list[str], text_fields: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if cells:
        check_columns(source, names, text_fields)
    if twice := [name for name in names if names.count(name) > 1]:
        raise DumpError(f"{source.label}: the header has two columns `{twice[0]}`: give each its own name")
    return names
