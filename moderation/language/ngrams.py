"""Tells the languages of one alphabet apart by their 1-, 2- and 3-grams, exactly and columnar.

Every position of a run that holds a letter, or the edge after one, looks up one row: the summed log-odds, for all
languages at once, of the 1-, 2- and 3-gram that end there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SYMBOL_BITS, SYMBOLS, Glyphs
from moderation.language.sums import Sums, Words, packed
from moderation.language.tables import read_table
from moderation.text.classes import ARABIC, CYRILLIC, DEVANAGARI
from moderation.text.lists import constant, ranges

ALPHABETS = {CYRILLIC: "cyrillic", ARABIC: "arabic", DEVANAGARI: "devanagari"}
"""The scripts that have n-grams by `langdetect`'s profiles, and the names of their tables."""

SCALE = 24
"""Log-odds are whole numbers of 1/SCALE nat: sums are exact whatever the order they are taken in."""

_FEW = 1 << 10
"""Of so many glyphs or less, all are read: to pick out some takes longer."""

_SYMBOLS, _SYMBOL_BITS = constant(SYMBOLS, np.uint16), constant(SYMBOL_BITS, np.uint16)
_KEY_BITS = constant(SYMBOL_BITS, np.int32)

Ints = NDArray[np.int64]


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

    def sums(self, glyphs: Glyphs, firsts: Ints, lasts: Ints) -> Sums:
        """The summed log-odds of runs, of which `firsts` and `lasts` are the outer letters in `glyphs`, in order.

        All letters of this script in `glyphs` must belong to a run, and each run must be followed by an edge.
        """
        at, keys = keys_of(glyphs, self.script, firsts, lasts)
        return Sums.of(self.words, self.row_of.take(keys), at.searchsorted(firsts), self.highest)


def keys_of(glyphs: Glyphs, script: int, firsts: Ints, lasts: Ints) -> tuple[Ints, NDArray[np.int32]]:
    """The positions, in runs, that hold a letter of a script or its edge, and the three symbols that end at each."""
    places = None
    if len(glyphs) > _FEW and 2 * int(np.add.reduce(lasts - firsts)) + 4 * len(firsts) < len(glyphs):
        places = ranges(firsts, lasts + 2)
        glyphs = glyphs.take(places)
    symbols = glyphs ^ constant(script << SYMBOL_BITS, np.uint16)
    symbols *= symbols < _SYMBOLS
    pairs = symbols.copy()
    pairs[1:] |= symbols[:-1] << _SYMBOL_BITS
    at = pairs.astype(np.bool_).nonzero()[0]
    keys = pairs.astype(np.int32)
    keys[1:] |= keys[:-1] << _KEY_BITS
    return at if places is None else places.take(at), keys.take(at)


def _rows(
    lengths: NDArray[np.uint8], grams: Ints, odds: NDArray[np.uint64]
) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    """Row number by key of three symbols, and the rows.

    Every pair of symbols has a row, which the keys of unknown 3-grams share; every known 3-gram has its own.
    """
    ones, twos, threes = (lengths == length for length in (1, 2, 3))
    single = np.zeros((SYMBOLS, odds.shape[1]), np.uint64)
    single[grams[ones]] = odds[ones]
    pairs = np.tile(single, (SYMBOLS, 1))
    pairs[grams[twos]] += odds[twos]
    known = grams[threes]
    triples = pairs[known % len(pairs)]
    triples += odds[threes]
    row_of = (np.arange(SYMBOLS * len(pairs)) % len(pairs)).astype(np.uint16)
    row_of[known] = len(pairs) + np.arange(len(known))
    return row_of, np.concatenate((pairs, triples))
