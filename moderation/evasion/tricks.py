"""The tricks of evasion by name: what each does, and the bit that stands for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Trick(NamedTuple):
    """One trick: its name in `resist` and `via`, what it does, and a text that is read as a term by it."""

    name: str
    does: str
    text: str
    term: str


TRICKS: tuple[Trick, ...] = (
    Trick("separators", "spaces, punctuation, emoji or line breaks between the characters", "f.u.c.k", "fuck"),
    Trick("repeats", "characters written several times", "fuuuuck", "fuck"),
    Trick("homoglyphs", "letters of other scripts, or modified ones, that look like Latin letters", "fuсk", "fuck"),
    Trick("leet", "digits and signs for letters", "sh1t", "shit"),
    Trick("masks", "asterisks over some of the characters", "f*ck", "fuck"),
    Trick("homophones", "Chinese characters that sound alike, tones aside", "薇信", "微信"),
    Trick(
        "near-homophones",
        "syllables that many speakers don't tell apart: zh z, ch c, sh s, n l, ang an",
        "弱字",
        "弱智",
    ),
    Trick("pinyin", "syllables in Latin letters, with tones or without, among characters or not", "ni妈", "你妈"),
    Trick("initials", "abbreviations that everybody knows, from a list", "加vx", "加微信"),
    Trick("splits", "characters taken apart", "弓虽女干", "强奸"),
    Trick("variants", "Chinese characters that look alike", "徽信", "微信"),
    Trick("emoji", "emoji for what they show, or for how it sounds", "🌶🐔", "垃圾"),
    Trick("reversed", "characters from last to first", "kcuf", "fuck"),
    Trick("encoded", "base64", "6K+35Yqg5b6u5L+h6IGK", "加微信"),
)
NAMES: tuple[str, ...] = tuple(trick.name for trick in TRICKS)
BIT: Mapping[str, int] = {name: 1 << at for at, name in enumerate(NAMES)}
"""The bit of each trick in a mask."""

# Seen through whatever `resist` says: how a digit is written, text that a control character turns around, and letters
# in characters that nobody sees.
ALWAYS: tuple[str, ...] = ("digits", "bidi", "tags")
ALWAYS_BIT: Mapping[str, int] = {name: 1 << (len(NAMES) + at) for at, name in enumerate(ALWAYS)}
ALWAYS_MASK = sum(ALWAYS_BIT.values())
HIDDEN_MASK = ALWAYS_BIT["bidi"] | ALWAYS_BIT["tags"] | BIT["encoded"]
"""The tricks that hide a text within another."""


def mask_of(names: Iterable[str]) -> int:
    """The mask of some tricks."""
    return sum(BIT[name] for name in set(names))


def names_of(mask: int) -> tuple[str, ...]:
    """The names in a mask, in the order of the table."""
    return tuple(name for name, bit in (*BIT.items(), *ALWAYS_BIT.items()) if mask & bit)
