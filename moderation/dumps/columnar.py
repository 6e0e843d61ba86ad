"""Parquet and Arrow files, by pyarrow: batches of rows in, batches of decisions out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import msgspec

from moderation.decision import Decision
from moderation.dumps.sources import STDIN, Source
from moderation.errors import DumpError

ROWS = 4096
ROW_GROUP = 1 << 16


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
        columns = [_values(self.batch.column(name)) for name in names]
        if not columns:
            return [{} for _ in range(self.batch.num_rows)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: Any) -> list[Any]:
    """A column's values; those that hold text which is not UTF-8 (Parquet's writers need not check) as what they are
    without it.
    """
    try:
        found: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        return [_value(value) for value in column]
    return found


def _value(value: Any) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        buffer = value.as_buffer() if hasattr(value, "as_buffer") else None
        return None if buffer is None else bytes(buffer).decode("utf-8", "replace")


def read_tables(source: Source, kind: Literal["parquet", "arrow"]) -> Iterator[Table]:
    """All rows of a file, in order. Raises DumpError for what is damaged, and for a pipe: these formats are read from
    their end.
    """
    arrow = _arrow()
    if source.name == STDIN or source.size is None:
        raise DumpError(f"{source.label} is {kind.capitalize()}, which cannot be read from a pipe: name the file")
    with _readable(source, arrow):
        first = 1
        for batch, share in _parquet(source.name) if kind == "parquet" else _ipc(arrow, source.name):
            yield Table(source.name, first, batch, int(source.size * share))
            first += batch.num_rows


def _parquet(name: str) -> Iterator[tuple[Any, float]]:
    with import_module("pyarrow.parquet").ParquetFile(name) as file:
        done, total = 0, file.metadata.num_rows
        for batch in file.iter_batches(batch_size=ROWS):
            done += batch.num_rows
            yield batch, done / total


def _ipc(arrow: Any, name: str) -> Iterator[tuple[Any, float]]:
    with arrow.OSFile(name) as raw, arrow.ipc.open_file(raw) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for start in range(0, batch.num_rows, ROWS):
                yield batch.slice(start, ROWS), (number + 1) / file.num_record_batches


@contextmanager
def _readable(source: Source, arrow: Any) -> Iterator[None]:
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise DumpError(f"cannot read {source.label}: {error}") from error


def _arrow() -> Any:
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise DumpError("Parquet and Arrow need the package pyarrow: pip install 'moderation[parquet]'") from error


def schema_of(kept: Sequence[str]) -> Any:
    """The columns of decisions, and those that are kept of posts, as texts."""
    arrow = _arrow()
    text, texts = arrow.string(), arrow.list_(arrow.string())
    shares = arrow.map_(arrow.string(), arrow.float64())
    columns = [
        ("id", text), ("verdict", text), ("severity", arrow.int32()), ("categories", texts), ("rules", texts),
        ("shadow", texts), ("languages", shares), ("uncovered", texts), ("scores", shares), ("unknown", texts),
        ("reasons", text), ("engine", text),
    ]  # fmt: skip
    return arrow.schema([*columns, *((name, text) for name in kept)])


def encode_batch(decisions: Sequence[Decision], kept: Sequence[Sequence[str | None]], names: Sequence[str]) -> bytes:
    """Decisions, and by decision what is kept of its post, as one message of an Arrow stream for `ParquetSink`."""
    arrow, schema = _arrow(), schema_of(names)
    texts = [arrow.array([row[at] for row in kept], arrow.string()) for at in range(len(names))]
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(arrow.record_batch([*arrays_of(decisions), *texts], schema=schema))
    return bytes(sink.getvalue())


def arrays_of(decisions: Sequence[Decision]) -> list[Any]:
    """Decisions as columns, pyarrow.Array each, in the order and with the types of `schema_of`."""
    columns = [
        [str(decision.id) for decision in decisions],
        [decision.verdict for decision in decisions],
        [decision.severity for decision in decisions],
        [decision.categories for decision in decisions],
        [[reason.rule for reason in decision.reasons] for decision in decisions],
        [[reason.rule for reason in decision.shadow] for decision in decisions],
        [_pairs(decision.languages) for decision in decisions],
        [decision.uncovered for decision in decisions],
        [_pairs(decision.scores) for decision in decisions],
        [decision.unknown for decision in decisions],
        [_reasons(decision) for decision in decisions],
        [decision.engine for decision in decisions],
    ]
    arrow = _arrow()
    return [arrow.array(column, field.type) for column, field in zip(columns, schema_of(()), strict=True)]


def _pairs(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return list(shares.items())


def _reasons(decision: Decision) -> str:
    return msgspec.json.encode(decision.reasons).decode() if decision.reasons else "[]"


class ParquetSink:
    """Writes what `encode_batch` made as one Parquet file, in row groups that do not depend on how it came."""

    def __init__(self, file: Any, names: Sequence[str]) -> None:
        self._arrow = _arrow()
        self._schema = schema_of(names)
        writer = import_module("pyarrow.parquet").ParquetWriter
        self._file = self._arrow.PythonFile(file, mode="w")
        self._writer = writer(self._file, self._schema, compression="zstd")
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
