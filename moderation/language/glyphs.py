"""What the detector sees of a code point: its script class and its letter, packed into 16 bits.

A glyph is `script << 6 | symbol`. `symbol` numbers the letters (case folded) of the alphabets that n-grams tell
languages apart in: Latin, Cyrillic, Arabic, Devanagari. In other scripts it is 0, or WEAK and above for letters that
are also drawn with. Glyph 0 is neutral: white space, punctuation, digits, symbols, emoji.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from moderation.language.tables import read_table

SYMBOL_BITS = 6
SYMBOLS = 1 << SYMBOL_BITS
ASCII_LETTERS = 26
"""Latin symbols 1 to 26 are a to z; those above are letters with accents, which tell more about a language."""

WEAK = 1
"""From this symbol on: Han, kana and Hangul that faces are drawn with; they count only among others of their script."""

SILENT = 62 << SYMBOL_BITS
"""From here on, not a letter: combining marks and invisible characters, which do not end a word."""
TRIGGER = 63 << SYMBOL_BITS
"""From here on: @ # : . where an address, a name or a tag may start."""

Glyphs = NDArray[np.uint16]


@cache
def glyph_of() -> Glyphs:
    """Glyph by code point."""
    table = read_table("glyphs")
    lengths = np.diff(table["starts"], append=np.uint32(0x110000)).astype(np.int64)
    return np.repeat(table["values"].astype(np.uint16), lengths)


@cache
def composed() -> NDArray[np.uint8]:
    """Latin symbol of a letter followed by a combining mark, by `symbol, mark - 0x300`; 0 where there is none."""
    table = read_table("glyphs")
    return table["composed"].astype(np.uint8)
