"""What a linear classifier sees of a text: hashed n-grams of the folded view, read by script and as Chinese sounds.

At every place stand two n-grams: the character itself, and a longer one, which is

- from a Latin letter, digit or sign on: four code points, so that `stupid` is seen in `stupidity` and `ztupid`;
- from a Chinese character on: its syllable and the next one's, so that 煞笔 and `sha bi` are 傻逼;
- from anything else on (kana, emoji …): it and the next.

Words of Latin letters and digits count besides, by their first and last four code points, alone and with the next.
N-grams may start or end on the edge of a text, never cross it. `moderation.signals.plainer` readies texts for them.

Hashes are multilinear modulo 2^32 (Lemire and Kaser, "Strongly universal string hashing is fast", 2014), their top bits
the bucket; all that makes a bucket stands here and there, and `VERSION` changes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.sounds import names as syllables
from moderation.evasion.sounds import syllable_of
from moderation.signals.plainer import FIRST_SYLLABLE, IN_WORD, Text, looks, text_of
from moderation.text.tables import CODE_POINTS

VERSION = 2
BITS = 18

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]

__all__ = ["BITS", "VERSION", "Grams", "Places", "Text", "Words", "grams", "places_of", "text_of", "words_of"]

_LATIN_END = 0x250
_POINTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F], np.uint32)
_SOUNDS = np.array([0xFD7046C5, 0xB55A4F09], np.uint32)
_WORDS = np.array([0x8DA6B343, 0xD8163841, 0xCB1AB31F, 0x165667B1], np.uint32)
_CHARACTER = np.uint32(0xD3A2646D)


@dataclass(frozen=True, slots=True)
class Places:
    """By place in `Text.codes` but the last: the buckets of the character and of the n-gram that start there, and the
    hash of the latter; whether a word goes on (not 0) or not.
    """

    single: Index
    several: Index
    hashed: Codes
    in_word: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Words:
    """Words in the order of the text, [start, end), the bucket of each, and that of it with the next word of its row
    (or with the end of the row).
    """

    start: Index
    end: Index
    alone: Index
    paired: Index


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of one kind, to tell of: where each starts and ends in `Text.codes`, and its bucket."""

    kind: str
    start: Index
    end: Index
    bucket: Index


def places_of(text: Text, bits: int = BITS) -> Places:
    """The buckets of all places, in a few steps over the whole buffer."""
    codes, shift = text.codes, np.uint32(32 - bits)
    parts = _parts().take(codes).view(np.uint32).reshape(-1, 2)
    hashed = parts[:-1, 0] + parts[1:, 1]
    if len(codes) > 3:
        hashed[: len(codes) - 3] += _rest(codes, text.opens)
    single = codes[:-1] * _CHARACTER
    in_word = (parts[:, 0] & 1).astype(np.uint8)
    return Places((single >> shift).astype(np.intp), (hashed >> shift).astype(np.intp), hashed, in_word)


def _rest(codes: Codes, opens: Index) -> Codes:
    """What the third and fourth code point add to the n-gram of a place: nothing but for Latin, nor over an edge."""
    rest: Codes = codes[2:-1] * _POINTS[2]
    rest += codes[3:] * _POINTS[3]
    # All ones for Latin, all zeros for others.
    latin = (codes[: len(rest)].view(np.int32) - _LATIN_END) >> 31
    rest &= latin.view(np.uint32)
    ends = opens[1:]
    for before in (1, 2):
        places = ends - before
        rest[places[places < len(rest)]] = 0
    return rest


def words_of(text: Text, places: Places, bits: int = BITS) -> Words:
    """All words: the n-grams at both of their ends tell them, and those at the beginning of two in a row."""
    shift = np.uint32(32 - bits)
    inside = places.in_word
    bounds = (inside[1:] != inside[:-1]).nonzero()[0]
    start, end = bounds[::2] + 1, bounds[1::2] + 1
    head = places.hashed.take(start)
    tail = places.hashed.take(np.maximum(end - 3, start - 1))
    following = np.empty_like(head)
    following[:-1] = head[1:]
    # The last word of a row has none behind it.
    last = start.searchsorted(text.opens[1:]) - 1
    following[last[last >= 0]] = 0
    alone, paired = head * _WORDS[0] + tail * _WORDS[1], head * _WORDS[2] + following * _WORDS[3]
    return Words(start, end, (alone >> shift).astype(np.intp), (paired >> shift).astype(np.intp))


def grams(text: Text, bits: int = BITS) -> list[Grams]:
    """All n-grams of all rows, kind by kind: character, letters, sound, pair, word, words."""
    places = places_of(text, bits)
    words = words_of(text, places, bits)
    number = len(text.codes) - 1
    at = np.arange(number)
    wide = _steps(text)
    kinds = [
        Grams("character", at, np.minimum(at + 1, number), places.single),
        *(_kind(name, at, wide, number, places, chosen) for name, chosen in _by_kind(text).items()),
    ]
    last = np.append(words.end[1:], words.end[-1:])
    same = np.searchsorted(text.opens, words.start, "right")
    joined = np.append(same[1:] == same[:-1], np.zeros(min(1, len(same)), np.bool_))
    both = np.where(joined, last, words.end)
    return [
        *kinds,
        Grams("word", words.start, words.end, words.alone),
        Grams("words", words.start, both, words.paired),
    ]


def _kind(name: str, at: Index, width: Index, number: int, places: Places, chosen: NDArray[np.bool_]) -> Grams:
    start = at[chosen]
    return Grams(name, start, np.minimum(start + width[chosen], number), places.several[chosen])


def _by_kind(text: Text) -> dict[str, NDArray[np.bool_]]:
    codes = text.codes[:-1]
    latin, heard = codes < _LATIN_END, _syllables().take(codes) > 0
    return {"letters": latin, "sound": heard, "pair": ~(latin | heard)}


def _steps(text: Text) -> Index:
    """How many code points the longer n-gram of each place covers."""
    return np.where(text.codes[:-1] < _LATIN_END, 4, 2)


@cache
def _syllables() -> NDArray[np.uint32]:
    """By code point the number of its syllable; 0 for none."""
    found = syllable_of.astype(np.uint32)
    found[FIRST_SYLLABLE : FIRST_SYLLABLE + len(syllables)] = np.arange(len(syllables))
    return found


@cache
def _parts() -> NDArray[np.uint64]:
    """What a code point adds to the hash of an n-gram as its first (low half) and as its second (high half)."""
    sounds, codes = _syllables(), np.arange(CODE_POINTS, dtype=np.uint32)
    both = np.empty((CODE_POINTS, 2), np.uint32)
    for place in (0, 1):
        both[:, place] = np.where(sounds > 0, sounds * _SOUNDS[place], codes * _POINTS[place])
    # The lowest bit decides no bucket: it says whether this is a letter or digit of a word.
    both[:, 0] &= ~np.uint32(1)
    both[:, 0] |= (looks() & IN_WORD) != 0
    return both.view(np.uint64).ravel()
