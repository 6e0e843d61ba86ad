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
from moderation.language.ngrams import LANES, gathered, lane_sums, packed, symbols_of
from moderation.language.tables import read_table
from moderation.text.classes import LATIN
from moderation.text.lists import ends_of, lengths_of, ranges

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

Ints = NDArray[np.int64]
Words = tuple[NDArray[np.uint64], ...]


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
    """The models of all languages of the alphabet; the first `named` of `languages` were asked for."""

    languages: tuple[str, ...]
    named: int
    row_of: NDArray[np.uint16]
    words: Words
    slots: NDArray[np.uint32]
    rows: NDArray[np.uint32]

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
        slots, rows = _hashed(grams[triples:], lengths[triples:], _PAIRS + triples)
        return cls(languages, len(chosen), row_of, packed(odds), slots, rows)

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
        return self._sums(rows, starts, self.named)

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
        return self._sums(reading.rows, reading.start[words], len(self.languages))

    def sums_of(self, reading: Reading, words: Ints) -> Sums:
        """Sums for all languages over some words, each by itself."""
        opens = reading.start[words]
        closes = ends_of(reading.start, len(reading.rows))[words]
        lengths = closes - opens
        return self._sums(reading.rows[ranges(opens, closes)], lengths.cumsum() - lengths, len(self.languages))

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
        slot = _slot(keys)
        held = self.slots[slot]
        found = np.where(held == keys, self.rows[slot], 0).astype(np.intp)
        going = ((held != keys) & (held != 0)).nonzero()[0]
        while len(going):
            slot[going] = (slot[going] + 1) & (_SLOTS - 1)
            held = self.slots[slot[going]]
            here = held == keys[going]
            found[going[here]] = self.rows[slot[going[here]]]
            going = going[~here & (held != 0)]
        return found

    def _sums(self, rows: NDArray[np.intp], starts: Ints, languages: int) -> Sums:
        sums = lane_sums(self.words[: -(-languages // LANES)], rows, starts, CEILING)
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


def _slot(keys: NDArray[np.uint32]) -> NDArray[np.intp]:
    return ((keys.astype(np.uint64) * _SPREAD) >> np.uint64(64 - _SLOT_BITS)).astype(np.intp)


def _hashed(grams: Ints, orders: NDArray[np.uint8], first_row: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """An open hash table: keys and rows by slot, each key in the first free slot from its own on."""
    keys = _tagged(grams, orders)
    slots, rows = np.zeros(_SLOTS, np.uint32), np.zeros(_SLOTS, np.uint32)
    slot, left = _slot(keys), np.arange(len(keys))
    while len(left):
        free = slots[slot[left]] == 0
        slots[slot[left[free]]] = keys[left[free]]
        placed = slots[slot[left]] == keys[left]
        rows[slot[left[placed]]] = first_row + left[placed]
        left = left[~placed]
        slot[left] = (slot[left] + 1) & (_SLOTS - 1)
    return slots, rows
