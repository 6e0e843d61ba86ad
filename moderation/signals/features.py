"""What a linear classifier sees of a text: hashed n-grams of the folded view, orders by script, and how Chinese sounds.

- Latin letters, digits and signs: 4 code points, so that `stupid` is seen in `stupidity` and `ztupid`.
- Words of Latin letters, alone and by two.
- Of all but Latin letters (Han, kana, emoji, digits, signs …): one, and it with the next.
- Two of which the first is Han, by sound, so that 煞笔 is 傻逼.

A run of three or more of one character counts as one; a space or sign that parts two Han or kana is not seen. N-grams
may start or end on the edge of a text, never cross it.
Hashes are multilinear modulo 2^32 (Lemire and Kaser, "Strongly universal string hashing is fast", 2014), their top bits
the bucket; all that makes a bucket stands here, and `VERSION` changes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.sounds import syllable_of
from moderation.text.tables import CODE_POINTS

VERSION = 1
BITS = 18

MOST = 6
"""N-grams that may start at one code point: a digit begins letters, a character, a pair, a sound, a word and two."""

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Buckets = NDArray[np.uint32]

_LATIN_END, _WIDE_FROM = 0x250, 0x2E80

# What a code point is to the n-grams, as bits.
_EDGE, _LATIN, _LETTER, _WORD, _PARTING, _WIDE = (1 << bit for bit in range(6))


def _classes() -> NDArray[np.uint8]:
    classes = np.zeros(CODE_POINTS, np.uint8)
    classes[0] = _EDGE
    classes[:_LATIN_END] |= _LATIN
    classes[[ord(" "), *range(ord("a"), ord("z") + 1), *range(0xC0, _LATIN_END)]] |= _LETTER
    classes[[*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1), ord("'")]] |= _WORD
    classes[[ord(sign) for sign in " .*-_|/~+·"]] |= _PARTING
    classes[_WIDE_FROM:] = _WIDE
    return classes


_CLASSES = _classes()

_POINTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F], np.uint32)
_PAIRS = np.array([0x165667B1, 0xD3A2646D], np.uint32)
_SOUNDS = np.array([0xFD7046C5, 0xB55A4F09], np.uint32)
_WORDS = np.array([0x8DA6B343, 0xD8163841, 0xCB1AB31F], np.uint32)
_BASE = 0x01000193
_UNBASE = pow(_BASE, -1, 1 << 32)


@dataclass(frozen=True, slots=True)
class Text:
    """Rows ready to be cut into n-grams: row i is `codes[opens[i] + 1 : opens[i + 1]]`, between two edges (0).

    `classes` tell by code what it is. Of the view's codes, from `first` on, those at `kept` are left, if not all.
    """

    codes: Codes
    classes: NDArray[np.uint8]
    opens: Index
    first: int
    kept: Index | None

    def origin(self) -> Index:
        """The position in the view's codes that each code comes from."""
        return (np.arange(len(self.codes)) if self.kept is None else self.kept) + self.first


@dataclass(frozen=True, slots=True)
class Kind:
    """N-grams of one kind: their buckets, one by place, and where each ends, or how many code points it holds. Where no
    n-gram starts, the bucket is one beyond the last.
    """

    name: str
    bucket: Buckets
    end: Index | int


@dataclass(frozen=True, slots=True)
class Layer:
    """Places in a text that n-grams start at, in order (None: each position), and all kinds of n-grams at these."""

    at: Index | None
    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of one kind: where each starts and ends, and its bucket, in the order of the text."""

    kind: str
    start: Index
    end: Index
    bucket: Buckets


def text_of(codes: Codes, starts: Index) -> Text:
    """Rows of a view (row i is `codes[starts[i] : starts[i + 1] - 1]`, then one separator), long runs as one."""
    buffer, opens, first = (
        np.concatenate((_NOTHING, codes[starts[0] : starts[-1]])),
        starts - starts[0],
        int(starts[0]) - 1,
    )
    classes = _CLASSES.take(buffer)
    gone = _repeated(buffer)
    parting = _parting(classes, gone)
    if gone is None and not len(parting):
        return Text(buffer, classes, opens, first, None)
    stay = np.ones(len(buffer), np.bool_) if gone is None else ~gone
    stay[parting] = False
    kept = stay.nonzero()[0]
    return Text(buffer.take(kept), classes.take(kept), kept.searchsorted(opens), first, kept)


def _repeated(codes: Codes) -> NDArray[np.bool_] | None:
    """What has an equal neighbour before it and belongs to three or more in a row; None where there are no three."""
    same = codes[1:] == codes[:-1]
    triple = same[1:] & same[:-1]
    if not triple.any():
        return None
    inner = np.zeros(len(codes), np.bool_)
    inner[2:] = triple
    inner[1:-1] |= triple
    inner[1:] &= same
    inner &= codes != 0
    return inner


def _parting(classes: NDArray[np.uint8], gone: NDArray[np.bool_] | None) -> Index:
    """Where a sign, or several that count as one, stands between two characters that are written without spaces."""
    wide = (classes & _WIDE) != 0
    at: Index = (((classes[1:-1] & _PARTING) != 0) & wide[:-2]).nonzero()[0] + 1
    behind = at + 1
    if gone is not None and (long := gone[behind]).any():
        stay = (~gone).nonzero()[0]
        behind[long] = stay[stay.searchsorted(behind[long])]
    parting: Index = at[wide[behind]]
    return parting


def layers(text: Text, bits: int = BITS) -> list[Layer]:
    """All n-grams of all rows, side by side where they start at the same places."""
    codes, classes, shift, none = text.codes, text.classes, np.uint32(32 - bits), np.uint32(1 << bits)
    wide = ((classes & (_LETTER | _EDGE)) == 0).nonzero()[0]
    found = [Layer(None, (Kind("letters", _letters(codes, classes, shift, none), 4),))]
    if len(wide):
        found.append(Layer(wide, _wide(codes, wide, shift, none)))
    words = _by_word(text, shift, none)
    return [*found, words] if words is not None else found


def grams(text: Text, bits: int = BITS) -> list[Grams]:
    """All n-grams of all rows, kind by kind."""
    found = []
    for layer in layers(text, bits):
        for kind in layer.kinds:
            place = (kind.bucket < 1 << bits).nonzero()[0]
            start = place if layer.at is None else layer.at[place]
            end = start + kind.end if isinstance(kind.end, int) else kind.end[place]
            found.append(Grams(kind.name, start, end, kind.bucket[place]))
    return found


def _letters(codes: Codes, classes: NDArray[np.uint8], shift: np.uint32, none: np.uint32) -> Buckets:
    bucket = np.full(len(codes), none)
    size = len(codes) - 3
    if size > 0:
        hashed = codes[:size] * _POINTS[0]
        for place in (1, 2, 3):
            hashed += codes[place : size + place] * _POINTS[place]
        # An edge may be its first or its last, but does not stand within.
        torn = ((classes[1:-2] | classes[2:-1]) & _EDGE) != 0
        bucket[:size] = np.where(((classes[:size] & _LATIN) != 0) & ~torn, hashed >> shift, none)
    return bucket


def _wide(codes: Codes, at: Index, shift: np.uint32, none: np.uint32) -> tuple[Kind, ...]:
    first, second = codes.take(at), codes.take(at + 1)
    sound = syllable_of.take(first).astype(np.uint32)
    # What sounds is among these places: the next one has the next sound, if it stands right behind.
    heard = np.zeros_like(sound)
    heard[:-1] = np.where(at[1:] - at[:-1] == 1, sound[1:], 0)
    after = np.where(heard > 0, heard + np.uint32(CODE_POINTS), second)
    heard = np.where(sound > 0, (sound * _SOUNDS[0] + after * _SOUNDS[1]) >> shift, none)
    first = first * _PAIRS[0]
    return (
        Kind("character", (first ^ _POINTS[2]) >> shift, 1),
        Kind("pair", (first + second * _PAIRS[1]) >> shift, 2),
        Kind("sound", heard, 2),
    )


def _by_word(text: Text, shift: np.uint32, none: np.uint32) -> Layer | None:
    codes = text.codes
    inside = np.zeros(len(codes) + 1, np.bool_)
    inside[:-1] = (text.classes & _WORD) != 0
    bounds = (inside[1:] != inside[:-1]).nonzero()[0] + 1
    start, end = bounds[::2], bounds[1::2]
    if not start.size:
        return None
    powers, inverse = _powers(len(codes))
    summed = (codes * powers).cumsum(dtype=np.uint32)
    word = (summed[end - 1] - summed[start - 1]) * inverse[start] * _POINTS[0]
    both = np.full(len(word), none)
    both[:-1] = (word[:-1] * _WORDS[1] + word[1:] * _WORDS[2]) >> shift
    # The last word of a row goes with no other.
    both[start.searchsorted(text.opens[1:]) - 1] = none
    ends = np.append(end[1:], len(codes))
    return Layer(start, (Kind("word", (word * _WORDS[0]) >> shift, end), Kind("words", both, ends)))


def _powers(length: int) -> tuple[Codes, Codes]:
    size = max(1 << 15, 1 << (length - 1).bit_length())
    powers, inverse = _power_tables(size)
    return powers[:length], inverse


@cache
def _power_tables(size: int) -> tuple[Codes, Codes]:
    """base^i and base^-i modulo 2^32: with them a running sum gives the hash of any word, wherever it stands."""
    tables = []
    for base in (_BASE, _UNBASE):
        factors = np.full(size, base, np.uint32)
        factors[0] = 1
        tables.append(np.cumprod(factors, dtype=np.uint32))
    return tables[0], tables[1]


_NOTHING = np.zeros(1, np.uint32)
