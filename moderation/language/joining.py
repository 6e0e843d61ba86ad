"""Joins what combining marks and invisible characters would part: `e` and U+0301 are one letter, é."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SILENT, SYMBOL_BITS, SYMBOLS, Glyphs, composed
from moderation.text.classes import LATIN
from moderation.text.lists import constant, lengths_of

Ints = NDArray[np.int64]

_FIRST_MARK = 0x300
_SILENT = constant(SILENT, np.uint16)
_MARKS_A_LETTER = 3
"""No language puts more on a letter."""


def join(codes: NDArray[np.uint32], glyphs: Glyphs, starts: Ints) -> tuple[Glyphs, Ints, Ints | None]:
    """Compose letters and their marks, and take silent characters out of words.

    Returns glyphs and row starts, shortened where something was taken out, and then also the position in `codes` of
    each glyph that is left. Changes `glyphs`.
    """
    silent = (glyphs >= _SILENT).nonzero()[0]
    if not len(silent):
        return glyphs, starts, None
    opens = np.diff(silent, prepend=-2) != 1
    first = opens.nonzero()[0]
    base = silent[first] - 1
    lengths = lengths_of(first, len(silent))
    _compose(codes, glyphs, base, lengths)
    glyphs[silent] = 0
    inside = (glyphs[base] != 0) & (glyphs[base + lengths + 1] != 0)
    if not inside.any():
        return glyphs, starts, None
    kept = np.ones(len(glyphs), np.bool_)
    kept[silent[inside.repeat(lengths)]] = False
    source = kept.nonzero()[0]
    return glyphs[source], np.searchsorted(source, starts), source


def _compose(codes: NDArray[np.uint32], glyphs: Glyphs, base: Ints, lengths: Ints) -> None:
    table = composed()
    latin = glyphs[base] >> SYMBOL_BITS == LATIN
    for place in range(1, _MARKS_A_LETTER + 1):
        at = base[latin & (lengths >= place)]
        marks = codes[at + place].astype(np.int64) - _FIRST_MARK
        known = (marks >= 0) & (marks < table.shape[1])
        at, marks = at[known], marks[known]
        symbols = table[glyphs[at] & (SYMBOLS - 1), marks]
        glyphs[at] = np.where(symbols > 0, LATIN << SYMBOL_BITS | symbols.astype(np.uint16), glyphs[at])
