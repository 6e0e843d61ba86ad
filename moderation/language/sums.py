"""Sums of many numbers at once: those of all languages lie side by side in 16-bit lanes of 64-bit words, so that one
addition adds four of them. What is too long for the lanes is summed in parts that are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.text.lists import lengths_of

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Odds = NDArray[np.int32] | NDArray[np.int64]
"""By language, then by stretch. Lanes fit in 32 bits: half of the memory to go through."""

_LANES = 4
_LANE = (1 << 16) - 1

# A row of as many words is copied by one instruction or two; others go through memmove, at three times the cost.
_QUICK = (1, 2, 4)

# Odds and the number of their language in one integer, so that one maximum finds both; the first of equals wins.
_NUMBER_BITS = 6
_LAST_NUMBER = (1 << _NUMBER_BITS) - 1
_BACKWARDS = _LAST_NUMBER - np.arange(_LAST_NUMBER + 1, dtype=np.int32)[:, None]
_LOWEST = np.iinfo(np.int32).min


@dataclass(frozen=True, slots=True)
class Sums:
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
        lanes = words.take(rows, axis=0, mode="clip")  # faster than to ask for errors
        if lengths.max() <= longest:
            return cls(np.add.reduceat(lanes, starts, axis=0), lengths, longest)
        pieces = -(-lengths // longest)
        first = pieces.cumsum() - pieces
        cuts = starts.repeat(pieces) + (np.arange(pieces.sum()) - first.repeat(pieces)) * longest
        whole = np.add.reduceat(_integers(np.add.reduceat(lanes, cuts, axis=0)), first, axis=0)
        return cls(whole, lengths, longest)

    def joined(self, starts: Ints) -> Sums:
        """The same by longer stretches, each of which goes to where the next begins."""
        positions = np.add.reduceat(self.positions, starts)
        lanes = self.lanes if positions.max() <= self.longest else _integers(self.lanes)
        return Sums(np.add.reduceat(lanes, starts, axis=0), positions, self.longest)

    def at(self, numbers: Ints) -> Sums:
        """Those of some stretches."""
        return Sums(self.lanes.take(numbers, axis=0), self.positions[numbers], self.longest)

    def odds(self, languages: int) -> Odds:
        """The sums of the first so many languages."""
        columns = self._columns()[:, :languages].T
        return columns.astype(np.int64 if columns.dtype == np.int64 else np.int32, order="C")

    def odds_of(self, numbers: Ints, languages: Ints) -> NDArray[np.integer[Any]]:
        """The sum of one language for each of some stretches, or, by row of `languages`, those of several."""
        columns = self._columns()
        return columns.ravel().take(numbers * columns.shape[1] + languages)

    def _columns(self) -> NDArray[np.integer[Any]]:
        return self.lanes.view("<u2") if self.lanes.dtype == np.uint64 else self.lanes


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


def likeliest(odds: Odds) -> tuple[Odds, Odds]:
    """The likeliest language of each stretch, of equals the first, and its odds."""
    top = _ranked(odds).max(axis=0)
    return _number(top), top >> _NUMBER_BITS


def leading(odds: Odds) -> tuple[Odds, Odds]:
    """The likeliest language of each stretch, of equals the first, and by how much it leads."""
    ranked = _ranked(odds)
    top = ranked.max(axis=0)
    second = np.where(ranked == top, _LOWEST, ranked).max(axis=0)
    return _number(top), (top >> _NUMBER_BITS) - (second >> _NUMBER_BITS)


def _ranked(odds: Odds) -> Odds:
    return odds << _NUMBER_BITS | _BACKWARDS[: len(odds)]


def _number(ranked: Odds) -> Odds:
    return ~ranked & _LAST_NUMBER
