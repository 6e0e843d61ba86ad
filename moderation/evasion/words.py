"""Words and characters that are common in ordinary posts: what reads as one of them is seldom a cloaked term."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.tables import read_table
from moderation.text.segmenter import cut
from moderation.text.tables import CODE_POINTS

SEVERAL = 3
"""More common characters than this in a row say something of their own seldom enough."""

PARTICLES = frozenset("了的是着过给吗呢吧啊也都就他她")
"""Words of one character that stand beside everything: what else stands there says nothing by them."""


def word_key(word: str) -> int:
    """A word as a number of 32 bits: a table of numbers holds fifty thousand words in little room."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "little")


@lru_cache(maxsize=1 << 14)
def is_chinese_word(text: str) -> bool:
    """Whether a text is one word of the segmenter's dictionary."""
    return len(text) > 1 and not text.isascii() and len(cut(text)) == 1


def is_english_word(text: str) -> bool:
    """Whether a text is a common English word of at most twelve letters."""
    return _holds("english", text)


@lru_cache(maxsize=1 << 14)
def sounds_like_another(syllables: str, term: str) -> bool:
    """Whether a common Chinese word sounds so, and more people mean it than the term: `dama` is the aunt next door."""
    at = _place("spoken", syllables)
    return at is not None and int(_table()["spoken_word"][at]) != word_key(term)


def spoken(text: str) -> str:
    """The syllables of Chinese characters in a row; other characters as they are."""
    from moderation.evasion.sounds import readings

    return "".join((readings(character) or (character,))[0] for character in text)


@lru_cache(maxsize=1 << 14)
def _holds(name: str, word: str) -> bool:
    return _place(name, word) is not None


def _place(name: str, word: str) -> int | None:
    keys = _table()[name]
    key = np.uint32(word_key(word))
    at = int(np.searchsorted(keys, key))
    return at if at < len(keys) and bool(keys[at] == key) else None


@cache
def common_characters() -> NDArray[np.bool_]:
    """Which code points are among the five hundred commonest Chinese characters."""
    common = np.zeros(CODE_POINTS, np.bool_)
    common[_table()["characters"].astype(np.int64)] = True
    return common


@cache
def _table() -> dict[str, NDArray[np.uint32]]:
    return read_table("words")
