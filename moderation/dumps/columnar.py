"""Parquet and Arrow files, by pyarrow: batches of rows in, and out what `arrays` made of decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from moderation.dumps.arrays import schema_of
from moderation.dumps.buffers import pyarrow
from moderation.dumps.fields import check_columns
from moderation.dumps.sources import STDIN, Source
from moderation.errors import DumpError

ROWS = 4096
ROW_GROUP = 1 << 15
_PIECE = 1 << 18
"""Bytes that are read at once of a column: else all that it has in a row group."""

_STREAM = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a source, the first being number `first` (from 1), as a pyarrow.RecordBatch; `taken` is about how many of
    the source's bytes were read so far.
    """

    source: str
    first: int
    batch: Any
    taken: int

    def records(self, keys: Collection[str] | None = None) -> list[dict[str, Any]]:
        """The rows as dicts; with `keys`, of these columns alone."""
        names = [name for name in self.batch.schema.names if keys is None or name in keys]
        if not names:
            return [{} for _ in range(self.batch.num_rows)]
        return [dict(zip(names, row, strict=True)) for row in zip(*self.values(names).values(), strict=True)]

    def values(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Some of its columns."""
        return {name: _values(self.batch.column(name)) for name in names}


def _values(column: Any) -> list[Any]:
    """A column's values; those that hold text which is not UTF-8 (Parquet's writers need not check) as what they are
    without it.
    """
    try:
        found: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        return [_value(value) for value in column]
    return list(map(_as_text, found)) if bytes in set(map(type, found)) else found


def _as_text(value: Any) -> Any:
    """Bytes as the text that they hold: not all writers of Parquet say which is which."""
    try:
        return value.decode() if type(value) is bytes else value
    except UnicodeDecodeError:
        return value


def _value(value: Any) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        buffer = value.as_buffer() if hasattr(value, "as_buffer") else None
        return None if buffer is None else bytes(buffer).decode("utf-8", "replace")


def read_tables(source: Source, kind: Literal["parquet", "arrow"], texts: Sequence[str]) -> Iterator[Table]:
    """All rows of a file, in order. Raises DumpError for what is damaged, where no column holds text, and for a pipe:
    these formats are read from their end.
    """
    arrow = pyarrow()
    if source.name == STDIN or source.size is None:
        raise DumpError(f"{source.label} is {kind.capitalize()}, which cannot be read from a pipe: name the file")
    with _readable(source, arrow):
        first = 1
        for batch, share in _parquet(source.name) if kind == "parquet" else _ipc(arrow, source):
            check_columns(source, batch.schema.names, texts)
            yield Table(source.name, first, batch, int(source.size * share))
            first += batch.num_rows


def _parquet(name: str) -> Iterator[tuple[Any, float]]:
    with import_module("pyarrow.parquet").ParquetFile(name, pre_buffer=False, buffer_size=_PIECE) as file:
        done, total = 0, file.metadata.num_rows
        for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
            done += batch.num_rows
            yield batch, done / total


def _ipc(arrow: Any, source: Source) -> Iterator[tuple[Any, float]]:
    """Arrow's file format, and its format for streams."""
    with arrow.OSFile(source.name) as raw:
        if raw.read(len(_STREAM)) == _STREAM:
            raw.seek(0)
            yield from _stream(arrow, raw, source.size or 1)
            return
        raw.seek(0)
        yield from _batches(arrow, raw)


def _stream(arrow: Any, raw: Any, size: int) -> Iterator[tuple[Any, float]]:
    with arrow.ipc.open_stream(raw) as stream:
        for batch in stream:
            share = raw.tell() / size
            for start in range(0, batch.num_rows, ROWS):
                yield batch.slice(start, ROWS), share


def _batches(arrow: Any, raw: Any) -> Iterator[tuple[Any, float]]:
    with arrow.ipc.open_file(raw) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for start in range(0, batch.num_rows, ROWS):
                yield batch.slice(start, ROWS), (number + 1) / file.num_record_batches


@contextmanager
def _readable(source: Source, arrow: Any) -> Iterator[None]:
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise DumpError(f"cannot read {source.label}: {' '.join(str(error).split())}") from error


class ParquetSink:
    """Writes what `encode_batch` made as one Parquet file, in row groups that do not depend on how it came."""

    def __init__(self, file: Any, names: Sequence[str]) -> None:
        self._arrow = pyarrow()
        self._schema = schema_of(names)
        writer = import_module("pyarrow.parquet").ParquetWriter
        self._file = self._arrow.PythonFile(file, mode="w")
        # Hardly two ids are alike: of the rest, all may be.
        alike = [path for each in self._schema if each.name != "id" for path in _paths(self._arrow, each)]
        self._writer = writer(self._file, self._schema, compression="zstd", use_dictionary=alike)
        self._waiting: list[Any] = []
        self._rows = 0

    def write(self, data: bytes) -> None:
        """Add a batch."""
        if not data:
            return
        with self._arrow.ipc.open_stream(data) as stream:
            for batch in stream:
                self._waiting.append(batch)
                self._rows += batch.num_rows
        while self._rows >= ROW_GROUP:
            self._flush(ROW_GROUP)

    def close(self) -> None:
        """Write what is left, and what closes a Parquet file."""
        if self._rows:
            self._flush(self._rows)
        self._writer.close()
        self._file.close()

    def _flush(self, rows: int) -> None:
        table = self._arrow.Table.from_batches(self._waiting, self._schema)
        self._writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=rows)
        self._waiting, self._rows = table.slice(rows).to_batches(), self._rows - rows


def _paths(arrow: Any, column: Any) -> list[str]:
    """Where a Parquet file keeps the values of a column."""
    if arrow.types.is_map(column.type):
        return [f"{column.name}.key_value.{each}" for each in ("key", "value")]
    return [f"{column.name}.list.element" if arrow.types.is_list(column.type) else column.name]
