"""Hits by post and signal. They stay arrays until a rule asks for them: of most posts, none does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

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


@dataclass(frozen=True, slots=True)
class SignalHits:
    """`table` holds a `Hit` a row, sorted by (post, signal, row, start, end); `groups` tells which rows are those of a
    post's signal, by key: post * signals + signal. `unknown` are the signals by post whose regex ran out of time,
    `disguised` tells of hits in the folded view how they were found, if not plainly.
    """

    table: Index
    groups: Mapping[int, tuple[int, int]]
    signals: int
    unknown: Mapping[int, frozenset[int]]
    disguised: Mapping[Key, Via]

    @classmethod
    def of(
        cls,
        parts: Sequence[tuple[View, Entries]],
        unknown: Iterable[tuple[int, int]],
        signals: int,
        disguised: Mapping[Key, Via],
    ) -> SignalHits:
        """From the hits of all views."""
        rows = [_rows(view, entries) for view, entries in parts if entries.hits.shape[1]]
        table = np.concatenate([np.zeros((8, 0), np.int64), *rows], axis=1)
        order = np.lexsort(table[4::-1])
        table = table[:, order]
        key = table[0] * signals + table[1]
        opens = openings(key)
        bounds = pairwise([*opens.tolist(), len(key)])
        groups = dict(zip(key[opens].tolist(), bounds, strict=True))
        return cls(np.ascontiguousarray(table[1:].T), groups, signals, _by_post(unknown), disguised)

    def of_post(self, post: int) -> PostHits:
        """One post's hits."""
        return PostHits(self, post * self.signals)


class PostHits(msgspec.Struct, frozen=True):
    """One post's hits by signal; `base` is where its keys begin."""

    all: SignalHits
    base: int

    def get(self, signal: int) -> tuple[Hit, ...]:
        """The signal's hits, in reading order; none where it has not fired."""
        group = self.all.groups.get(self.base + signal)
        return () if group is None else tuple(starmap(Hit, self.all.table[group[0] : group[1]].tolist()))


def _rows(view: View, entries: Entries) -> Index:
    row, pattern, start, end, signal, post = entries.hits
    return np.array((post, signal, row, start, end, *view.original_spans(row, start, end), pattern))


def _by_post(unknown: Iterable[tuple[int, int]]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for post, signal in unknown:
        found.setdefault(post, set()).add(signal)
    return {post: frozenset(signals) for post, signals in found.items()}


NOTHING_HIT = SignalHits(np.zeros((0, 7), np.int64), {}, 0, {}, {})
NO_HITS = PostHits(NOTHING_HIT, 0)
