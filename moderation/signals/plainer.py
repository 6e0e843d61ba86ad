"""Folded texts made plainer for the classifier: what evaders put between or in place of Chinese characters is undone.

A run of three or more of one character counts as one; a space or sign that parts two Chinese characters or kana is not
seen; a character that was taken apart (弓虽女干) stands whole; and pinyin, apart or joined, stands as the syllables
that it spells, one symbol each. Only rows in which letters follow each other as in pinyin are looked at for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.tables import read_table
from moderation.evasion.words import common_characters, is_english_word
from moderation.text.tables import CODE_POINTS

FIRST_SYLLABLE = 0x10F000
"""The symbol of syllable n (an index into `sounds.names`) is this and n: code points that nobody has a meaning for."""

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Looks = NDArray[np.uint8]

_WIDE_FROM = 0x2E80
_PARTING = " .*-_|/~+·"

# What a first look tells of a code point: letters; those that only a vowel (or h) may follow in pinyin; what is neither
# vowel nor h; first and second parts of characters; Chinese characters and all beyond; signs that part; parts that are
# seldom said for themselves. Three of these have what may follow them as the next higher bit: see `_pairs`.
LETTER, NEEDS_VOWEL, NO_VOWEL, OPENS, CLOSES, WIDE, PARTS, RARE = (1 << bit for bit in range(8))

_LEAST_LETTERS = 4
_TOLERATED = 12
"""Of so many letters one may stand where pinyin has none."""


@dataclass(frozen=True, slots=True)
class Text:
    """Rows ready to be cut into n-grams: row i is `codes[opens[i] + 1 : opens[i + 1]]`, between two edges (0).

    `codes[j]` stands for what the view has from `origin[j]` to `last[j]`, where that was asked for.
    """

    codes: Codes
    opens: Index
    origin: Index
    last: Index


def text_of(codes: Codes, starts: Index, traced: bool = False) -> Text:
    """Ready the rows of a view (row i is `codes[starts[i] : starts[i + 1] - 1]`, then one separator).

    Where each code point comes from is told only if `traced`.
    """
    begins = int(starts[0]) - 1
    buffer = codes[begins : starts[-1]] if begins >= 0 else np.concatenate((_EDGE, codes[: starts[-1]]))
    origin = np.arange(begins, begins + len(buffer)) if traced else _NOWHERE
    text = Text(buffer, starts - starts[0], origin, origin)
    look = looks().take(buffer.astype(np.intp), mode="wrap")
    pairs = _pairs(look)
    rows = _like_pinyin(look, pairs, text.opens)
    text = _without(text, *_taken_apart(buffer, look, pairs), *_apart(buffer, pairs))
    return _respelled(text, rows) if rows.size else text


def _pairs(look: Looks) -> Looks:
    """NEEDS_VOWEL where no vowel follows, OPENS where a second part follows, WIDE where a sign that parts follows."""
    pairs: Looks = look[1:] >> np.uint8(1)
    pairs &= look[:-1]
    return pairs


def _without(text: Text, pairs: Index, composed: Codes, *apart: Index) -> Text:
    """A text whose characters that were taken apart are whole, and in which nothing parts what belongs together."""
    codes, origin, last = text.codes, text.origin, text.last
    traced = bool(origin.size)
    if pairs.size:
        codes = codes.copy()
        codes[pairs] = composed
        if traced:
            last = last.copy()
            last[pairs] = origin[pairs + 1]
    elif not any(each.size for each in apart):
        return text
    keep = np.ones(len(codes), np.bool_)
    for places in (pairs + 1, *apart):
        keep[places] = False
    opens = text.opens - (~keep).nonzero()[0].searchsorted(text.opens)
    return Text(codes[keep], opens, origin[keep] if traced else origin, last[keep] if traced else last)


def _respelled(text: Text, rows: Index) -> Text:
    """A text of which these rows, if they are pinyin, are spelled in syllables."""
    pieces: list[tuple[Any, ...]] = []
    longer = np.zeros(len(text.opens), np.int64)
    done, traced = 0, bool(text.origin.size)
    for row in rows.tolist():
        start, end = int(text.opens[row]) + 1, int(text.opens[row + 1])
        found = in_syllables(_string(text.codes[start:end]), traced)
        if found is None:
            continue
        pieces += [_part(text, done, start), _spelling(text, start, found) if traced else (_codes(found.text),)]
        longer[row + 1] = len(found.text) - (end - start)
        done = end
    if not pieces:
        return text
    pieces.append(_part(text, done, len(text.codes)))
    joined = [np.concatenate(each) for each in zip(*pieces, strict=True)]
    codes, origin, last = joined if traced else (joined[0], text.origin, text.last)
    return Text(codes, text.opens + longer.cumsum(), origin, last)


def _part(text: Text, start: int, end: int) -> tuple[Any, ...]:
    """A stretch of a text's columns: of those that it has."""
    if not text.origin.size:
        return (text.codes[start:end],)
    return text.codes[start:end], text.origin[start:end], text.last[start:end]


def _spelling(text: Text, start: int, found: Spelled) -> tuple[Any, ...]:
    """The columns of a row that is spelled in syllables."""
    places = np.array(found.places, np.int64).reshape(-1, 2) + start
    return _codes(found.text), text.origin[places[:, 0]], text.last[places[:, 1]]


def _apart(buffer: Codes, pairs: Looks) -> tuple[Index, Index, Index]:
    """Where signs stand between Chinese characters, and all but the first of three or more of one character."""
    signs = ((pairs & WIDE) != 0).nonzero()[0] + 1
    if signs.size:
        signs = signs[buffer[signs + 1] >= _WIDE_FROM]
    same = buffer[1:] == buffer[:-1]
    triple = same[1:] & same[:-1]
    if not triple.any():
        return signs, _NOWHERE, _NOWHERE
    again = triple.nonzero()[0] + 1
    again = again[buffer[again] != 0]
    return signs, again, again + 1


def _taken_apart(buffer: Codes, look: Looks, both: Looks) -> tuple[Index, Codes]:
    """Where characters begin that were taken apart, and these: not where the parts are said for themselves."""
    # One of the two is seldom said for itself.
    flags = look[:-1] | look[1:]
    flags >>= np.uint8(4)
    flags &= both
    pairs = ((flags & OPENS) != 0).nonzero()[0]
    if not pairs.size:
        return _NOWHERE, _NO_CODES
    keys, composed, known = _compositions()
    first, second = buffer[pairs], buffer[pairs + 1]
    pairs = pairs[known.take(_mixed(first, second))]
    if not pairs.size:
        return _NOWHERE, _NO_CODES
    wanted = (buffer[pairs].astype(np.int64) << 21) | buffer[pairs + 1]
    place = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    exact = keys[place] == wanted
    # Of two that share a character, the first.
    exact[1:] &= ~((pairs[1:] == pairs[:-1] + 1) & exact[:-1])
    return pairs[exact], composed[place[exact]]


def _mixed(first: Codes, second: Codes) -> Codes:
    mixed: Codes = (first * np.uint32(0x9E3779B1) + second * np.uint32(0x85EBCA77)) >> np.uint32(32 - _KNOWN_BITS)
    return mixed


def _like_pinyin(look: Looks, pairs: Looks, opens: Index) -> Index:
    """The rows in which letters follow each other as they do in pinyin, all but a few."""
    counted = look & LETTER
    foreign = pairs & NEEDS_VOWEL
    foreign *= _TOLERATED // NEEDS_VOWEL
    counted[:-1] -= foreign
    number = np.add.reduceat(counted.view(np.int8), opens[:-1], dtype=np.int32)
    rows: Index = (number >= _LEAST_LETTERS).nonzero()[0]
    return rows


def _string(codes: Codes) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A word, or a text, in syllables: `places[i]` are the first and the last place that `text[i]` was written at.

    `letters` counts all Latin letters of it, `read` those in pinyin, `foreign` those of pinyin that is no English word.
    """

    text: str
    places: tuple[tuple[int, int], ...]
    letters: int = 0
    read: int = 0
    foreign: int = 0


def in_syllables(text: str, traced: bool = True) -> Spelled | None:
    """A folded text in syllables, if its Latin words are pinyin, nearly all, and not most of them English."""
    total = sum(map(_counted, text.split(" ")))
    foreign, read, letters = total >> 2 * _COUNT, (total >> _COUNT) & _COUNT_MASK, total & _COUNT_MASK
    if foreign < 3 or foreign * 5 < read * 2 or read * 4 < 3 * letters:
        return None
    words = [_spelled(word) for word in text.split(" ")]
    joined = " ".join([each.text for each in words])
    places = _places(text, words, joined) if traced else ()
    return Spelled(_BETWEEN.sub("", joined), places, 0, read, foreign)


@lru_cache(maxsize=1 << 15)
def _counted(word: str) -> int:
    """`letters`, `read` and `foreign` of a word in one number: most texts are no pinyin, and their sums say so."""
    found = _spelled(word)
    return (found.foreign << 2 * _COUNT) + (found.read << _COUNT) + found.letters


def _places(text: str, words: Sequence[Spelled], joined: str) -> tuple[tuple[int, int], ...]:
    places: list[tuple[int, int]] = []
    at = 0
    for each, word in zip(words, text.split(" "), strict=True):
        places += [(at + first, at + last) for first, last in each.places]
        at += len(word) + 1
        places.append((at - 1, at - 1))
    gone = {each.start() for each in _BETWEEN.finditer(joined)}
    return tuple(place for number, place in enumerate(places[:-1]) if number not in gone)


@lru_cache(maxsize=1 << 15)
def _spelled(word: str) -> Spelled:
    """What stands between two spaces, pinyin in it in syllables."""
    text, places, done = "", [], 0
    letters = read = foreign = 0
    for run in _LETTERS.finditer(word):
        syllables = syllables_of(run[0])
        letters += len(run[0])
        text += word[done : run.start()]
        places += [(at, at) for at in range(done, run.start())]
        done = run.end()
        if not syllables:
            text += run[0]
            places += [(at, at) for at in range(*run.span())]
            continue
        read += len(run[0])
        foreign += 0 if is_english_word(run[0]) else len(run[0])
        text += "".join([chr(FIRST_SYLLABLE + number) for number, _, _ in syllables])
        places += [(run.start() + first, run.start() + last - 1) for _, first, last in syllables]
    places += [(at, at) for at in range(done, len(word))]
    return Spelled(text + word[done:], tuple(places), letters, read, foreign)


@lru_cache(maxsize=1 << 15)
def syllables_of(word: str) -> tuple[tuple[int, int, int], ...]:
    """The fewest syllables that spell a word, tone digits and apostrophes aside; none if it is no pinyin.

    Each is its number and where it stands, [start, end).
    """
    if len(word) > _LONGEST_WORD:
        return ()
    best: list[tuple[tuple[int, int, int], ...] | None] = [None] * len(word) + [()]
    for at in range(len(word) - 1, -1, -1):
        for end in range(min(at + 6, len(word)), at, -1):
            number = sounds.number.get(word[at:end])
            if number is None:
                continue
            behind = end + (end < len(word) and word[end] in "12345")
            behind += behind < len(word) - 1 and word[behind] == "'"
            rest = best[behind]
            if rest is not None and (best[at] is None or len(rest) + 1 < len(best[at] or ())):
                best[at] = ((number, at, behind), *rest)
    return best[0] or ()


_LONGEST_WORD = 60
_COUNT = 32
_COUNT_MASK = (1 << _COUNT) - 1
_LETTERS = re.compile(r"[a-z][a-z0-9']*")
_WIDE = "[\u3400-\u9fff\U0010f000-\U0010ffff]"
_BETWEEN = re.compile(f"(?<={_WIDE})[ '.*_-](?={_WIDE})")


@cache
def looks() -> Looks:
    """By code point, what a first look tells."""
    found = np.zeros(CODE_POINTS, np.uint8)
    found[:] = NO_VOWEL
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    found[_WIDE_FROM:] |= WIDE
    _set(found, letters, LETTER)
    _set(found, [each for each in letters if each not in "aeiouvngr"], NEEDS_VOWEL)
    _set(found, _PARTING, PARTS)
    found[[ord(each) for each in "aeiouvh"]] &= 0xFF ^ NO_VOWEL
    keys, _, _ = _compositions()
    found[keys >> 21] |= OPENS
    found[keys & 0x1FFFFF] |= CLOSES
    found[(keys >> 21)[~common_characters()[keys >> 21]]] |= RARE
    found[(keys & 0x1FFFFF)[~common_characters()[keys & 0x1FFFFF]]] |= RARE
    found[[ord(each) for each in _OFTEN_APART]] |= RARE
    return found


def _set(table: Looks, characters: Iterable[str], flag: int) -> None:
    table[[ord(each) for each in characters]] |= flag


@cache
def _compositions() -> tuple[Index, Codes, NDArray[np.bool_]]:
    """Two characters in one number, ascending; the character that they are the parts of; which hashes may be there."""
    table = read_table("shapes")
    found: dict[int, int] = {}
    # The commonest characters come first.
    for character, splits in zip(table["characters"].tolist(), table["splits"].tolist(), strict=True):
        for parts in splits.split():
            if len(parts) == 2 and parts not in _ORDINARY:
                found.setdefault((ord(parts[0]) << 21) | ord(parts[1]), ord(character))
    keys = np.array(sorted(found), np.int64)
    known = np.zeros(1 << _KNOWN_BITS, np.bool_)
    known[_mixed((keys >> 21).astype(np.uint32), (keys & 0x1FFFFF).astype(np.uint32))] = True
    return keys, np.array([found[key] for key in keys.tolist()], np.uint32), known


_KNOWN_BITS = 18
_SAID = (
    "女生 女方 女子 不用 不正 人为 人人 二十 人士 户口 一旦 心中 中心 老子 上下 一大 一小 广大 十八 十一 十二 水军 "
    "门口 山区 大力 了一 人一 才是 不一 人有 人可 人多 人我 一米 从一 一一 大可"
)
_ORDINARY = frozenset(_SAID.split())
"""Pairs that are said far oftener than written for one character."""

_OFTEN_APART = "女"
"""Common for itself, and what many cloaked words begin with."""

_EDGE = np.zeros(1, np.uint32)
_NOWHERE = np.zeros(0, np.int64)
_NO_CODES = np.zeros(0, np.uint32)
