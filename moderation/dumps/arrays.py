"""Decisions as columns of Arrow, made column by column: a Python object a cell would cost as much as the judging."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, Reason
from moderation.dumps.buffers import numbers, offsets, pyarrow, texts, truths
from moderation.engine.judged import Judged
from moderation.post import PostId
from moderation.text.lists import Index


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


def encode_batch(arrays: Sequence[Sequence[Any]], names: Sequence[str]) -> bytes:
    """Columns, those of each portion, as one message of an Arrow stream for `ParquetSink`. The columns that are kept of
    posts have `names` and stand behind those of decisions.
    """
    arrow, schema = pyarrow(), schema_of(names)
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, schema) as stream:
        for portion in arrays:
            stream.write_batch(arrow.record_batch(list(portion), schema=schema))
    return bytes(sink.getvalue())


def arrays_of(judged: Judged) -> list[Any]:
    """Decisions as columns, pyarrow.Array each, in the order and with the types of `schema_of`."""
    number = len(judged)
    post, language, share = judged.said.spoken()
    known = ~np.isnan(judged.scores)
    scored, category = known.nonzero()
    languages = _map(offsets(post, number), judged.said.found.names, language, share)
    scores = _map(offsets(scored, number), judged.categories, category, judged.scores[known])
    return _arrays(_Told(number, judged.at, judged.told), judged.ids, languages, scores, judged.engine)


def arrays_of_decisions(decisions: Sequence[Decision], engine: str) -> list[Any]:
    """The same of decisions as they are; `engine` is their fingerprint."""
    number = len(decisions)
    told = _Told(number, np.arange(number), decisions)
    ids, languages, scores = map(told.column, ("id", "languages", "scores"))
    return _arrays(told, ids, _map_of(languages), _map_of(scores), engine)


def _arrays(told: _Told, ids: Sequence[PostId], languages: Any, scores: Any, engine: str) -> list[Any]:
    return [
        _ids(ids),
        told.texts("allowed", told.column("verdict")),
        told.numbers(told.column("severity")),
        told.lists(told.column("categories")),
        told.lists(_rules(told.column("reasons"))),
        told.lists(_rules(told.column("shadow"))),
        languages,
        told.lists(told.column("uncovered")),
        scores,
        told.lists(told.column("unknown")),
        told.texts("[]", list(map(_as_json, told.column("reasons")))),
        texts([engine]).take(numbers(np.zeros(told.number, np.int32))),
    ]


def selected(arrays: Sequence[Any], wanted: NDArray[np.bool_]) -> Sequence[Any]:
    """Of columns, the rows that are wanted."""
    if wanted.all():
        return arrays
    return [array.filter(truths(wanted)) for array in arrays]


@dataclass(frozen=True, slots=True)
class _Told:
    """Columns of `number` posts of which only those `at` some numbers have something to say."""

    number: int
    at: Index
    decisions: Sequence[Decision]

    def column(self, name: str) -> list[Any]:
        return list(map(attrgetter(name), self.decisions))

    def texts(self, others: str, own: Sequence[str]) -> Any:
        place = np.zeros(self.number, np.int32)
        place[self.at] = np.arange(1, len(own) + 1)
        return texts([others, *own]).take(numbers(place))

    def numbers(self, own: Sequence[int]) -> Any:
        found = np.zeros(self.number, np.int32)
        found[self.at] = own
        return numbers(found)

    def lists(self, own: Sequence[Sequence[str]]) -> Any:
        bounds = offsets(self.at.repeat(_lengths(own)), self.number)
        return pyarrow().ListArray.from_arrays(bounds, texts(list(chain.from_iterable(own))))


def _ids(ids: Sequence[PostId]) -> Any:
    """Ids as texts; what UTF-8 does not hold is replaced in them."""
    if set(map(type, ids)) == {int}:
        with suppress(OverflowError):
            return numbers(np.fromiter(cast(Sequence[int], ids), np.int64, len(ids))).cast(pyarrow().string())
    named = list(map(str, ids))
    try:
        return texts(named)
    except UnicodeEncodeError:
        return texts([each.encode("utf-8", "replace").decode() for each in named])


def _map(bounds: Any, names: Sequence[str], number: Index, values: NDArray[np.float64]) -> Any:
    """By post, names (by number) and values."""
    keys = texts(names).take(numbers(number))
    return pyarrow().MapArray.from_arrays(bounds, keys, numbers(values))


def _map_of(rows: Sequence[Mapping[str, float]]) -> Any:
    names, values = list(chain.from_iterable(rows)), [value for row in rows for value in row.values()]
    owner = np.arange(len(rows)).repeat(_lengths(rows))
    return _map(offsets(owner, len(rows)), names, np.arange(len(names)), np.array(values, np.float64))


def _lengths(rows: Sequence[Sized]) -> Index:
    return np.fromiter(map(len, rows), np.int64, len(rows))


def _rules(reasons: Sequence[tuple[Reason, ...]]) -> list[list[str]]:
    return [[reason.rule for reason in each] for each in reasons]


def _as_json(reasons: tuple[Reason, ...]) -> str:
    try:
        return msgspec.json.encode(reasons).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(reasons), separators=(",", ":"))
