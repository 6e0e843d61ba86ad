"""From a matcher's hits to signals' hits: edges, scripts, fields and exceptions, all over whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.engine.gather import Rows, base_name
from moderation.engine.signals import ALL_SCRIPTS, EDGES, Signal, ViewPlan
from moderation.signals.matcher import Hits
from moderation.text.edges import script_edges, word_edges
from moderation.text.scripts import COMMON, script_of
from moderation.text.views import View

_NONE, _SCRIPT, _WORDS = range(len(EDGES))
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SignalHits:
    """Hits that count, sorted by (post, signal, row, start, end); positions as in `Hit`.

    `unknown` holds (post, signal) pairs whose regex ran out of time.
    """

    post: Index
    signal: Index
    row: Index
    start: Index
    end: Index
    original_start: Index
    original_end: Index
    pattern: Index
    unknown: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Entries:
    """Hits by signal: `hit` indexes the matcher's hits, `excepting` marks hits of exceptions."""

    hit: Index
    signal: Index
    excepting: Mask

    def where(self, keep: Mask) -> _Entries:
        return _Entries(self.hit[keep], self.signal[keep], self.excepting[keep])


@dataclass(frozen=True, slots=True)
class SignalColumns:
    """The signals' settings as arrays, by signal number."""

    edges: Index
    scripts: NDArray[np.uint64]
    fields: tuple[frozenset[str] | None, ...]
    has_fields: Mask

    @classmethod
    def of(cls, signals: Sequence[Signal]) -> SignalColumns:
        return cls(
            np.array([EDGES.index(signal.edges) for signal in signals], np.int64),
            np.array([signal.scripts for signal in signals], np.uint64),
            tuple(signal.fields for signal in signals),
            np.array([signal.fields is not None for signal in signals], np.bool_),
        )


def resolve(plans: Sequence[tuple[ViewPlan, View]], columns: SignalColumns, rows: Rows) -> SignalHits:
    """Scan every view and keep the hits that count for their signals."""
    parts = [_resolve_view(plan, view, columns, rows) for plan, view in plans]
    found = np.concatenate([_NO_HITS, *(arrays for arrays, _ in parts)], axis=1)
    post, signal, row, start, end = found[:5]
    order = np.lexsort((end, start, row, signal, post))
    post, signal, row, start, end, original_start, original_end, pattern = found[:, order]
    unknown = frozenset[tuple[int, int]]().union(*(missing for _, missing in parts))
    return SignalHits(post, signal, row, start, end, original_start, original_end, pattern, unknown)


def _resolve_view(
    plan: ViewPlan, view: View, columns: SignalColumns, rows: Rows
) -> tuple[NDArray[np.int64], frozenset[tuple[int, int]]]:
    hits = plan.matcher.scan(view)
    unknown = frozenset(
        (int(rows.owner[row]), int(signal))
        for row, pattern in hits.timeouts
        for signal in plan.signal[plan.first[pattern] : plan.first[pattern + 1]]
    )
    if not len(hits):
        return _NO_HITS, unknown
    entries = _on_edges(_expand(plan, hits), hits, view, columns)
    entries = _in_fields(entries, hits, columns, rows)
    entries = _in_scripts(entries, hits, view, columns)
    entries = _without_excepted(entries, hits, len(columns.edges))
    row, start, end = (array[entries.hit].astype(np.int64) for array in (hits.row, hits.start, hits.end))
    original_start, original_end = view.original_spans(row, start, end)
    pattern = hits.pattern[entries.hit].astype(np.int64)
    post = rows.owner[row]
    return np.stack((post, entries.signal, row, start, end, original_start, original_end, pattern)), unknown


def _expand(plan: ViewPlan, hits: Hits) -> _Entries:
    """Every hit once for each signal that its pattern belongs to."""
    first = plan.first[hits.pattern]
    counts = plan.first[hits.pattern + 1] - first
    hit = np.repeat(np.arange(len(hits.pattern)), counts)
    entry = np.arange(len(hit)) - np.repeat(np.cumsum(counts) - counts, counts) + first[hit]
    return _Entries(hit, plan.signal[entry].astype(np.int64), plan.exception[entry])


def _on_edges(entries: _Entries, hits: Hits, view: View, columns: SignalColumns) -> _Entries:
    mode = np.where(entries.excepting, _SCRIPT, columns.edges[entries.signal])
    stands = script_edges(view, hits.row, hits.start, hits.end)
    keep = (mode == _NONE) | stands[entries.hit]
    words = np.unique(entries.hit[keep & (mode == _WORDS)])
    if len(words):
        on_words = np.zeros(len(hits.row), np.bool_)
        on_words[words] = word_edges(view, hits.row[words], hits.start[words], hits.end[words])
        keep &= (mode != _WORDS) | on_words[entries.hit]
    return entries.where(keep)


def _in_fields(entries: _Entries, hits: Hits, columns: SignalColumns, rows: Rows) -> _Entries:
    bound = np.flatnonzero(columns.has_fields[entries.signal])
    if not len(bound):
        return entries
    names = sorted({base_name(field) for field in rows.fields})
    number = {name: index for index, name in enumerate(names)}
    field_of = np.array([number[base_name(field)] for field in rows.fields], np.int64)
    allowed = np.array([[fields is None or name in fields for name in names] for fields in columns.fields], np.bool_)
    keep = np.ones(len(entries.hit), np.bool_)
    keep[bound] = allowed[entries.signal[bound], field_of[hits.row[entries.hit[bound]]]]
    return entries.where(keep)


def _in_scripts(entries: _Entries, hits: Hits, view: View, columns: SignalColumns) -> _Entries:
    """Route wide: a hit reaches the packs that are written in a script of it; a hit without letters reaches all."""
    wanted = columns.scripts[entries.signal]
    bound = wanted != np.uint64(ALL_SCRIPTS)
    if not bound.any():
        return entries
    base = view.starts[hits.row]
    bits = _SCRIPT_BITS[script_of[view.codes]]
    ends = np.stack((base + hits.start, base + hits.end), axis=1).ravel()
    held = np.bitwise_or.reduceat(bits, ends)[::2][entries.hit]
    return entries.where(~bound | (held == 0) | ((held & wanted) != 0))


def _without_excepted(entries: _Entries, hits: Hits, signals: int) -> _Entries:
    """Drop hits that overlap a hit of one of their signal's exceptions, and the exceptions' own hits."""
    if not entries.excepting.any():
        return entries
    key = hits.row[entries.hit].astype(np.int64) * signals + entries.signal
    start, end = hits.start[entries.hit].astype(np.int64), hits.end[entries.hit].astype(np.int64)
    spared = np.flatnonzero(entries.excepting)
    spared = spared[np.lexsort((start[spared], key[spared]))]
    # Within a key (row and signal) the exceptions stand by start; the greatest end so far, kept apart by key, tells
    # whether any exception that starts before a hit's end reaches over the hit's start.
    width = np.int64(max(int(end.max()), 1) + 1)
    starts = key[spared] * width + start[spared]
    reach = np.maximum.accumulate(key[spared] * width + end[spared])
    before = np.searchsorted(starts, key * width + end, side="left") - 1
    covered = (before >= 0) & (reach[np.maximum(before, 0)] > key * width + start)
    return entries.where(~covered & ~entries.excepting)


_NO_HITS = np.zeros((8, 0), np.int64)
_SCRIPT_BITS = np.uint64(1) << np.arange(64, dtype=np.uint64)
_SCRIPT_BITS[COMMON] = 0
