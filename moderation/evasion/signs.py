"""Signs that together draw a letter: fuc|<, \\/\\/hore, c()ck."""

from __future__ import annotations

import numpy as np
import regex
from numpy.typing import NDArray

from moderation.evasion.glyphs import LEET
from moderation.text.lists import holding
from moderation.text.views import View

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]

DRAWN = {
    "\\/\\/": "w", "|\\/|": "m", "/\\/\\": "m", "|v|": "m", "|\\|": "n", "|_|": "u", "(_)": "u", "|-|": "h", "]-[": "h",
    ")-(": "h", "}{": "h", "/-\\": "a", "/\\": "a", "\\/": "v", "|<": "k", "|{": "k", "|=": "f", "|)": "d", "|]": "d",
    "|>": "p", "()": "o", "[]": "o", "{}": "o", "<>": "o", "><": "x", "|_": "l", "_|": "j", "|3": "b", "|2": "r",
}  # fmt: skip
STROKES = frozenset("".join(DRAWN)) - frozenset("v23")
"""What letters are drawn with."""
OPENING = "|\\([{<>]})"
"""With what a drawn letter begins, or what stands in it at least."""

_PIECES = "|".join(map(regex.escape, sorted(DRAWN, key=len, reverse=True)))
# Beside a letter, or beside another sign that stands for one.
_SIGNS = "a-z0-9" + "".join(map(regex.escape, sorted(LEET.keys() | STROKES)))
_LETTER = regex.compile(rf"(?<=[{_SIGNS}])(?:{_PIECES})|(?:{_PIECES})(?=[{_SIGNS}])")
# A bracket that nobody closes: (unt.
_OPEN = regex.compile(r"(?<!\S)\((?=[abd-z][a-z])(?![^)]*\))")
_FOLLOWING = np.array([ord(sign) for sign in ")]}>_-{[(<"], np.uint32)
_STRONG = np.array([ord(sign) for sign in "|\\"], np.uint32)


def with_drawn_letters(view: View, codes: Codes, places: Index) -> Codes:
    """Codes of a whole view, drawn letters in all places of their signs; `places` are where `OPENING` signs stand."""
    if not len(places):
        return codes
    first, second = codes[places], codes[places + 1]
    open_bracket = (first == ord("(")) & (((second - ord("a")) < 26) | (second == ord("_")))
    worth = np.isin(first, _STRONG) | open_bracket | (np.isin(second, _FOLLOWING) & (first != second))
    rows = holding(view.starts, places[worth])
    found = codes
    for row in rows.tolist():
        start, end = int(view.starts[row]), int(view.starts[row + 1]) - 1
        text = codes[start:end].tobytes().decode("utf-32-le", "surrogatepass")
        for match in (*_LETTER.finditer(text), *_OPEN.finditer(text)):
            found = codes.copy() if found is codes else found
            found[start + match.start() : start + match.end()] = ord(DRAWN.get(match[0], "c"))
    return found
