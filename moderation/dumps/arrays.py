"""Decisions as columns of Arrow, made column by column: a Python object a cell would cost as much as the judging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from moderation.decision import Decision, Reason
from moderation.errors import DumpError


def pyarrow() -> Any:
    """The package. Raises DumpError where it is not installed."""
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise DumpError("Parquet and Arrow need the package pyarrow: pip install 'moderation[parquet]'") from error


def schema_of(kept: Sequence[str]) -> Any:
    """The columns of decisions, and those that are kept of posts, as texts."""
    arrow = pyarrow()
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
    arrow, schema = pyarrow(), schema_of(names)
    texts = [arrow.array([row[at] for row in kept], arrow.string()) for at in range(len(names))]
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(arrow.record_batch([*arrays_of(decisions), *texts], schema=schema))
    return bytes(sink.getvalue())


def arrays_of(decisions: Sequence[Decision]) -> list[Any]:
    """Decisions as columns, pyarrow.Array each, in the order and with the types of `schema_of`."""
    arrow = pyarrow()
    reasons = _column(decisions, "reasons")
    return [
        arrow.array(list(map(str, _column(decisions, "id"))), arrow.string()),
        _repeated(arrow, _column(decisions, "verdict")),
        arrow.array(_column(decisions, "severity"), arrow.int32()),
        _lists(arrow, _column(decisions, "categories")),
        _lists(arrow, _rules(reasons)),
        _lists(arrow, _rules(_column(decisions, "shadow"))),
        _maps(arrow, _column(decisions, "languages")),
        _lists(arrow, _column(decisions, "uncovered")),
        _maps(arrow, _column(decisions, "scores")),
        _lists(arrow, _column(decisions, "unknown")),
        arrow.array([_told(each) for each in reasons], arrow.string()),
        _repeated(arrow, _column(decisions, "engine")),
    ]


def _column(decisions: Sequence[Decision], name: str) -> list[Any]:
    return list(map(attrgetter(name), decisions))


def _repeated(arrow: Any, values: Sequence[str]) -> Any:
    """Texts that are often all the same."""
    if len(set(values)) == 1:
        return arrow.repeat(arrow.scalar(values[0], arrow.string()), len(values))
    return arrow.array(values, arrow.string())


def _lists(arrow: Any, rows: Sequence[Sequence[str]]) -> Any:
    texts = arrow.array(list(chain.from_iterable(rows)), arrow.string())
    return arrow.ListArray.from_arrays(_offsets(arrow, rows), texts)


def _maps(arrow: Any, rows: Sequence[Mapping[str, float]]) -> Any:
    names = arrow.array(list(chain.from_iterable(rows)), arrow.string())
    shares = arrow.array(list(chain.from_iterable([row.values() for row in rows])), arrow.float64())
    return arrow.MapArray.from_arrays(_offsets(arrow, rows), names, shares)


def _offsets(arrow: Any, rows: Sequence[Sequence[str] | Mapping[str, float]]) -> Any:
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, rows), np.int32, len(rows)), out=offsets[1:])
    return arrow.array(offsets)


def _rules(reasons: Sequence[tuple[Reason, ...]]) -> list[Sequence[str]]:
    return [[reason.rule for reason in each] if each else () for each in reasons]


def _told(reasons: tuple[Reason, ...]) -> str:
    return msgspec.json.encode(reasons).decode() if reasons else "[]"
