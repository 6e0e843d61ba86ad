"""Tells the languages of one alphabet apart by their 1-, 2- and 3-grams, exactly and columnar.

Every position of a run that holds a letter, or the edge after one, looks up one row: the summed log-odds, for all
languages at once, of the 1-, 2- and 3-gram that end there. The languages' log-odds lie side by side in 16-bit lanes of
64-bit words, so that one addition adds four of them. Long runs are summed in stretches that no lane can overflow in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import ASCII_LETTERS, SYMBOL_BITS, SYMBOLS, Glyphs
from moderation.language.tables import read_table
from moderation.text.classes import ARABIC, CYRILLIC, DEVANAGARI
from moderation.text.lists import lengths_of, ranges

ALPHABETS = {CYRILLIC: "cyrillic", ARABIC: "arabic", DEVANAGARI: "devanagari"}
"""The scripts that have n-grams by `langdetect`'s profiles, and the names of their tables."""

SCALE = 24
"""Log-odds are whole numbers of 1/SCALE nat: sums are exact whatever the order they are taken in."""

LANES = 4
"""Sums in each word."""

_LANE_BITS = 16
_LANE = (1 << _LANE_BITS) - 1
_SYMBOL = np.uint16(SYMBOLS - 1)
_PAIR = np.int32(SYMBOLS * SYMBOLS - 1)

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Scores:
    """By run: the summed log-odds of each language (1/SCALE nat); the evidence: letters, accented ones threefold."""

    odds: Ints
    evidence: Ints


@dataclass(frozen=True, slots=True)
class Ngrams:
    """The n-grams of one alphabet, of those of its languages that were asked for."""

    script: int
    languages: tuple[str, ...]
    row_of: NDArray[np.uint16]
    words: Words
    highest: int

    @classmethod
    def load(cls, script: int, wanted: Sequence[str]) -> Ngrams:
        """Read the shipped table of an alphabet and keep the `wanted` languages, or its main one, and `und`."""
        table = read_table(ALPHABETS[script])
        known = table["languages"].tolist()
        chosen = [language for language in known if language in wanted] or known[:1]
        languages = tuple(language for language in known if language in (*chosen, "und"))
        odds = table["odds"][:, [known.index(language) for language in languages]].astype(np.uint64)
        row_of, rows = _rows(table["lengths"], table["grams"].astype(np.int64), odds)
        return cls(script, languages, row_of, packed(rows), int(rows.max()))

    def score(self, glyphs: Glyphs, firsts: Ints, lasts: Ints) -> Scores:
        """Score runs: `firsts` and `lasts` are the positions in `glyphs` of each run's outer letters, in order.

        All letters of this script in `glyphs` must belong to a run, and each run must be followed by an edge.
        """
        if 2 * (lasts - firsts + 2).sum() < len(glyphs):
            glyphs, firsts = gathered(glyphs, firsts, lasts + 2)
        keys = _keys(glyphs, self.script)
        at = ((keys & _PAIR) != 0).nonzero()[0]
        rows = self.row_of.take(keys.take(at)).astype(np.intp)
        sums = lane_sums(self.words, rows, np.searchsorted(at, firsts), self.highest)
        return Scores(sums[:, 1 : len(self.languages) + 1], sums[:, 0])


def lane_sums(words: Words, rows: NDArray[np.intp], starts: Ints, highest: int) -> Ints:
    """The sums of rows of lanes from each start to the next; no lane is higher than `highest`."""
    stretch = _LANE // highest
    lengths = lengths_of(starts, len(rows))
    if lengths.max() <= stretch:
        return _short_sums(words, rows, starts)
    pieces = -(-lengths // stretch)
    first = pieces.cumsum() - pieces
    order = np.arange(pieces.sum()) - first.repeat(pieces)
    cuts = starts.repeat(pieces) + order * stretch
    sums: Ints = np.add.reduceat(_short_sums(words, rows, cuts), first, axis=0)
    return sums


def _short_sums(words: Words, rows: NDArray[np.intp], starts: Ints) -> Ints:
    sums = np.add.reduceat(words.take(rows, axis=0, mode="clip"), starts, axis=0)
    lanes: Ints = sums.view("<u2").astype(np.int64)
    return lanes


def gathered(glyphs: Glyphs, starts: Ints, ends: Ints) -> tuple[Glyphs, Ints]:
    """The stretches of a buffer one after the other, and where they start."""
    lengths = ends - starts
    return glyphs.take(ranges(starts, ends)), lengths.cumsum() - lengths


def symbols_of(glyphs: Glyphs, script: int) -> NDArray[np.int32]:
    """The symbols of one script's letters; 0 elsewhere."""
    symbols: NDArray[np.int32] = ((glyphs & _SYMBOL) * ((glyphs >> SYMBOL_BITS) == script)).astype(np.int32)
    return symbols


def _keys(glyphs: Glyphs, script: int) -> NDArray[np.int32]:
    """By position: its symbol and the two before it; not zero in the last two where there is a letter or its edge."""
    symbols = symbols_of(glyphs, script)
    keys: NDArray[np.int32] = symbols.copy()
    keys[1:] |= symbols[:-1] << SYMBOL_BITS
    keys[2:] |= symbols[:-2] << 2 * SYMBOL_BITS
    return keys


def _rows(
    lengths: NDArray[np.uint8], grams: Ints, odds: NDArray[np.uint64]
) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    """Row number by key of three symbols, and the rows: evidence, then languages.

    Every pair of symbols has a row, which the keys of unknown 3-grams share; every known 3-gram has its own.
    """
    ones, twos, threes = (lengths == length for length in (1, 2, 3))
    single = np.zeros((SYMBOLS, odds.shape[1] + 1), np.uint64)
    single[grams[ones], 1:] = odds[ones]
    single[1:, 0] = 1
    single[ASCII_LETTERS + 1 :, 0] = 3
    pairs = np.tile(single, (SYMBOLS, 1))
    pairs[grams[twos], 1:] += odds[twos]
    known = grams[threes]
    triples = pairs[known % len(pairs)]
    triples[:, 1:] += odds[threes]
    row_of = (np.arange(SYMBOLS * len(pairs)) % len(pairs)).astype(np.uint16)
    row_of[known] = len(pairs) + np.arange(len(known))
    return row_of, np.concatenate((pairs, triples))


def packed(rows: NDArray[np.unsignedinteger[Any]]) -> Words:
    """Columns as lanes of 16 bits, four in each word: all of a row lie side by side, in one or two lines of cache."""
    lanes = np.zeros((len(rows), -(-rows.shape[1] // LANES) * LANES), "<u2")
    lanes[:, : rows.shape[1]] = rows
    return lanes.view("<u8")
