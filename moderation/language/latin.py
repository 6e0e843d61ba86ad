"""Tells the languages of the Latin alphabet apart: how likely each letter is after those before it.

A first look at all runs reads the three letters that end at each position, for the languages asked for. A closer look,
at the runs that it leaves in doubt, reads up to five, for all languages that are known. Sums are those of `ngrams`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SYMBOL_BITS, SYMBOLS, Glyphs
from moderation.language.ngrams import Words, gathered, lane_sums, packed, symbols_of
from moderation.language.tables import read_table
from moderation.text.classes import LATIN
from moderation.text.lists import distinct, ends_of, lengths_of, ranges

SCALE = 12
"""Log-probabilities are whole numbers of 1/SCALE nat: sums are exact whatever the order they are taken in."""
CEILING = 127
"""The value of the likeliest language; the others are below it."""
ORDER = 5
"""The longest n-grams."""

MAIN = ("en",)
UNDETERMINED = "und"

_PAIRS = SYMBOLS * SYMBOLS
_TRIPLE = (1 << 3 * SYMBOL_BITS) - 1
_SLOT_BITS = 18
_SLOTS = 1 << _SLOT_BITS
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_FIRST_HALF, _SECOND_HALF = np.uint64(65 - _SLOT_BITS), np.uint64(24)
_HALF, _HALF_SLOTS = np.uint64(_SLOTS // 2 - 1), np.uint64(_SLOTS // 2)
_KEY, _ROW, _NO_ROW = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(0)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sums:
    """By stretch of text: how likely it is in each language (1/SCALE nat); its positions: letters and words' ends."""

    odds: Ints
    positions: Ints

    def joined(self, starts: Ints) -> Sums:
        """The same by longer stretches, each of which goes to where the next begins."""
        return Sums(np.add.reduceat(self.odds, starts, axis=0), np.add.reduceat(self.positions, starts))


@dataclass(frozen=True, slots=True)
class Reading:
    """Runs read closely: the row of the table for each position, and by word the run that it is of, where it starts
    among the positions, and its first and last letter in the text.
    """

    rows: NDArray[np.intp]
    run: Ints
    start: Ints
    first: Ints
    last: Ints


@dataclass(frozen=True, slots=True)
class Latin:
    """The models of all languages of the alphabet; the first `named` of `languages` were asked for, and a first look
    has words of their own. `slots` is a hash table of longer n-grams: key in the high bits, row in the low ones.
    """

    languages: tuple[str, ...]
    named: int
    row_of: NDArray[np.uint16]
    first_words: Words
    words: Words
    slots: NDArray[np.uint64]

    @classmethod
    def load(cls, wanted: Sequence[str]) -> Latin:
        """Read the shipped table; of the `wanted` languages, or English if there is none, and `und`."""
        table = read_table("latin")
        known = table["languages"].tolist()
        chosen = [name for name in known if name in wanted and name != UNDETERMINED] or list(MAIN)
        chosen.append(UNDETERMINED)
        languages = (*chosen, *(name for name in known if name not in chosen))
        columns = [known.index(name) for name in languages]
        lengths, grams = table["lengths"], table["grams"].astype(np.int64)
        odds = np.concatenate((table["pairs"], table["odds"]))[:, columns]
        triples = int(np.searchsorted(lengths, 4))
        row_of = (np.arange(SYMBOLS * _PAIRS) % _PAIRS).astype(np.uint16)
        row_of[grams[:triples]] = _PAIRS + np.arange(triples)
        first = packed(odds[: _PAIRS + triples, : len(chosen)])
        slots = _hashed(grams[triples:], lengths[triples:], _PAIRS + triples)
        return cls(languages, len(chosen), row_of, first, packed(odds), slots)

    def glance(self, glyphs: Glyphs, firsts: Ints, lasts: Ints) -> Sums:
        """Sums for the languages asked for, by run, of which `firsts` and `lasts` are the outer letters, in order.

        All Latin letters in `glyphs` must belong to a run, and each run must be followed by an edge.
        """
        if 2 * (lasts - firsts + 2).sum() < len(glyphs):
            glyphs, firsts = gathered(glyphs, firsts, lasts + 2)
        keys = _keys(glyphs)
        at = ((keys & (_PAIRS - 1)) != 0).nonzero()[0]
        starts = np.searchsorted(at, firsts)
        rows = self.row_of.take(keys.take(at), mode="clip").astype(np.intp)  # faster than to ask for errors
        return _sums(self.first_words, rows, starts, self.named)

    def read(self, glyphs: Glyphs, firsts: Ints, lasts: Ints) -> Reading:
        """Runs read closely, word by word."""
        pieces, moved = gathered(glyphs, firsts, lasts + 2)
        symbols = symbols_of(pieces, LATIN).astype(np.int64)
        at, rows = self._closely(symbols)
        opens = np.ones(len(at), np.bool_)
        opens[1:] = symbols[at[:-1]] == 0
        starts = opens.nonzero()[0]
        ends = ends_of(starts, len(at)) - 1
        run = np.searchsorted(moved, at[starts], side="right") - 1
        shift = (firsts - moved)[run]
        return Reading(rows, run, starts, at[starts] + shift, at[ends] - 1 + shift)

    def sums(self, reading: Reading, words: Ints) -> Sums:
        """Sums for all languages over stretches of words, each of which goes to where the next begins."""
        return _sums(self.words, reading.rows, reading.start[words], len(self.languages))

    def sums_of(self, reading: Reading, words: Ints) -> Sums:
        """Sums for all languages over some words, each by itself."""
        opens = reading.start[words]
        closes = ends_of(reading.start, len(reading.rows))[words]
        lengths = closes - opens
        rows = reading.rows.take(ranges(opens, closes))
        return _sums(self.words, rows, lengths.cumsum() - lengths, len(self.languages))

    def _closely(self, symbols: Ints) -> tuple[Ints, NDArray[np.intp]]:
        """The positions that hold a letter or a word's end, and the row of the longest known n-gram that ends there."""
        keys = symbols.copy()
        for back in range(1, ORDER):
            keys[back:] |= symbols[:-back] << SYMBOL_BITS * back
        at = ((keys & (_PAIRS - 1)) != 0).nonzero()[0]
        keys = keys[at]
        rows = self.row_of.take(keys & _TRIPLE, mode="clip").astype(np.intp)
        for order in range(4, ORDER + 1):
            found = self._find(_tagged(keys & (1 << SYMBOL_BITS * order) - 1, order))
            rows = np.where(found > 0, found, rows)
        return at, rows

    def _find(self, keys: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Row by key, 0 for keys that are not known."""
        first, second = (self.slots.take(slots) for slots in _slots(keys))
        held = np.where((first >> _KEY) == keys, first, second)
        return np.where((held >> _KEY) == keys, held & _ROW, _NO_ROW).astype(np.intp)


def _sums(words: Words, rows: NDArray[np.intp], starts: Ints, languages: int) -> Sums:
    sums = lane_sums(words, rows, starts, CEILING)
    return Sums(sums[:, :languages], lengths_of(starts, len(rows)))


def _keys(glyphs: Glyphs) -> NDArray[np.int32]:
    symbols = symbols_of(glyphs, LATIN)
    keys: NDArray[np.int32] = symbols.copy()
    keys[1:] |= symbols[:-1] << SYMBOL_BITS
    keys[2:] |= symbols[:-2] << 2 * SYMBOL_BITS
    return keys


def _tagged(keys: Ints, order: int | NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Keys of 30 bits, and in the two above them which of the longer orders they are of; never 0."""
    tagged: NDArray[np.uint32] = (keys | (np.asarray(order, np.int64) - 3) << ORDER * SYMBOL_BITS).astype(np.uint32)
    return tagged


def _slots(keys: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The two slots, one in each half of the table, in which keys may lie."""
    spread = keys.astype(np.uint64) * _SPREAD
    return (spread >> _FIRST_HALF).astype(np.intp), ((spread >> _SECOND_HALF) & _HALF | _HALF_SLOTS).astype(np.intp)


def _hashed(grams: Ints, orders: NDArray[np.uint8], first_row: int) -> NDArray[np.uint64]:
    """A cuckoo hash table (Pagh and Rodler, 2004): every key lies in one of its two slots, so that two looks find it.

    Keys are placed in rounds; who is driven out, or loses a race for a slot, tries the other one in the next.
    """
    left = (_tagged(grams, orders).astype(np.uint64) << _KEY) | np.arange(first_row, first_row + len(grams), dtype="u8")
    half = np.zeros(len(left), np.bool_)
    table = np.zeros(_SLOTS, np.uint64)
    while len(left):
        slot = np.where(half, *_slots((left >> _KEY).astype(np.uint32))[::-1])
        claimed = distinct(slot)
        driven = table[claimed]
        table[slot] = left
        lost = table[slot] != left
        out = driven != 0
        left = np.concatenate((left[lost], driven[out]))
        half = np.concatenate((~half[lost], claimed[out] < _SLOTS // 2))
    return table
