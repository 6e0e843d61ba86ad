"""What a linear classifier sees of a text: hashed n-grams of the folded view, read by script and as Chinese sounds.

At every place stand two n-grams:

- from a Latin letter on: four code points, so that `stupid` is seen in `stupidity` and `ztupid`, and five;
- from a Chinese character on: itself, and its syllable and the next one's, so that 煞笔 and `sha bi` are 傻逼;
- from anything else on (digits, signs, kana, emoji …): itself, and it and the next.

In all but what stands for itself, one digit is like another. The edge before a text says how long it is.

N-grams may start or end on the edge of a text, never cross it. `moderation.signals.plainer` readies texts for them.

A character's bucket is its code point. The other hashes are multilinear modulo 2^32 (Lemire and Kaser, "Strongly
universal string hashing is fast", 2014), their top bits the bucket. What is beyond the last bucket counts again from
the first. All that makes a bucket stands here and there, and `VERSION` changes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from string import digits, punctuation

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.evasion.sounds import names as syllables
from moderation.evasion.sounds import syllable_of
from moderation.signals.plainer import FIRST_SYLLABLE, Text, text_of
from moderation.text.lists import constant, steps
from moderation.text.tables import CODE_POINTS

VERSION = 4
BITS = 18

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]

__all__ = ["BITS", "VERSION", "Grams", "Places", "Text", "grams", "places_of", "text_of"]

_LATIN_END = 0x250
_FIRST, _SECOND = constant(0xFD7046C5, np.uint32), constant(0xB55A4F09, np.uint32)
_FACTOR = constant(0xFF, np.uint32)
# Where nobody has characters.
_FIRST_LENGTH, _LENGTHS, _ALIKE = (constant(each, np.int64) for each in (0x10E000, 60, 16))
_ONE = constant(1, np.int64)


class Places(msgspec.Struct, frozen=True, eq=False, gc=False):
    """By place in `Text.codes` but the last: the buckets of both n-grams that start there. The first may lie beyond the
    last bucket, and is to be taken modulo their number.
    """

    one: Index
    other: Index


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of one kind, to tell of: where each starts and ends in `Text.codes`, and its bucket."""

    kind: str
    start: Index
    end: Index
    bucket: Index


def places_of(text: Text, bits: int = BITS) -> Places:
    """The buckets of all places, in a few steps over the whole buffer."""
    opens, shift = text.opens, constant(32 - bits, np.uint32)
    one = text.codes.astype(np.intp)
    ids = _ids().take(one, mode="wrap")
    hashed = ids[:-1] * _FIRST
    hashed += ids[1:] * _SECOND
    factor = ids & _FACTOR
    # Nothing reaches over an edge.
    edges = opens[1:] - _ONE
    factor[edges] = 0
    edges -= _ONE
    factor[edges] = 0
    factor = factor[:-3]
    hashed[:-2] += hashed[2:] * factor
    factor *= hashed[1:-1]
    factor >>= shift
    one[:-3] += factor
    lengths = steps(opens) // _ALIKE
    np.minimum(lengths, _LENGTHS, out=lengths)
    lengths += _FIRST_LENGTH
    one[opens[:-1]] = lengths
    hashed >>= shift
    return Places(one[:-1], hashed.astype(np.intp))


def grams(text: Text, bits: int = BITS) -> list[Grams]:
    """All n-grams of all rows, kind by kind: length, character, letters, sound, pair."""
    places, number = places_of(text, bits), len(text.codes) - 1
    codes, at = text.codes[:-1], np.arange(number)
    heard, edge = _syllables().take(codes) > 0, codes == 0
    # Short of room, a letter stands for itself.
    room = text.opens[np.searchsorted(text.opens, at, "right")] + 1 - at
    letter = (_ids().take(codes) & _FACTOR > 0) & (room > 3)
    five = letter & ~edge
    kinds = (
        ("length", edge, 1, places.one),
        ("character", ~(edge | five), 1, places.one),
        ("letters", five, np.minimum(room, 5), places.one),
        ("letters", letter, 4, places.other),
        ("sound", heard, 2, places.other),
        ("pair", ~(letter | heard), 2, places.other),
    )
    return [
        Grams(kind, at[chosen], np.minimum(at + length, number)[chosen], bucket[chosen] & ((1 << bits) - 1))
        for kind, chosen, length, bucket in kinds
    ]


@cache
def _syllables() -> NDArray[np.uint32]:
    """By code point the number of its syllable; 0 for none."""
    found = syllable_of.astype(np.uint32)
    found[FIRST_SYLLABLE : FIRST_SYLLABLE + len(syllables)] = np.arange(len(syllables))
    return found


@cache
def _ids() -> NDArray[np.uint32]:
    """By code point what stands for it in the hash of an n-gram: for characters of one sound the same.

    The lowest eight bits are what the third code point of an n-gram and those behind it count if this is its first: 0,
    so that they count nothing, for all but Latin letters. Digits are all alike.
    """
    codes, sounds = np.arange(CODE_POINTS, dtype=np.uint32), _syllables()
    ids: NDArray[np.uint32] = np.where(sounds > 0, sounds + np.uint32(FIRST_SYLLABLE), codes)
    ids = _mixed(ids) << np.uint32(8)
    ids[:_LATIN_END] |= (_mixed(codes[:_LATIN_END]) & _FACTOR) | np.uint32(1)
    ids[[ord(each) for each in digits + punctuation]] &= ~_FACTOR
    ids[[ord(each) for each in digits]] = ids[ord("0")]
    return ids


def _mixed(codes: Codes) -> Codes:
    """Code points, no two of them alike, as numbers of 23 bits, no two of them alike."""
    mask, mixed = np.uint32((1 << 23) - 1), codes
    for factor, shift in ((0x9E3779B1, 11), (0x85EBCA77, 12), (0xC2B2AE3D, 11)):
        mixed = (mixed * np.uint32(factor)) & mask
        mixed ^= mixed >> np.uint32(shift)
    return mixed
