"""Reading dumps: from sources to blocks of whole records, in constant memory, in the order of the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from moderation.dumps.columnar import Table, read_tables
from moderation.dumps.delimited import Rows, read_rows
from moderation.dumps.fields import FieldMap
from moderation.dumps.formats import DELIMITERS, MAGIC, Format, delimiter_of, document_of, format_of_text
from moderation.dumps.pieces import PIECE, Taken, foreign, pieces_of, zipper_of
from moderation.dumps.sources import Source, check_complete, find_sources, opened, unreadable, was_replaced
from moderation.errors import DumpError

__all__ = ["HEAD", "Block", "Source", "Unit", "find_sources", "read_blocks", "read_units", "unreadable", "was_replaced"]

MAX_LINE = 64 << 20
MAX_LINES = 8192
HEAD = 1000


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of one source, without their newlines.

    `lines[i]` is line `first + i` (from 1); `taken` counts the source's bytes read so far. `length` is set where the
    block is the head of one line that is too long to be read: the bytes that the whole line has. Lines are JSON, or
    texts where they are `plain`.
    """

    source: str
    first: int
    lines: list[bytes]
    taken: int
    length: int | None = None
    plain: bool = False


Unit = Block | Rows | Table
"""What is read, judged and written in one go."""


def read_units(source: Source, fields: FieldMap, kind: Format | None = None) -> Iterator[Unit]:
    """All records of a source, whatever its format: told by its content and name, or by `kind`.

    Raises DumpError where it cannot be read to its end.
    """
    with opened(source) as descriptor:
        taken = Taken()
        pieces = pieces_of(source, descriptor, taken)
        first = next(pieces, b"")
        found = kind or next((kind for magic, kind in MAGIC.items() if first.startswith(magic)), None)
        found = found or format_of_text(source.name, first, fields.text_columns)
        if found == "parquet" or found == "arrow":
            if zipper := zipper_of(descriptor):
                raise DumpError(f"{source.label} is {found.capitalize()} inside of {zipper}: unzip it first")
            yield from read_tables(source, found, fields.text_columns)
            return
        if found == "jsonl" and (command := document_of(first)):
            raise foreign(source, descriptor, "JSON over many lines, and not a post a line", command)
        pieces = chain([first], pieces)
        if found in DELIMITERS:
            yield from read_rows(source, pieces, delimiter_of(found, first, fields.text_columns), fields, taken)
        else:
            for block in _split(source.name, pieces, taken, MAX_LINE):
                yield replace(block, plain=True) if found == "text" else block
        check_complete(source, descriptor, taken.bytes)


def read_blocks(source: Source, max_line: int = MAX_LINE, piece: int = PIECE) -> Iterator[Block]:
    """All lines of a source, in order. Raises DumpError where it cannot be read to its end."""
    taken = Taken()
    with opened(source) as descriptor:
        yield from _split(source.name, pieces_of(source, descriptor, taken, piece), taken, max_line)
        check_complete(source, descriptor, taken.bytes)


@dataclass(slots=True)
class _Pending:
    """A line whose end was not read yet; of one that is too long only the head is kept."""

    limit: int
    parts: list[bytes] = field(default_factory=list)
    length: int = 0

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.length <= self.limit:
            self.parts.append(piece)
        elif len(self.parts) != 1 or len(self.parts[0]) > HEAD:
            self.parts = [b"".join([*self.parts, piece])[:HEAD]]

    def block(self, source: str, first: int, taken: int) -> Block:
        length = self.length if self.length > self.limit else None
        return Block(source, first, [b"".join(self.parts)], taken, length)


def _split(source: str, pieces: Iterable[bytes], taken: Taken, limit: int) -> Iterator[Block]:
    line, pending = 1, _Pending(limit)
    for piece in pieces:
        end = piece.find(b"\n")
        if end < 0:
            pending.add(piece)
            continue
        if pending.length + end > limit:
            pending.add(piece[:end])
            yield pending.block(source, line, taken.bytes)
            line, piece = line + 1, piece[end + 1 :]
        elif pending.length:
            piece = b"".join([*pending.parts, piece])
        *lines, rest = piece.split(b"\n")
        for start in range(0, len(lines), MAX_LINES):
            yield Block(source, line + start, lines[start : start + MAX_LINES], taken.bytes)
        line, pending = line + len(lines), _Pending(limit)
        pending.add(rest)
    if pending.length:
        yield pending.block(source, line, taken.bytes)
