"""How Chinese characters sound, as toneless syllables in ASCII letters (ü is v)."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.tables import read_table
from moderation.text.tables import CODE_POINTS

_table = read_table("sounds")

names: tuple[str, ...] = ("", *_table["names"].tolist())
"""Syllables by number; 0 is no syllable."""

number: dict[str, int] = {name: at for at, name in enumerate(names)}
"""Numbers by syllable."""


def _by_code(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    spread = np.zeros(CODE_POINTS, np.uint16)
    spread[_table["codes"]] = values + np.uint16(1)
    return spread


syllable_of: NDArray[np.uint16] = _by_code(_table["first"])
"""The syllable that a character is mostly read as, by code point: an index into `names`."""

_second: NDArray[np.uint16] = _by_code(_table["second"])

# Digits as they sound, and emoji aside, what else stands for a syllable.
DIGITS = "零一二三四五六七八九"
_NUMERALS = dict(zip("零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖两", "001234567891234567892", strict=True))
WRITTEN = "0123456789" + "".join(_NUMERALS)
"""How digits are written, in ASCII and in Chinese."""
_NEAR = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


@lru_cache(maxsize=1 << 14)
def readings(character: str) -> tuple[str, ...]:
    """The syllables that a character is read as, the commonest first; none for what is no Chinese character."""
    code = ord(character)
    return tuple(dict.fromkeys(names[each] for each in (syllable_of[code], _second[code]) if each))


def digit_of(character: str) -> str | None:
    """The ASCII digit that a digit or a Chinese numeral stands for."""
    return character if character in "0123456789" else _NUMERALS.get(character)


_TO_DIGITS, _TO_NUMERALS = str.maketrans(_NUMERALS), str.maketrans("0123456789", DIGITS)


def in_digits(text: str) -> str:
    """A text with Chinese numerals as ASCII digits."""
    return text.translate(_TO_DIGITS)


def in_numerals(text: str) -> str:
    """A text with ASCII digits as Chinese numerals."""
    return text.translate(_TO_NUMERALS)


@cache
def near_class(syllable: str) -> frozenset[str]:
    """All syllables that are near this one, or near one that is."""
    found = {syllable}
    while more := {other for each in found for other in near(each) if other in number} - found:
        found |= more
    return frozenset(found)


@cache
def near(syllable: str) -> frozenset[str]:
    """The syllables that many speakers don't tell from this one, itself among them; only those that there are."""
    initials = {syllable}
    for one, other in _NEAR[:4]:
        for a, b in ((one, other), (other, one)):
            initials |= {
                b + each[len(a) :] for each in (syllable,) if each.startswith(a) and not each.startswith(a + "h")
            }
    finals = set(initials)
    for one, other in _NEAR[4:]:
        for a, b in ((one, other), (other, one)):
            finals |= {each[: -len(a)] + b for each in initials if each.endswith(a)}
    return frozenset(finals & {*names, syllable})
