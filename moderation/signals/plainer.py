"""Folded texts made plainer for the classifier: what evaders put between or in place of Chinese characters is undone.

A run of three or more of one character counts as one; a space or sign that parts two Chinese characters or kana is not
seen; a character that was taken apart (弓虽女干) stands whole; and pinyin, apart or joined, stands as the syllables
that it spells, one symbol each. Only rows in which letters follow each other as in pinyin are looked at for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.tables import read_table
from moderation.evasion.words import common_characters, is_english_word
from moderation.text.lists import all_true, constant, ranges
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
SAME = LETTER
_LETTER_BIT, _NEEDS_VOWEL_BIT, _WIDE_BIT = (constant(bit, np.uint8) for bit in (LETTER, NEEDS_VOWEL, WIDE))
_OPENS_BIT, _OPENS_OR_WIDE, _NEXT, _FOURTH = (constant(each, np.uint8) for each in (OPENS, OPENS | WIDE, 1, 4))
_PLACE = constant(1, np.int64)

_LEAST_LETTERS = constant(4, np.int32)
_TOLERATED = 12
"""Of so many letters one may stand where pinyin has none."""
_AGAINST = constant(_TOLERATED // NEEDS_VOWEL, np.uint8)


class Text(msgspec.Struct, frozen=True, eq=False, gc=False):
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
    begins, ends = int(starts[0]) - 1, int(starts[-1])
    buffer = np.zeros(ends - begins, np.uint32)
    buffer[int(begins < 0) :] = codes[max(begins, 0) : ends]
    origin = np.arange(begins, ends) if traced else _NOWHERE
    opens = starts - starts[0] if begins >= 0 else starts
    look = looks().take(buffer.astype(np.intp), mode="wrap")
    pairs = _pairs(look)
    edits = _Edits(buffer, origin, origin.copy() if traced else origin)
    edits.mend(_events(buffer, look, pairs))
    rows = _like_pinyin(look, pairs, opens)
    if rows.size:
        edits.respell(opens[rows] + 1, opens[rows + 1] + 1)
    return edits.text(opens)


def _pairs(look: Looks) -> Looks:
    """NEEDS_VOWEL where no vowel follows, OPENS where a second part follows, WIDE where a sign that parts follows."""
    pairs: Looks = look[1:] >> _NEXT
    pairs &= look[:-1]
    return pairs


def _events(buffer: Codes, look: Looks, pairs: Looks) -> Looks:
    """OPENS where a character may have been taken apart, WIDE before a sign that parts, SAME before two of the same."""
    events = look[1:-1] | look[:-2]
    # One of the two parts is seldom said for itself; behind the sign stands what it parts from.
    events >>= _FOURTH
    events |= look[2:] & _WIDE_BIT
    events &= pairs[:-1]
    events &= _OPENS_OR_WIDE
    same = buffer[1:] == buffer[:-1]
    again = same[1:] & same[:-1]
    events |= again.view(np.uint8)
    return events


class _Edits:
    """What becomes of the code points of a buffer: they are overwritten in place, or not kept."""

    def __init__(self, codes: Codes, origin: Index, last: Index) -> None:
        self.codes, self.origin, self.last = codes, origin, last
        self.keep: NDArray[np.bool_] | None = None

    def drop(self, places: Index) -> None:
        """Don't keep these."""
        if self.keep is None:
            self.keep = all_true(len(self.codes))
        self.keep[places] = False

    def mend(self, events: Looks) -> None:
        """Make whole what was taken apart, and drop what parts what belongs together, and what only comes again."""
        places = events.astype(np.bool_).nonzero()[0]
        if not places.size:
            return
        found = events.take(places)
        pairs, composed = _taken_apart(self.codes, _of(places, found, _OPENS_BIT))
        again = _of(places, found, _LETTER_BIT) + _PLACE
        if again.size:
            again = again[self.codes[again] != 0]
            self.drop(again)
            self.drop(again + _PLACE)
        parting = _of(places, found, _WIDE_BIT) + _PLACE
        if parting.size:
            self.drop(parting)
        if pairs.size:
            self.drop(pairs + 1)
            self.codes[pairs] = composed
            if self.last.size:
                self.last[pairs] = self.origin[pairs + 1]

    def respell(self, starts: Index, ends: Index) -> None:
        """Write these rows, from `starts` to behind an edge at each of `ends`, in syllables where they are pinyin."""
        places = ranges(starts, ends)
        if self.keep is not None:
            places = places[self.keep[places]]
        traced, done = bool(self.origin.size), 0
        texts = _string(self.codes[places[:-1]]).split("\0")
        for text, start, end in zip(texts, starts.tolist(), ends.tolist(), strict=True):
            found = in_syllables(text, traced)
            if found is not None:
                self._write(found, start, end - 1, places[done : done + len(text)])
            done += len(text) + 1

    def _write(self, found: Spelled, start: int, end: int, kept: Index) -> None:
        """Write what was found from `start` on; the rest is dropped. `kept` are the places of what was read."""
        behind = start + len(found.text)
        if self.origin.size:
            first, last = kept[np.array(found.places, np.int64).reshape(-1, 2)].T
            self.origin[start:behind], self.last[start:behind] = self.origin[first], self.last[last]
        self.codes[start:behind] = _codes(found.text)
        if self.keep is None:
            self.keep = all_true(len(self.codes))
        self.keep[start:behind] = True
        self.keep[behind:end] = False

    def text(self, opens: Index) -> Text:
        """The text that is left."""
        codes, origin, last, keep = self.codes, self.origin, self.last, self.keep
        if keep is None:
            return Text(codes, opens, origin, last)
        opens = opens - (~keep).nonzero()[0].searchsorted(opens)
        return Text(codes[keep], opens, origin[keep] if origin.size else origin, last[keep] if last.size else last)


def _of(places: Index, found: Looks, bit: Looks) -> Index:
    return places[(found & bit).astype(np.bool_)]


def _taken_apart(buffer: Codes, pairs: Index) -> tuple[Index, Codes]:
    """Of these places, those where characters begin that were taken apart, and these: not where the parts are said for
    themselves.
    """
    if not pairs.size:
        return pairs, _NO_CODES
    keys, composed, known = _compositions()
    pairs = pairs[known.take(_mixed(buffer[pairs], buffer[pairs + 1]))]
    if not pairs.size:
        return pairs, _NO_CODES
    wanted = (buffer[pairs].astype(np.int64) << 21) | buffer[pairs + 1]
    place = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    exact = keys[place] == wanted
    # Of two that share a character, the first.
    exact[1:] &= ~((pairs[1:] == pairs[:-1] + 1) & exact[:-1])
    return pairs[exact], composed[place[exact]]


def _mixed(first: Codes, second: Codes) -> Codes:
    mixed: Codes = first * _FIRST_FACTOR
    mixed += second * _SECOND_FACTOR
    mixed >>= _TO_KNOWN
    return mixed


def _like_pinyin(look: Looks, pairs: Looks, opens: Index) -> Index:
    """The rows in which letters follow each other as they do in pinyin, all but a few."""
    counted = look & _LETTER_BIT
    foreign = pairs & _NEEDS_VOWEL_BIT
    foreign *= _AGAINST
    counted[:-1] -= foreign
    letters = np.add.reduceat(counted.view(np.int8), opens[:-1], dtype=np.int32)
    rows: Index = (letters >= _LEAST_LETTERS).nonzero()[0]
    return rows


def _string(codes: Codes) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


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
    numbers, spelled = zip(*map(_words.__getitem__, text.split(" ")), strict=True)
    total = sum(numbers)
    foreign, read, letters = total >> 2 * _COUNT, (total >> _COUNT) & _COUNT_MASK, total & _COUNT_MASK
    if foreign < 3 or foreign * 5 < read * 2 or read * 4 < 3 * letters:
        return None
    joined = " ".join(spelled)
    places = _places(text, joined) if traced else ()
    return Spelled(_BETWEEN.sub("", joined), places, 0, read, foreign)


class _Words(dict[str, tuple[int, str]]):
    """By word `letters`, `read` and `foreign` in one number, and how it is spelled in syllables."""

    def __missing__(self, word: str) -> tuple[int, str]:
        found = _spelled(word)
        if len(self) >= _REMEMBERED:
            self.clear()
        told = (found.foreign << 2 * _COUNT) + (found.read << _COUNT) + found.letters, found.text
        if len(word) <= _LONGEST_KEPT:
            self[word] = told
        return told


def _places(text: str, joined: str) -> tuple[tuple[int, int], ...]:
    places: list[tuple[int, int]] = []
    at = 0
    for word in text.split(" "):
        places += [(at + first, at + last) for first, last in _spelled(word).places]
        at += len(word) + 1
        places.append((at - 1, at - 1))
    gone = {each.start() for each in _BETWEEN.finditer(joined)}
    return tuple(place for number, place in enumerate(places[:-1]) if number not in gone)


@lru_cache(maxsize=1 << 10)
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


@lru_cache(maxsize=1 << 10)
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


_REMEMBERED = 1 << 15
_words = _Words()
_LONGEST_WORD, _LONGEST_KEPT = 300, 60
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
_FIRST_FACTOR, _SECOND_FACTOR, _TO_KNOWN = (
    constant(each, np.uint32) for each in (0x9E3779B1, 0x85EBCA77, 32 - _KNOWN_BITS)
)
_SAID = (
    "女生 女方 女子 不用 不正 人为 人人 二十 人士 户口 一旦 心中 中心 老子 上下 一大 一小 广大 十八 十一 十二 水军 "
    "门口 山区 大力 了一 人一 才是 不一 人有 人可 人多 人我 一米 从一 一一 大可"
)
_ORDINARY = frozenset(_SAID.split())
"""Pairs that are said far oftener than written for one character."""

_OFTEN_APART = "女"
"""Common for itself, and what many cloaked words begin with."""

_NOWHERE = np.zeros(0, np.int64)
_NO_CODES = np.zeros(0, np.uint32)
