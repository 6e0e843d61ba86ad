"""Tells the languages of the Latin alphabet apart: how likely each letter is after those before it.

A first look at all runs reads the three letters that end at each position, for the languages asked for. A closer look,
at the runs that it leaves in doubt, reads up to five, for all languages that are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SYMBOL_BITS, SYMBOLS, Glyphs
from moderation.language.ngrams import keys_of
from moderation.language.sums import Sums, Words, packed
from moderation.language.tables import read_table
from moderation.text.classes import LATIN
from moderation.text.lists import distinct, lengths_of

SCALE = 12
"""Log-probabilities are whole numbers of 1/SCALE nat: sums are exact whatever the order they are taken in."""
CEILING = 127
"""The value of the likeliest language; the others are below it."""
ORDER = 5
"""The longest n-grams."""

MAIN = ("en",)
UNDETERMINED = "und"

_PAIRS = SYMBOLS * SYMBOLS
_BEFORE = (SYMBOLS - 1) << SYMBOL_BITS
_SLOT_BITS = 18
_SLOTS = 1 << _SLOT_BITS
_SPREADS = np.array((0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F), np.uint64)[:, None, None]
_HALVES = np.array((0, _SLOTS // 2), np.uint64)[:, None, None]
_TO_HALF = np.uint64(65 - _SLOT_BITS)
_KEY, _ROW = np.uint64(32), np.uint64(0xFFFFFFFF)

Ints = NDArray[np.int64]
Keys = NDArray[np.uint32]


class Glance(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A first look at runs: the sums of each and where it starts among the positions, which have columns: where they
    are in the text, the three symbols that end there, and the row of the table.
    """

    sums: Sums
    start: Ints
    at: Ints
    keys: NDArray[np.int32]
    rows: NDArray[np.uint16]


class Reading(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Runs read closely, word by word: the sums of each word, the run that it is of, its first letter among the
    positions `at` in the text. `opens` are the first words of runs, `count` is how many they have.
    """

    words: Sums
    run: Ints
    start: Ints
    at: Ints
    opens: Ints
    count: Ints

    def letters(self, firsts: Ints, lasts: Ints) -> tuple[Ints, Ints]:
        """Where in the text stretches of words start, and the last letters of them."""
        return self.at[self.start[firsts]], self.at[self.start[lasts] + self.words.positions[lasts] - 2]


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

    def glance(self, glyphs: Glyphs, firsts: Ints, lasts: Ints) -> Glance:
        """Runs, of which `firsts` and `lasts` are the outer letters, in order; sums for the languages asked for.

        All Latin letters in `glyphs` must belong to a run, and each run must be followed by an edge.
        """
        at, keys = keys_of(glyphs, LATIN, firsts, lasts)
        rows = self.row_of.take(keys, mode="clip")  # faster than to ask for errors
        starts = at.searchsorted(firsts)
        return Glance(Sums.of(self.first_words, rows, starts, CEILING), starts, at, keys, rows)

    def read(self, glance: Glance, runs: Ints) -> Reading:
        """Some runs read closely; sums for all languages."""
        lengths = glance.sums.positions[runs]
        closes = lengths.cumsum()
        moved = closes - lengths
        at = (glance.start[runs] - moved).repeat(lengths)
        at += np.arange(len(at))
        # Two positions before it may be elsewhere: then a gap is in the middle of the key, and in that of no n-gram.
        keys = glance.keys.take(at)
        keys |= (glance.keys.take(at - 2, mode="clip") & -SYMBOLS) << 2 * SYMBOL_BITS
        starts = ((keys & _BEFORE) == 0).nonzero()[0]
        rows = self._rows(keys.view(np.uint32), glance.rows.take(at))
        words = Sums.of(self.words, rows, starts, CEILING)
        opens = starts.searchsorted(moved)
        count = lengths_of(opens, len(starts))
        run = np.arange(len(runs)).repeat(count)
        return Reading(words, run, starts, glance.at.take(at), opens, count)

    def _rows(self, keys: Keys, shorter: NDArray[np.uint16]) -> NDArray[np.intp]:
        """The row of the longest known n-gram that each key ends in: that of the highest number."""
        tagged = keys & _MASKS | _TAGS
        # What is left of a slot without the key is its row, or, if the key is another, a higher number than any row.
        found = np.minimum.reduce(self.slots.take(_slots(tagged), mode="clip") ^ (tagged << _KEY))
        rows: NDArray[np.intp] = np.maximum.reduce(np.where(found <= _ROW, found, shorter)).view(np.intp)
        return rows


def _tag(order: Ints) -> Keys:
    """What keys of 30 bits bear in the two above them: which of the longer orders they are of; never 0."""
    return ((order - 3) << ORDER * SYMBOL_BITS).astype(np.uint32)


_LONGER = np.arange(4, ORDER + 1)[:, None]
_MASKS, _TAGS = ((1 << SYMBOL_BITS * _LONGER) - 1).astype(np.uint32), _tag(_LONGER)


def _slots(keys: Keys) -> NDArray[np.intp]:
    """The two slots, one in each half of the table, in which keys by order may lie."""
    slots = keys * _SPREADS
    slots >>= _TO_HALF
    slots |= _HALVES
    return slots.view(np.intp)


def _hashed(grams: Ints, orders: NDArray[np.uint8], first_row: int) -> NDArray[np.uint64]:
    """A cuckoo hash table (Pagh and Rodler, 2004): every key lies in one of its two slots, so that two looks find it.

    Keys are placed in rounds; who is driven out, or loses a race for a slot, tries the other one in the next.
    """
    keys = grams.astype(np.uint32) | _tag(orders.astype(np.int64))
    left = (keys << _KEY) | np.arange(first_row, first_row + len(grams), dtype="u8")
    half = np.zeros(len(left), np.bool_)
    table = np.zeros(_SLOTS, np.uint64)
    while len(left):
        first, second = _slots((left >> _KEY).astype(np.uint32)[None])[:, 0]
        slot = np.where(half, second, first)
        claimed = distinct(slot)
        driven = table[claimed]
        table[slot] = left
        lost = table[slot] != left
        out = driven != 0
        left = np.concatenate((left[lost], driven[out]))
        half = np.concatenate((~half[lost], claimed[out] < _SLOTS // 2))
    return table
