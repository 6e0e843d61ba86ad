"""Hits by post and signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import msgspec
import numpy as np

from moderation.engine.disguised import Via
from moderation.engine.resolve import Entries
from moderation.evasion.matcher import Key
from moderation.text.lists import Index, openings
from moderation.text.views import View


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One hit of a signal: where in its view, where in the original field text, and which pattern it was.

    All positions are code points, [start, end), relative to the row (one text field of the post).
    """

    signal: int
    row: int
    start: int
    end: int
    original_start: int
    original_end: int
    pattern: int


Hits: TypeAlias = "Mapping[int, tuple[Hit, ...]]"
"""One post's hits by signal, in reading order; none of a signal that has not fired."""


class SignalHits(msgspec.Struct, frozen=True, eq=False, gc=False):
    """`by_post` are the hits of posts that have any. `unknown` are the signals by post whose regex ran out of time,
    `disguised` tells of hits in the folded view how they were found, if not plainly.
    """

    by_post: Mapping[int, Hits]
    unknown: Mapping[int, frozenset[int]]
    disguised: Mapping[Key, Via]

    @classmethod
    def of(
        cls, parts: Sequence[tuple[View, Entries]], unknown: Iterable[tuple[int, int]], disguised: Mapping[Key, Via]
    ) -> SignalHits:
        """From the hits of all views."""
        rows = [_rows(view, entries) for view, entries in parts if entries.hits.shape[1]]
        return cls(_grouped(np.concatenate(rows, axis=1)) if rows else {}, _by_post(unknown), disguised)

    def of_post(self, post: int) -> Hits:
        """One post's hits."""
        return self.by_post.get(post, NO_HITS)


def _grouped(table: Index) -> dict[int, dict[int, tuple[Hit, ...]]]:
    """Hits by post and signal, out of their columns."""
    table = table.take(np.lexsort(table[4::-1]), 1)
    opens = openings(table[0] * (int(table[1].max()) + 1) + table[1])
    starts = [*opens.tolist(), table.shape[1]]
    hits = list(map(Hit, *table[1:].tolist()))
    found: dict[int, dict[int, tuple[Hit, ...]]] = {}
    for post, signal, (start, end) in zip(*table[:2].take(opens, 1).tolist(), pairwise(starts), strict=True):
        found.setdefault(post, {})[signal] = tuple(hits[start:end])
    return found


def _rows(view: View, entries: Entries) -> Index:
    row, pattern, start, end, signal, post = entries.hits
    return np.array((post, signal, row, start, end, *view.original_spans(row, start, end), pattern))


def _by_post(unknown: Iterable[tuple[int, int]]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for post, signal in unknown:
        found.setdefault(post, set()).add(signal)
    return {post: frozenset(signals) for post, signals in found.items()}


NO_HITS: Hits = {}
NOTHING_HIT = SignalHits({}, {}, {})
