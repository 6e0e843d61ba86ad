"""Letters and signs that are taken for Latin letters by their looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.tables import read_table
from moderation.text.tables import CODE_POINTS

# Signs and digits that are written for letters; what they are read as inside of a Latin word only.
LEET = {
    "0": "o", "1": "i", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "+": "t", "€": "e", "£": "l", "¥": "y", "¢": "c", "(": "c", "¡": "i",
    "₳": "a", "฿": "b", "₿": "b", "₵": "c", "₡": "c", "₣": "f", "₲": "g", "₭": "k", "₺": "l", "₥": "m", "₦": "n",
    "₱": "p", "₽": "p", "₴": "s", "§": "s", "₮": "t", "₸": "t", "₩": "w",
}  # fmt: skip


def _by_code(pairs: list[tuple[int, int]]) -> NDArray[np.uint8]:
    letters = np.zeros(CODE_POINTS, np.uint8)
    for code, letter in pairs:
        letters[code] = letter
    return letters


_glyphs = read_table("glyphs")

glyph_of: NDArray[np.uint8] = _by_code(list(zip(_glyphs["codes"].tolist(), _glyphs["letters"].tolist(), strict=True)))
"""The ASCII letter that a letter as written (not folded) is taken for, by code point; 0 for none."""

loose_glyph: NDArray[np.bool_] = np.zeros(CODE_POINTS, np.bool_)
loose_glyph[_glyphs["loose"]] = True
"""Letters that look like their Latin letter only beside others that are Latin: к, н, я."""

leet_of: NDArray[np.uint8] = _by_code([(ord(sign), ord(letter)) for sign, letter in LEET.items()])
"""The ASCII letter that a digit or sign stands for, by code point; 0 for none."""
