"""Folded texts made plainer for the classifier: what evaders put between or in place of Chinese characters is undone.

A run of three or more of one character counts as one; a space or sign that parts two Chinese characters or kana is not
seen; a character that was taken apart (弓虽女干) stands whole; and pinyin, apart or joined, stands as the syllables that
it spells, one symbol each. Only rows in which letters follow each other as they do in pinyin are looked at for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.tables import read_table
from moderation.evasion.words import is_english_word
from moderation.text.tables import CODE_POINTS

FIRST_SYLLABLE = 0x10F000
"""The symbol of syllable n (an index into `sounds.names`) is this and n: code points that nobody has a meaning for."""

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Looks = NDArray[np.uint8]

_WIDE_FROM = 0x2E80
_PARTING = " .*-_|/~+·"

# What a first look tells of a code point: letters; those that only a vowel (or h) may follow in pinyin; what is neither
# vowel nor h; signs that part; first and second parts of characters; letters and digits of words.
LETTER, NEEDS_VOWEL, NO_VOWEL, _PARTS, OPENS, CLOSES, IN_WORD = (1 << bit for bit in range(7))

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


@dataclass(frozen=True, slots=True)
class _Edits:
    """What becomes of a buffer: code points that are others, and places that fall away. `last` is where what stands
    at `at` ends, `first` where it begins.
    """

    at: Index
    codes: Codes
    first: Index
    last: Index
    dropped: Index


def text_of(codes: Codes, starts: Index, traced: bool = False) -> Text:
    """Ready the rows of a view (row i is `codes[starts[i] : starts[i + 1] - 1]`, then one separator).

    Where each code point comes from is told only if `traced`.
    """
    begins = int(starts[0]) - 1
    buffer = codes[begins : starts[-1]] if begins >= 0 else np.concatenate((_EDGE, codes[: starts[-1]]))
    opens: Index = starts - starts[0]
    edits = _edits(buffer, looks().take(buffer), opens)
    origin = np.arange(begins, begins + len(buffer)) if traced else _NOWHERE
    last = origin
    if edits.at.size:
        buffer = buffer.copy()
        buffer[edits.at] = edits.codes
        if traced:
            last = origin.copy()
            last[edits.at] = origin[edits.last]
            origin[edits.at] = origin[edits.first]
    if edits.dropped.size:
        keep = np.ones(len(buffer), np.bool_)
        keep[edits.dropped] = False
        dropped = keep.size - np.count_nonzero(keep)
        opens = opens - (~keep).nonzero()[0].searchsorted(opens) if dropped else opens
        buffer = buffer[keep]
        origin, last = (origin[keep], last[keep]) if traced else (origin, last)
    return Text(buffer, opens, origin, last)


def _edits(buffer: Codes, look: Looks, opens: Index) -> _Edits:
    apart, pairs, composed = _apart(buffer, look), *_taken_apart(buffer, look)
    runs = [
        (int(opens[row]) + 1, run)
        for row in _like_pinyin(look, opens).tolist()
        for run in pinyin_in(_string(buffer[int(opens[row]) + 1 : int(opens[row + 1])]))
    ]
    if not runs:
        return _Edits(pairs, composed, pairs, pairs + 1, np.concatenate((apart, pairs + 1)))
    at, symbols, first, last, dropped = [], [], [], [], []
    for base, run in runs:
        start = base + run.start
        dropped.extend(range(start + len(run.syllables), base + run.end))
        for place, (syllable, opening, closing) in enumerate(run.syllables):
            at.append(start + place)
            symbols.append(FIRST_SYLLABLE + syllable)
            first.append(base + opening)
            last.append(base + closing - 1)
    return _Edits(
        np.concatenate((pairs, at)).astype(np.int64),
        np.concatenate((composed, symbols)).astype(np.uint32),
        np.concatenate((pairs, first)).astype(np.int64),
        np.concatenate((pairs + 1, last)).astype(np.int64),
        np.concatenate((apart, pairs + 1, dropped)).astype(np.int64),
    )


def _apart(buffer: Codes, look: Looks) -> Index:
    """Where signs stand between Chinese characters, and all but the first of three or more of one character."""
    wide = buffer >= _WIDE_FROM
    between = wide[:-2] & wide[2:] & (look[1:-1] & _PARTS != 0)
    same = buffer[1:] == buffer[:-1]
    triple = same[1:] & same[:-1]
    if not triple.any():
        return between.nonzero()[0] + 1
    again = np.zeros(len(buffer), np.bool_)
    again[2:] = triple
    again[1:-1] |= triple
    again[1:-1] |= between
    found: Index = (again & (buffer != 0)).nonzero()[0]
    return found


def _taken_apart(buffer: Codes, look: Looks) -> tuple[Index, Codes]:
    """Where characters begin that were taken apart, and these: not where the parts are said for themselves."""
    pairs = ((look[:-1] << 1) & look[1:] & CLOSES != 0).nonzero()[0]
    keys, composed, known = _compositions()
    first, second = buffer[pairs], buffer[pairs + 1]
    pairs = pairs[known.take(_mixed(first, second))]
    wanted = (buffer[pairs].astype(np.int64) << 21) | buffer[pairs + 1]
    place = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    exact = keys[place] == wanted
    # Of two that share a character, the first.
    exact[1:] &= ~((pairs[1:] == pairs[:-1] + 1) & exact[:-1])
    return pairs[exact], composed[place[exact]]


def _mixed(first: Codes, second: Codes) -> Codes:
    mixed: Codes = (first * np.uint32(0x9E3779B1) + second * np.uint32(0x85EBCA77)) >> np.uint32(32 - _KNOWN_BITS)
    return mixed


def _like_pinyin(look: Looks, opens: Index) -> Index:
    """The rows in which letters follow each other as they do in pinyin, all but a few."""
    letters = np.add.reduceat(look & LETTER, opens[:-1], dtype=np.uint32)
    strange = np.add.reduceat((look[:-1] << 1) & look[1:] & NO_VOWEL, opens[:-1], dtype=np.uint32)
    rows: Index = ((letters >= _LEAST_LETTERS) & (strange * _TOLERATED <= letters * NO_VOWEL)).nonzero()[0]
    return rows


def _string(codes: Codes) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Run:
    """A word of pinyin with the space behind it, [start, end): its syllables by number, each with where it stands."""

    start: int
    end: int
    syllables: tuple[tuple[int, int, int], ...]


def pinyin_in(text: str) -> list[Run]:
    """The words of pinyin in a folded text, if its Latin words are pinyin, nearly all, and not all of them English."""
    found = list(_WORD.finditer(text))
    read = [(each, syllables_of(each[1])) for each in found]
    spelled = [each for each, syllables in read if syllables]
    letters = sum(len(each[1]) for each in spelled)
    foreign = sum(len(each[1]) for each in spelled if not is_english_word(each[1]))
    if letters * 4 < 3 * sum(len(each[1]) for each in found) or foreign * 5 < 2 * letters or foreign < 2:
        return []
    runs = []
    for each, syllables in read:
        if syllables:
            start = each.start(1)
            # Behind it a space falls away where more Chinese follows.
            end = each.end() if _CHINESE.match(text, each.end()) or syllables_follow(text, each.end()) else each.end(1)
            runs.append(Run(start, end, tuple((number, start + a, start + b) for number, a, b in syllables)))
    return runs


def syllables_follow(text: str, at: int) -> bool:
    """Whether a word of pinyin starts there."""
    word = _WORD.match(text, at)
    return word is not None and bool(syllables_of(word[1]))


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
_WORD = re.compile(r"([a-z][a-z0-9']*)[ '.*_-]*")
_CHINESE = re.compile("[\u3400-\u9fff]")


@cache
def looks() -> Looks:
    """By code point, what a first look tells."""
    found = np.zeros(CODE_POINTS, np.uint8)
    found[:] = NO_VOWEL
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    _set(found, letters, LETTER | IN_WORD)
    _set(found, "0123456789'", IN_WORD)
    _set(found, [each for each in letters if each not in "aeiouvngr"], NEEDS_VOWEL)
    _set(found, _PARTING, _PARTS)
    found[[ord(each) for each in "aeiouvh"]] &= 0xFF ^ NO_VOWEL
    keys, _, _ = _compositions()
    found[keys >> 21] |= OPENS
    found[keys & 0x1FFFFF] |= CLOSES
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
_ORDINARY = frozenset(
    "女生 女方 女子 不用 不正 人为 人人 二十 人士 户口 一旦 心中 中心 老子 上下 一大 一小 广大 十八 十一 十二 水军 "
    "门口 山区 大力 了一 人一 才是 不一 人有 人可 人多 人我 一米 从一 一一 大可".split()
)
"""Pairs that are said far oftener than written for one character."""

_EDGE = np.zeros(1, np.uint32)
_NOWHERE = np.zeros(0, np.int64)
