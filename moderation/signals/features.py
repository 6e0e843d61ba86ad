"""What a linear classifier sees of a text: hashed n-grams of the folded view, read by script and as Chinese sounds.

At every place stand two n-grams: the character itself, and a longer one, which is

- from a Latin letter, digit or sign on: four code points, so that `stupid` is seen in `stupidity` and `ztupid`;
- from a Chinese character on: its syllable and the next one's, so that 煞笔 and `sha bi` are 傻逼;
- from anything else on (kana, emoji …): it and the next.

Words of Latin letters and digits count besides, by their first and last four code points, alone and with the next.
N-grams may start or end on the edge of a text, never cross it. `moderation.signals.plainer` readies texts for them.

A character's bucket is its code point, what is beyond the last bucket again from the first. The other hashes are
multilinear modulo 2^32 (Lemire and Kaser, "Strongly universal string hashing is fast", 2014), their top bits the
bucket. All that makes a bucket stands here and there, and `VERSION` changes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.sounds import names as syllables
from moderation.evasion.sounds import syllable_of
from moderation.signals.plainer import FIRST_SYLLABLE, Text, text_of
from moderation.text.tables import CODE_POINTS

VERSION = 3
BITS = 18

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]

__all__ = ["BITS", "VERSION", "Grams", "Places", "Text", "Words", "grams", "places_of", "text_of", "words_of"]

_LATIN_END = 0x250
_FIRST, _SECOND = np.uint32(0xFD7046C5), np.uint32(0xB55A4F09)
_WORDS = np.array([0x8DA6B343, 0xD8163841, 0xCB1AB31F, 0x165667B1], np.uint32)
_WORD = "abcdefghijklmnopqrstuvwxyz0123456789'"
_IN_WORD, _FACTOR = np.uint32(1 << 31), np.uint32(0xFF)


@dataclass(frozen=True, slots=True)
class Places:
    """By place in `Text.codes` but the last: the buckets of the character and of the n-gram that start there, and the
    hash of the latter; whether it stands in a word.
    """

    single: Index
    several: Index
    hashed: Codes
    in_word: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Words:
    """Words in the order of the text, [start, end), the bucket of each, and that of it with the next word of its row
    (or with the end of the row). Row i has the words from `bounds[i]` to `bounds[i + 1]`.
    """

    bounds: Index
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
    at = text.codes.astype(np.intp)
    ids = _ids().take(at, mode="wrap")
    hashed = ids[:-1] * _FIRST
    hashed += ids[1:] * _SECOND
    factor = ids & _FACTOR
    # Nothing reaches over an edge.
    ends = text.opens[1:]
    factor[ends - 1] = 0
    factor[ends - 2] = 0
    hashed[:-2] += hashed[2:] * factor[:-3]
    in_word = ids.view(np.int32) < 0
    return Places(at[:-1] & ((1 << bits) - 1), _buckets(hashed, bits), hashed, in_word)


def words_of(text: Text, places: Places, bits: int = BITS) -> Words:
    """All words: the n-grams at both of their ends tell them, and those at the beginning of two in a row."""
    inside = places.in_word
    edges = (inside[1:] != inside[:-1]).nonzero()[0]
    start, end = edges[::2] + 1, edges[1::2] + 1
    bounds = start.searchsorted(text.opens)
    if not start.size:
        return Words(bounds, start, end, start, start)
    head = places.hashed.take(start)
    tail = places.hashed.take(np.maximum(end - 3, start - 1))
    following = np.empty_like(head)
    following[:-1] = head[1:]
    # The last word of a row has none behind it.
    following[bounds[1:] - 1] = 0
    alone, paired = head * _WORDS[0] + tail * _WORDS[1], head * _WORDS[2] + following * _WORDS[3]
    return Words(bounds, start, end, _buckets(alone, bits), _buckets(paired, bits))


def _buckets(hashed: Codes, bits: int) -> Index:
    return (hashed >> np.uint32(32 - bits)).astype(np.intp)


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
def _ids() -> NDArray[np.uint32]:
    """By code point what stands for it in the hash of an n-gram: for characters of one sound the same.

    The highest bit says whether this is a letter or digit of a word. The lowest eight are what the third and fourth
    code point of an n-gram count if this is its first: 0, so that they count nothing, for all but Latin.
    """
    codes, sounds = np.arange(CODE_POINTS, dtype=np.uint32), _syllables()
    ids: NDArray[np.uint32] = np.where(sounds > 0, sounds + np.uint32(FIRST_SYLLABLE), codes)
    ids = _mixed(ids) << np.uint32(8)
    ids[:_LATIN_END] |= (_mixed(codes[:_LATIN_END]) & _FACTOR) | np.uint32(1)
    ids[[ord(each) for each in _WORD]] |= _IN_WORD
    return ids


def _mixed(codes: Codes) -> Codes:
    """Code points, no two of them alike, as numbers of 23 bits, no two of them alike."""
    mask, mixed = np.uint32((1 << 23) - 1), codes
    for factor, shift in ((0x9E3779B1, 11), (0x85EBCA77, 12), (0xC2B2AE3D, 11)):
        mixed = (mixed * np.uint32(factor)) & mask
        mixed ^= mixed >> np.uint32(shift)
    return mixed
