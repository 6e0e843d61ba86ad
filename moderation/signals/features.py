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

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]

_LATIN_END = 0x250
_WORD = np.zeros(_LATIN_END, np.bool_)
_WORD[[*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1), ord("'")]] = True
_LETTER = np.zeros(_LATIN_END, np.bool_)
_LETTER[[ord(" "), *range(ord("a"), ord("z") + 1), *range(0xC0, _LATIN_END)]] = True

_WIDE = 0x2E80
_PARTING = np.zeros(_LATIN_END, np.bool_)
_PARTING[[ord(sign) for sign in " .*-_|/~+·"]] = True

_POINTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F], np.uint32)
_PAIRS = np.array([0x165667B1, 0xD3A2646D], np.uint32)
_SOUNDS = np.array([0xFD7046C5, 0xB55A4F09], np.uint32)
_WORDS = np.array([0x8DA6B343, 0xD8163841, 0xCB1AB31F], np.uint32)
_BASE = 0x01000193
_UNBASE = pow(_BASE, -1, 1 << 32)


@dataclass(frozen=True, slots=True)
class Text:
    """Rows ready to be cut into n-grams: row i is `codes[opens[i] + 1 : opens[i + 1]]`, between two edges (0).

    `origin[j]` is the position in the view's codes that `codes[j]` comes from.
    """

    codes: Codes
    opens: Index
    origin: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of one kind: where each starts and how many code points it holds, its bucket, and by row how many there
    are. `width` 0 means words: `ends` tells where they end. They stand in the order of the text.
    """

    kind: str
    start: Index
    end: Index
    bucket: NDArray[np.uint32]


def text_of(codes: Codes, starts: Index) -> Text:
    """Rows of a view (row i is `codes[starts[i] : starts[i + 1] - 1]`, then one separator), long runs as one."""
    buffer = np.concatenate((_EDGE, codes[starts[0] : starts[-1]]))
    same = buffer[1:] == buffer[:-1]
    origin = np.arange(starts[0] - 1, starts[-1], dtype=np.int32)
    opens: Index = starts - starts[0]
    triple = same[1:] & same[:-1]
    if triple.any():
        # In a run, whatever has an equal neighbour before it and belongs to three goes.
        inner = np.zeros(len(buffer), np.bool_)
        inner[2:] = triple
        inner[1:-1] |= triple
        inner[1:] &= same
        inner &= buffer != 0
        buffer, opens, origin = _kept(~inner, buffer, opens, origin)
    wide = buffer >= _WIDE
    apart = np.flatnonzero(wide[:-2] & wide[2:] & ~wide[1:-1]) + 1
    apart = apart[_PARTING.take(np.minimum(buffer[apart], _LATIN_END - 1))]
    if apart.size:
        keep = np.ones(len(buffer), np.bool_)
        keep[apart] = False
        buffer, opens, origin = _kept(keep, buffer, opens, origin)
    return Text(buffer, opens, origin)


def _kept(
    keep: NDArray[np.bool_], buffer: Codes, opens: Index, origin: NDArray[np.int32]
) -> tuple[Codes, Index, NDArray[np.int32]]:
    return buffer[keep], np.cumsum(keep)[opens] - 1, origin[keep]


def grams(text: Text, bits: int = BITS) -> list[Grams]:
    """All n-grams of all rows, kind by kind."""
    codes = text.codes
    shift = np.uint32(32 - bits)
    edge = codes == 0
    latin = codes < _LATIN_END
    letter = latin & _LETTER.take(np.minimum(codes, _LATIN_END - 1))
    found = [*_latin(codes, latin, edge, shift), *_wide(codes, np.flatnonzero(~(letter | edge)), shift)]
    return [*found, *_by_word(codes, text.opens, shift)]


def _latin(codes: Codes, latin: NDArray[np.bool_], edge: NDArray[np.bool_], shift: np.uint32) -> list[Grams]:
    if len(codes) < 4:
        return []
    hashed = codes[:-3] * _POINTS[0]
    for place in (1, 2, 3):
        hashed += codes[place : len(codes) - 3 + place] * _POINTS[place]
    whole = latin[:-3] & ~(edge[1:-2] | edge[2:-1])
    start = np.flatnonzero(whole)
    return [Grams("letters", start, start + 4, hashed[start] >> shift)]


def _wide(codes: Codes, at: Index, shift: np.uint32) -> list[Grams]:
    if not at.size:
        return []
    first, second = codes[at], codes[at + 1]
    sound = syllable_of.take(first).astype(np.uint32)
    han = np.flatnonzero(sound)
    heard, after = sound[han], second[han]
    next_sound = syllable_of.take(after).astype(np.uint32)
    after = np.where(next_sound > 0, next_sound + np.uint32(CODE_POINTS), after)
    return [
        Grams("character", at, at + 1, (first * _PAIRS[0] ^ _POINTS[2]) >> shift),
        Grams("pair", at, at + 2, (first * _PAIRS[0] + second * _PAIRS[1]) >> shift),
        Grams("sound", at[han], at[han] + 2, (heard * _SOUNDS[0] + after * _SOUNDS[1]) >> shift),
    ]


def _by_word(codes: Codes, opens: Index, shift: np.uint32) -> list[Grams]:
    inside = np.zeros(len(codes) + 1, np.bool_)
    inside[:-1] = _WORD.take(np.minimum(codes, _LATIN_END - 1))
    bounds = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    start, end = bounds[::2], bounds[1::2]
    if not start.size:
        return []
    powers, inverse = _powers(len(codes))
    summed = np.cumsum(codes * powers, dtype=np.uint32)
    word = (summed[end - 1] - summed[start - 1]) * inverse[start] * _POINTS[0]
    row = np.searchsorted(opens, start)
    both = np.flatnonzero(row[1:] == row[:-1])
    return [
        Grams("word", start, end, (word * _WORDS[0]) >> shift),
        Grams("words", start[both], end[both + 1], (word[both] * _WORDS[1] + word[both + 1] * _WORDS[2]) >> shift),
    ]


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


_EDGE = np.zeros(1, np.uint32)
