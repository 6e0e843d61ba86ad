"""Sums of many numbers at once: those of all languages lie side by side in 16-bit lanes of 64-bit words, so that one
addition adds four of them. What is too long for the lanes is summed in parts that are not.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.text.lists import constant, lengths_of

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Ranks = NDArray[np.signedinteger[Any]]
"""By language and stretch: odds, and below them the language's number, backwards: one maximum finds both, and of equals
the first. What is summed in lanes fits in 32 bits.
"""

_LANES = 4
_LANE = (1 << 16) - 1

# A row of as many words is copied by one instruction or two; others go through memmove, at three times the cost.
_QUICK = (1, 2, 4)

# Rows that fit in the second-level cache with their words.
_BLOCK = 1 << 14

_NUMBER_BITS = 6
_LAST_NUMBER = (1 << _NUMBER_BITS) - 1
_LOWEST = np.iinfo(np.int32).min
_BITS, _LAST = constant(_NUMBER_BITS, np.int32), constant(_LAST_NUMBER, np.int32)


class Sums(msgspec.Struct, frozen=True, eq=False, gc=False):
    """By stretch of text: the sums of all languages, in lanes or, if a stretch is longer than `longest`, as integers;
    and its positions: letters and words' ends.
    """

    lanes: Words | Ints
    positions: Ints
    longest: int

    @classmethod
    def of(cls, words: Words, rows: NDArray[np.integer[Any]], starts: Ints, highest: int) -> Sums:
        """The sums of rows of `words` from each start to the next; no lane is higher than `highest`."""
        longest = _LANE // highest
        lengths = lengths_of(starts, len(rows))
        if len(rows) <= longest or np.maximum.reduce(lengths) <= longest:
            return cls(_added(words, rows, starts), lengths, longest)
        pieces = -(-lengths // longest)
        first = pieces.cumsum() - pieces
        cuts = starts.repeat(pieces) + (np.arange(pieces.sum()) - first.repeat(pieces)) * longest
        return cls(np.add.reduceat(_integers(_added(words, rows, cuts)), first, axis=0), lengths, longest)

    def joined(self, starts: Ints) -> Sums:
        """The same by longer stretches, each of which goes to where the next begins."""
        positions = np.add.reduceat(self.positions, starts)
        lanes = self.lanes if np.maximum.reduce(positions) <= self.longest else _integers(self.lanes)
        return Sums(np.add.reduceat(lanes, starts, axis=0), positions, self.longest)

    def ranks(self, languages: int) -> Ranks:
        """The sums of the first so many languages, before they are told apart by number: see `number_of`."""
        columns = self._columns()[:, :languages].T
        ranks: Ranks = columns.astype(np.int64 if columns.dtype == np.int64 else np.int32, order="C")
        ranks <<= _BITS
        return ranks

    def odds_of(self, numbers: Ints, languages: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        """The sum of one language for each of some stretches, or, by row of `languages`, those of several."""
        columns = self._columns()
        odds: NDArray[np.integer[Any]] = columns.ravel().take(numbers * columns.shape[1] + languages)
        return odds

    def _columns(self) -> NDArray[np.integer[Any]]:
        return self.lanes.view("<u2") if self.lanes.dtype == np.uint64 else self.lanes


def _added(words: Words, rows: NDArray[np.integer[Any]], starts: Ints) -> Words:
    """The sums of rows from each start to the next; of many, block by block, so that what is gathered stays cached."""
    if len(rows) <= _BLOCK:
        return _gathered(words, rows, starts)
    blocks = sorted({*starts.searchsorted(np.arange(0, len(rows), _BLOCK)).tolist(), len(starts)})
    bounds = np.concatenate((starts, [len(rows)]))[blocks].tolist()
    sums = np.empty((len(starts), words.shape[1]), np.uint64)
    for (first, end), (low, high) in zip(pairwise(blocks), pairwise(bounds), strict=True):
        sums[first:end] = _gathered(words, rows[low:high], starts[first:end] - low)
    return sums


def _gathered(words: Words, rows: NDArray[np.integer[Any]], starts: Ints) -> Words:
    sums: Words = np.add.reduceat(
        words.take(rows, axis=0, mode="clip"), starts, axis=0
    )  # faster than to ask for errors
    return sums


def _integers(lanes: Words | Ints) -> Ints:
    integers: Ints = lanes.view("<u2").astype(np.int64) if lanes.dtype == np.uint64 else lanes.astype(np.int64)
    return integers


def packed(rows: NDArray[np.unsignedinteger[Any]]) -> Words:
    """Columns as lanes: all of a row lie side by side, in one or two lines of cache."""
    words = -(-rows.shape[1] // _LANES)
    words = next((quick for quick in _QUICK if quick >= words), words)
    lanes = np.zeros((len(rows), words * _LANES), "<u2")
    lanes[:, : rows.shape[1]] = rows
    return lanes.view("<u8")


def rank(odds: int, number: int = _LAST_NUMBER) -> int:
    """Odds of a language as they are ranked, by its number if they are not to be added to a rank."""
    return (odds << _NUMBER_BITS) + _LAST_NUMBER - number


def odds_in(ranks: Ranks) -> Ranks:
    """The odds in ranks."""
    return ranks >> _BITS


def number_of(ranks: Ranks) -> Ranks:
    """The numbers of the languages that ranks are of."""
    return ~ranks & _LAST


def leading(ranks: Ranks) -> tuple[Ranks, Ranks]:
    """The likeliest language of each stretch, of equals the first, and by how much it leads. Ranks are used up."""
    top = np.maximum.reduce(ranks)
    ranks[ranks == top] = _LOWEST
    return number_of(top), odds_in((top | _LAST) - np.maximum.reduce(ranks))
