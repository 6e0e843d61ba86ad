"""From a matcher's hits to signals' hits: edges, scripts, fields and exceptions, all over whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.engine.gather import Rows, base_name
from moderation.engine.signals import ALL_SCRIPTS, EDGES, Signal, ViewPlan
from moderation.evasion.tricks import ALWAYS_MASK, HIDDEN_MASK
from moderation.signals.matcher import NO_HITS, Columns
from moderation.text.edges import script_edges, word_edges
from moderation.text.lists import Index
from moderation.text.scripts import COMMON, script_of
from moderation.text.views import View

_NONE, _SCRIPT, _WORDS = range(len(EDGES))
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Entries:
    """A view's hits by signal: a hit stands once for each signal that its pattern belongs to.

    `hits` are four columns (row, pattern, start, end) and `signal` and `post` a fifth and a sixth; `excepting` marks
    hits of exceptions.
    """

    hits: Columns
    signal: Index
    post: Index
    excepting: Mask

    def where(self, keep: Mask) -> Entries:
        """Some of them."""
        return Entries(self.hits[:, keep], self.signal[keep], self.post[keep], self.excepting[keep])

    def beside(self, other: Entries) -> Entries:
        """These and others of the same view."""
        return Entries(
            np.concatenate((self.hits, other.hits), axis=1),
            np.concatenate((self.signal, other.signal)),
            np.concatenate((self.post, other.post)),
            np.concatenate((self.excepting, other.excepting)),
        )


@dataclass(frozen=True, slots=True)
class SignalColumns:
    """The signals' settings as arrays, by signal number."""

    edges: Index
    scripts: NDArray[np.uint64]
    fields: tuple[frozenset[str] | None, ...]
    has_fields: Mask
    resist: Index

    @classmethod
    def of(cls, signals: Sequence[Signal]) -> SignalColumns:
        return cls(
            np.array([EDGES.index(signal.edges) for signal in signals], np.int64),
            np.array([signal.scripts for signal in signals], np.uint64),
            tuple(signal.fields for signal in signals),
            np.array([signal.fields is not None for signal in signals], np.bool_),
            np.array([signal.resist for signal in signals], np.int64),
        )


def entries_of(plan: ViewPlan, view: View, columns: SignalColumns, rows: Rows, hits: Columns, masks: Index) -> Entries:
    """The hits that count for their signals, exceptions not yet taken off; `masks` are the tricks by which those in
    disguise were found, which the signal has to resist, 0 for others.
    """
    if not hits.shape[1]:
        return _NO_ENTRIES
    hit, entry = plan.entries.entries(hits[1])
    signal, excepting = plan.signal[entry], plan.exception[entry]
    keep = _on_edges(hit, signal, excepting, hits, view, columns)
    fitting = _in_scripts(hit, signal, hits, view, columns)
    if masks.any():
        by = masks[hit]
        # In what a row hides, edges are those of the hidden text, where they were looked for.
        keep |= (by & HIDDEN_MASK) != 0
        fitting = np.where(by == 0, fitting, _resisted(by, signal, columns) & ~excepting)
    keep &= fitting & _in_fields(hit, signal, hits, columns, rows)
    hit = hit[keep]
    return Entries(hits[:, hit], signal[keep], rows.owner[hits[0, hit]], excepting[keep])


def _on_edges(hit: Index, signal: Index, excepting: Mask, hits: Columns, view: View, columns: SignalColumns) -> Mask:
    mode = np.where(excepting, _SCRIPT, columns.edges[signal])
    row, _, start, end = hits
    stands = script_edges(view, row, start, end)
    keep: Mask = (mode == _NONE) | stands[hit]
    to_segment = keep & (mode == _WORDS)
    if to_segment.any():
        words = np.unique(hit[to_segment])
        on_words = np.zeros(len(row), np.bool_)
        on_words[words] = word_edges(view, row[words], start[words], end[words])
        keep &= (mode != _WORDS) | on_words[hit]
    return keep


def _in_fields(hit: Index, signal: Index, hits: Columns, columns: SignalColumns, rows: Rows) -> Mask:
    keep = np.ones(len(hit), np.bool_)
    bound = (columns.has_fields[signal]).nonzero()[0]
    if not len(bound):
        return keep
    names = sorted({base_name(field) for field in rows.fields})
    number = {name: index for index, name in enumerate(names)}
    field_of = np.array([number[base_name(field)] for field in rows.fields], np.int64)
    allowed = np.array([[fields is None or name in fields for name in names] for fields in columns.fields], np.bool_)
    keep[bound] = allowed[signal[bound], field_of[hits[0, hit[bound]]]]
    return keep


def _resisted(masks: Index, signal: Index, columns: SignalColumns) -> Mask:
    """Whether a signal resists the tricks of a hit. Such a hit may be written in any script: that is the trick."""
    resisted: Mask = (masks & ~(columns.resist[signal] | ALWAYS_MASK)) == 0
    return resisted


def _in_scripts(hit: Index, signal: Index, hits: Columns, view: View, columns: SignalColumns) -> Mask:
    """Route wide: a hit reaches the packs that are written in a script of it; a hit without letters reaches all."""
    wanted = columns.scripts[signal]
    bound = wanted != np.uint64(ALL_SCRIPTS)
    if not bound.any():
        return np.ones(len(hit), np.bool_)
    start, length = view.starts[hits[0]] + hits[2], hits[3] - hits[2]
    opens = length.cumsum() - length
    within = (start - opens).repeat(length)
    within += np.arange(len(within))
    held = np.bitwise_or.reduceat(_SCRIPT_BITS[script_of.take(view.codes[within])], opens)[hit]
    return np.asarray(~bound | (held == 0) | ((held & wanted) != 0))


def without_excepted(entries: Entries, signals: int) -> Entries:
    """Drop hits that overlap a hit of one of their signal's exceptions, and the exceptions' own hits."""
    if not entries.excepting.any():
        return entries
    row, _, start, end = entries.hits
    key = row * signals + entries.signal
    spared = entries.excepting.nonzero()[0]
    spared = spared[np.lexsort((start[spared], key[spared]))]
    # Within a key (row and signal) the exceptions stand by start; the greatest end so far, kept apart by key, tells
    # whether any exception that starts before a hit's end reaches over the hit's start.
    width = np.int64(max(int(end.max()), 1) + 1)
    starts = key[spared] * width + start[spared]
    reach = np.maximum.accumulate(key[spared] * width + end[spared])
    before = np.searchsorted(starts, key * width + end, side="left") - 1
    covered = (before >= 0) & (reach[np.maximum(before, 0)] > key * width + start)
    return entries.where(~covered & ~entries.excepting)


_NO_ENTRIES = Entries(NO_HITS, NO_HITS[0], NO_HITS[0], np.zeros(0, np.bool_))
_SCRIPT_BITS = np.uint64(1) << np.arange(64, dtype=np.uint64)
_SCRIPT_BITS[COMMON] = 0
