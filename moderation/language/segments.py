"""What the detector found: the parts of texts by language."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.language.runs import Runs, openings
from moderation.text.classes import HAN, HANGUL, KANA
from moderation.text.lists import constant, ends_of

Ints = NDArray[np.int64]

# A character of these says as much as a syllable or a word.
_WEIGHT = np.ones(64, np.int64)
_WEIGHT[[HAN, KANA, HANGUL]] = 3
_ONE = constant(1, np.int64)


class Segments(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Columns by segment, sorted by row and start; segments of a row do not overlap.

    `start` and `end` are code points of the row's text, from the first letter to behind the last. `language` indexes
    `names`, whose first is `und`: too little evidence. `weight` is the letters held, Han, kana and Hangul threefold.
    """

    names: tuple[str, ...]
    row: Ints
    start: Ints
    end: Ints
    language: Ints
    weight: Ints

    def __len__(self) -> int:
        return len(self.row)

    def at(self, numbers: Ints) -> Segments:
        """Some of them, by number."""
        row, start, end = self.row[numbers], self.start[numbers], self.end[numbers]
        return Segments(self.names, row, start, end, self.language[numbers], self.weight[numbers])

    def shares(self, owner: NDArray[np.integer[Any]], n_posts: int) -> NDArray[np.float64]:
        """Each post's share of each language, by weight, in the order of `names`: a row's sum is 1, or 0 without text.

        `owner[row]` is the post that a row belongs to.
        """
        cell = owner[self.row] * len(self.names) + self.language
        held = np.bincount(cell, weights=self.weight, minlength=n_posts * len(self.names))
        table = held.reshape(n_posts, len(self.names))
        shares: NDArray[np.float64] = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        return shares


def to_segments(names: tuple[str, ...], row_starts: Ints, runs: Runs, language: Ints, source: Ints | None) -> Segments:
    """Runs as segments, neighbours of one language made one.

    `source`, if any, are the positions in the text's buffer of the positions in `runs`.
    """
    if not len(runs):
        nothing = np.zeros(0, np.int64)
        return Segments(names, nothing, nothing, nothing, nothing, nothing)
    row, first, last, weight = runs.row, runs.first, runs.last, runs.letters * _WEIGHT[runs.script]
    if len(runs) > 1 and len(starts := openings(row, language)) < len(runs):
        last, weight = last[ends_of(starts, len(runs)) - 1], np.add.reduceat(weight, starts)
        row, first, language = row[starts], first[starts], language[starts]
    if source is not None:
        first, last = source[first], source[last]
    base = row_starts[row]
    return Segments(names, row, first - base, last - base + _ONE, language, weight)
