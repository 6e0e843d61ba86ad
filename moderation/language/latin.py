"""Tells the languages of the Latin alphabet apart: how likely each letter is after those before it.

A first look at all runs reads the three letters that end at each position, for the languages asked for. A closer look,
at the runs that it leaves in doubt, reads up to five, for all languages that are known. 
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SYMBOL_BITS, SYMBOLS, Glyphs
from moderation.language.ngrams import gathered, keys_of, pairs_of, symbols_of
from moderation.language.sums import Sums, Words, packed
from moderation.language.tables import read_table
from moderation.text.classes import LATIN
from moderation.text.lists import distinct

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
_KEY, _ROW = np.uint64(32), np.uint64(0xFFFFFFFF)

Ints = NDArray[np.int64]
Keys = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Reading:
    """Runs read closely: the sums of each word, the run that it is of, and its first letter in the text."""

    words: Sums
    run: Ints
    first: Ints

    def last(self, words: Ints) -> Ints:
        """The last letter in the text of some words."""
        return self.first[words] + self.words.positions[words] - 2


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
        at, keys = keys_of(glyphs, LATIN)
        return Sums.of(self.first_words, self.row_of.take(keys, mode="clip"), at.searchsorted(firsts), CEILING)

    def read(self, glyphs: Glyphs, firsts: Ints, lasts: Ints) -> Reading:
        """Runs read closely, word by word."""
        pieces, moved = gathered(glyphs, firsts, lasts + 2)
        at, keys = _long_keys(pieces)
        opens = np.ones(len(at), np.bool_)
        np.equal(keys[:-1] & (SYMBOLS - 1), 0, out=opens[1:])
        starts = opens.nonzero()[0]
        first = at[starts]
        run = moved.searchsorted(first, side="right") - 1
        return Reading(Sums.of(self.words, self._rows(keys), starts, CEILING), run, first + (firsts - moved)[run])

    def _rows(self, keys: Keys) -> NDArray[np.intp]:
        """The row of the longest known n-gram that each key ends in: that of the highest number."""
        tagged = keys & _MASKS | _TAGS
        wanted = tagged << _KEY
        first, second = _slots(tagged)
        # What is left of a slot without the key is its row, or, if the key is another, a higher number than any row.
        found = np.minimum(self.slots.take(first) ^ wanted, self.slots.take(second) ^ wanted)
        shorter = self.row_of.take(keys & _TRIPLE, mode="clip")
        return np.where(found <= _ROW, found, shorter).max(axis=0).view(np.intp)


def _long_keys(glyphs: Glyphs) -> tuple[Ints, Keys]:
    """The positions that hold a Latin letter or a word's end, and the ORDER symbols that end at each."""
    symbols = symbols_of(glyphs, LATIN)
    pairs = pairs_of(symbols)
    at = (pairs != 0).nonzero()[0]
    keys = pairs.astype(np.uint32)
    keys[2:] |= keys[:-2] << 2 * SYMBOL_BITS
    keys[4:] |= np.left_shift(symbols[:-4], 4 * SYMBOL_BITS, dtype=np.uint32)
    return at, keys.take(at)


def _tag(order: Ints) -> Keys:
    """What keys of 30 bits bear in the two above them: which of the longer orders they are of; never 0."""
    return ((order - 3) << ORDER * SYMBOL_BITS).astype(np.uint32)


_LONGER = np.arange(4, ORDER + 1)[:, None]
_MASKS, _TAGS = ((1 << SYMBOL_BITS * _LONGER) - 1).astype(np.uint32), _tag(_LONGER)


def _slots(keys: Keys) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The two slots, one in each half of the table, in which keys may lie."""
    spread = keys * _SPREAD
    first, second = spread >> _FIRST_HALF, (spread >> _SECOND_HALF) & _HALF | _HALF_SLOTS
    return first.view(np.intp), second.view(np.intp)


def _hashed(grams: Ints, orders: NDArray[np.uint8], first_row: int) -> NDArray[np.uint64]:
    """A cuckoo hash table (Pagh and Rodler, 2004): every key lies in one of its two slots, so that two looks find it.

    Keys are placed in rounds; who is driven out, or loses a race for a slot, tries the other one in the next.
    """
    keys = grams.astype(np.uint32) | _tag(orders.astype(np.int64))
    left = (keys << _KEY) | np.arange(first_row, first_row + len(grams), dtype="u8")
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
