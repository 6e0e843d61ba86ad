"""From a matcher's hits to signals' hits: edges, scripts, fields and exceptions, all over whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.engine.gather import Rows, base_name
from moderation.engine.signals import ALL_SCRIPTS, EDGES, Signal, ViewPlan
from moderation.evasion.tricks import ALWAYS_MASK, HIDDEN_MASK
from moderation.signals.matcher import Bits, Columns
from moderation.text.batch import joined
from moderation.text.edges import script_edges, word_edges
from moderation.text.lists import Index, constant, held_in
from moderation.text.scripts import COMMON, script_of
from moderation.text.views import View

# What is told of an entry: it needs no edges, or stands on them; its signal is for a hit's scripts and field; it has to
# stand on edges of words, or in some fields; it is an exception.
_STANDS, _FITS, _WORDS, _BOUND, _EXCEPTS = np.uint8(1) << np.arange(5, dtype=np.uint8)
_COUNTS, _RARE = constant(_STANDS | _FITS, np.uint8), constant(_WORDS | _BOUND | _EXCEPTS, np.uint8)
_NO_COLUMNS: Columns = np.zeros((6, 0), np.int64)
Mask = NDArray[np.bool_]


class Entries(NamedTuple):
    """A view's hits by signal: a hit stands once for each signal that its pattern belongs to.

    `hits` are six columns (row, pattern, start, end, signal, post), `excepting` those of hits of exceptions.
    """

    hits: Columns
    excepting: Columns = _NO_COLUMNS

    @property
    def signal(self) -> Index:
        signal: Index = self.hits[4]
        return signal

    @property
    def post(self) -> Index:
        post: Index = self.hits[5]
        return post

    def asked_by(self, posts: Bits, signals: Bits) -> Entries:
        """Those that rules in question ask for: their bits by post, and by signal those of who asks for it."""
        return Entries(
            *(each.compress((posts[each[5]] & signals[each[4]]) != 0, 1) if each.shape[1] else each for each in self)
        )

    def among(self, asked: Index, signals: int) -> Entries:
        """Hits of what is asked for, as sorted keys: post * signals + signal."""
        keys = self.post * signals + self.signal
        return Entries(self.hits.compress(held_in(keys, asked), 1)) if len(keys) else self

    def beside(self, other: Entries) -> Entries:
        """These and others of the same view."""
        return Entries(*(_beside(mine, more) for mine, more in zip(self, other, strict=True)))


def _beside(mine: Columns, more: Columns) -> Columns:
    if not more.shape[1]:
        return mine
    return np.concatenate((mine, more), axis=1) if mine.shape[1] else more


@dataclass(frozen=True, slots=True)
class Counting:
    """What makes a hit count, for one view: by entry of its plan what is told of it, in bits, and what its signal asks
    for, by signal its `fields`; `edgeless` tells by pattern whether any of its entries needs no edges.

    Whether the signal's scripts are those of the hit is told of terms, of regexes hit by hit.
    """

    plan: ViewPlan
    told: NDArray[np.uint8]
    edgeless: Mask
    scripts: NDArray[np.uint64]
    resist: Index
    fields: Sequence[frozenset[str]]

    @classmethod
    def of(cls, plan: ViewPlan, signals: Sequence[Signal]) -> Counting:
        """The tables for a view."""
        edges = np.array([EDGES.index(signal.edges) for signal in signals], np.uint8)[plan.signal]
        edges[plan.exception] = EDGES.index("script")
        scripts = np.array([signal.scripts for signal in signals], np.uint64)[plan.signal]
        bound = np.array([signal.fields is not None for signal in signals], np.uint8)[plan.signal]
        terms = _held(plan.terms).repeat(plan.entries.count[: len(plan.terms)])
        told = _STANDS * (edges == EDGES.index("none")) | _WORDS * (edges == EDGES.index("words"))
        told |= _EXCEPTS * plan.exception | _BOUND * bound
        told[: len(terms)] |= _FITS * _fitting(terms, scripts[: len(terms)])
        return cls(
            plan,
            told,
            np.logical_or.reduceat((told & _STANDS) != 0, plan.entries.first),
            scripts,
            np.array([signal.resist for signal in signals], np.int64)[plan.signal],
            [signal.fields or frozenset() for signal in signals],
        )

    def entries_of(self, view: View, rows: Rows, hits: Columns, masks: Index | None = None) -> Entries:
        """The hits, all of terms or all of regexes, that count for their signals, exceptions not yet taken off; `masks`
        are the tricks by which those in disguise were found, which the signal has to resist, 0 for others.
        """
        if not hits.shape[1]:
            return NO_ENTRIES
        row, pattern, start, end = hits
        stands = script_edges(view, row, start, end)
        if masks is not None:
            # In what a row hides, edges are those of the hidden text, where they were looked for.
            stands |= (masks & HIDDEN_MASK) != 0
        likely = (stands | self.edgeless[pattern]).nonzero()[0]
        if not len(likely):
            return NO_ENTRIES
        at, entry = self.plan.entries.entries(pattern[likely])
        hit = likely[at]
        told = self._reaching(hit, entry, view, hits, masks)
        told |= stands.view(np.uint8)[hit]
        rare = np.count_nonzero(told & _RARE)
        if rare:
            self._look_closer(told, hit, entry, view, rows, hits, masks)
        keep = ((told & _COUNTS) == _COUNTS).nonzero()[0]
        if not len(keep):
            return NO_ENTRIES
        hit, entry = hit[keep], entry[keep]
        found = np.empty((6, len(hit)), np.int64)
        found[:4] = hits.take(hit, 1)
        found[4] = self.plan.signal[entry]
        found[5] = rows.owner[found[0]]
        if not rare:
            return Entries(found)
        excepting = (told[keep] & _EXCEPTS) != 0
        return Entries(found.compress(~excepting, 1), found.compress(excepting, 1))

    def _reaching(self, hit: Index, entry: Index, view: View, hits: Columns, masks: Index | None) -> NDArray[np.uint8]:
        """Route wide: a hit reaches the packs that are written in a script of it; a hit without letters reaches all.
        What is found by tricks may be written in any script: that is the trick.
        """
        told = self.told[entry]
        if hits[1, 0] >= len(self.plan.terms):
            told |= _FITS * _fitting(_held_at(view, hits)[hit], self.scripts[entry])
        elif masks is not None:
            by = masks[hit]
            resisted = (by & ~(self.resist[entry] | ALWAYS_MASK)) == 0
            resisted &= (told & _EXCEPTS) == 0
            told[by != 0] &= ~_FITS
            told |= _FITS * (resisted & (by != 0))
        return told

    def _look_closer(
        self,
        told: NDArray[np.uint8],
        hit: Index,
        entry: Index,
        view: View,
        rows: Rows,
        hits: Columns,
        masks: Index | None,
    ) -> None:
        """Take off what stands on no edges of words, where it has to, or in another field."""
        stands = (told & (_WORDS | _STANDS)) == _WORDS | _STANDS
        words = np.unique(hit[stands if masks is None else stands & ((masks[hit] & HIDDEN_MASK) == 0)])
        if len(words):
            row, _, start, end = hits.take(words, 1)
            beside = words[~word_edges(view, row, start, end)]
            told[stands & np.isin(hit, beside)] &= ~_STANDS
        at = (told & _BOUND).nonzero()[0]
        if len(at):
            places = zip(hits[0, hit[at]].tolist(), self.plan.signal[entry[at]].tolist(), strict=True)
            inside = np.array([base_name(rows.fields[row]) in self.fields[number] for row, number in places])
            told[at[~inside]] &= ~_FITS


def _held(terms: Sequence[str]) -> NDArray[np.uint64]:
    """The scripts of terms."""
    codes, _, opens = joined(terms)
    bits = _SCRIPT_BITS[script_of.take(codes)]
    return np.bitwise_or.reduceat(bits, opens) if len(terms) else bits


def _held_at(view: View, hits: Columns) -> NDArray[np.uint64]:
    """The scripts of hits, none of which is empty."""
    start, length = view.starts[hits[0]] + hits[2], hits[3] - hits[2]
    opens = length.cumsum() - length
    within = (start - opens).repeat(length)
    within += np.arange(len(within))
    return np.asarray(np.bitwise_or.reduceat(_SCRIPT_BITS[script_of.take(view.codes[within])], opens))


def _fitting(held: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> Mask:
    return np.asarray((held == 0) | ((held & wanted) != 0) | (wanted == np.uint64(ALL_SCRIPTS)))


def without_excepted(entries: Entries, signals: int) -> Entries:
    """Drop hits that overlap a hit of one of their signal's exceptions, and the exceptions' own hits."""
    if not entries.excepting.shape[1]:
        return entries
    row, _, start, end, signal, _ = entries.hits
    spared = entries.excepting
    key, spared_key = row * signals + signal, spared[0] * signals + spared[4]
    order = np.lexsort((spared[2], spared_key))
    # Within a key (row and signal) the exceptions stand by start; the greatest end so far, kept apart by key, tells
    # whether any exception that starts before a hit's end reaches over the hit's start.
    width = max(int(end.max(initial=0)), int(spared[3].max())) + 1
    starts = (spared_key * width + spared[2])[order]
    reach = np.maximum.accumulate((spared_key * width + spared[3])[order])
    before = starts.searchsorted(key * width + end) - 1
    covered = (before >= 0) & (reach[np.maximum(before, 0)] > key * width + start)
    return Entries(entries.hits.compress(~covered, 1))


NO_ENTRIES = Entries(_NO_COLUMNS)
_SCRIPT_BITS = np.uint64(1) << np.arange(64, dtype=np.uint64)
_SCRIPT_BITS[COMMON] = 0
