"""Other spellings of a term: what tricks make of it that can't be undone in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import islice, product

import msgspec
import regex

from moderation.evasion import sounds
from moderation.evasion.joins import joined
from moderation.evasion.tables import read_lines, read_table
from moderation.evasion.tricks import ALWAYS_BIT, BIT
from moderation.evasion.words import is_chinese_word, is_english_word
from moderation.text.folding import fold_all

_STYLES = ("0123456789", sounds.DIGITS, "〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖")

MOST = {"splits": 6, "variants": 10, "reversed": 1, "initials": 16, "leet": 4, "masks": 4}
"""The most spellings of a term that a trick makes."""


VOWEL = "◌"
"""What stands in a spelling for a vowel that a sign stands for."""
VOWEL_SIGNS = frozenset("-_.%&^?~")
_LS = regex.compile("l+")
_TENS = regex.compile("(?<![0-9])[1-9][0-9](?![0-9])")
DIGITS = frozenset(sounds.WRITTEN)
"""Digits and Chinese numerals."""
_LONGEST_WORD = 12
_LETTERS = (("f", "ph"), ("u", "v"), ("w", "vv"))


class Spelling(msgspec.Struct, frozen=True, gc=False):
    """A term as it may be written: `text`, folded, by the tricks in `mask` (0: as it is). Of an `exact` one the
    characters themselves count, not how they sound.
    """

    text: str
    mask: int
    exact: bool


def spellings(term: str, mask: int) -> list[Spelling]:
    """The spellings of a folded term under the tricks of a mask, the term itself first."""
    found = {term: Spelling(term, 0, False)}
    for name, make in _MAKERS.items():
        if mask & BIT.get(name, ALWAYS_BIT.get(name, 0)):
            bit = BIT.get(name, 0)
            for text in islice(make(term), MOST[name]):
                found.setdefault(text, Spelling(text, bit, not text.isascii() and name != "masks"))
    return list(found.values())


def _splits(term: str) -> Iterator[str]:
    """Every character that falls apart taken apart, in all combinations: 强奸 gives 弓虽女干, 弓虽奸, 强女干.

    First those by parts that are not put together when a text is read: three of a character, or two that are a word.
    """
    parted = [_shapes().get(character, ((), ""))[0] for character in term]
    unjoined = [_unjoined(character, parts) for character, parts in zip(term, parted, strict=True)]
    for choices in (unjoined, parted):
        ways = ((*parts, character) for character, parts in zip(term, choices, strict=True))
        yield from (text for parts in product(*ways) if (text := "".join(parts)) != term)


@lru_cache(maxsize=1 << 12)
def _unjoined(character: str, parted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(parts for parts in parted if joined(parts) != character)


def _variants(term: str) -> Iterator[str]:
    """One character replaced by one that looks like it."""
    places = [(at, list(_shapes().get(character, ((), ""))[1])) for at, character in enumerate(term)]
    for depth in range(max((len(others) for _, others in places), default=0)):
        for at, others in places:
            if depth < len(others):
                yield term[:at] + others[depth] + term[at + 1 :]


def _reversed(term: str) -> Iterator[str]:
    """From last to first, unless that is an ordinary word."""
    text = term[::-1]
    ordinary = is_english_word(text) if text.isascii() else len(text) < 3 and is_chinese_word(text)
    if text != term and not ordinary and (len(term) > 3 or not text.isascii()):
        yield text


def _initials(term: str) -> Iterator[str]:
    """The listed abbreviations of the term, and of listed terms inside of it."""
    if _opening(_abbreviations).isdisjoint(term):
        return
    for long, short in _abbreviations().items():
        if long in term:
            yield from (term.replace(long, each) for each in short)


def _leet(term: str) -> Iterator[str]:
    """One Latin word with the letters that stand for others: phuck, slvt, vvhore, bitchez."""
    if not (term.isascii() and term.isalpha() and 3 < len(term) <= _LONGEST_WORD):
        return
    made = (term.replace(letter, other) for letter, other in _LETTERS)
    ends = (term[:-1] + "z",) if term.endswith("s") else ()
    yield from (each for each in (*made, *ends) if each != term and not is_english_word(each))


def _vowelless(term: str) -> Iterator[str]:
    """One Latin word without one of its vowels, as in f_ck. Whether a sign stands there is seen when it is found."""
    if term.isascii() and term.isalpha() and 3 < len(term) <= _LONGEST_WORD:
        yield from (f"{term[:at]}{VOWEL}{term[at + 1 :]}" for at, each in enumerate(term) if at and each in "aeiou")


_MAKERS = {
    "masks": _vowelless,
    "leet": _leet,
    "splits": _splits,
    "variants": _variants,
    "reversed": _reversed,
    "initials": _initials,
}


@cache
def _shapes() -> dict[str, tuple[tuple[str, ...], str]]:
    """By character: the texts of its parts, and the characters that look like it."""
    table = read_table("shapes")
    columns = zip(table["characters"].tolist(), table["splits"].tolist(), table["lookalikes"].tolist(), strict=True)
    return {character: (tuple(splits.split()), alike) for character, splits, alike in columns}


def is_one_apart(text: str) -> bool:
    """Whether a text is one character taken apart: 言身寸 is 谢."""
    return text in _parts()


@cache
def _parts() -> frozenset[str]:
    return frozenset(parts for splits, _ in _shapes().values() for parts in splits)


@cache
def _abbreviations() -> dict[str, tuple[str, ...]]:
    """By what is abbreviated, the longest first."""
    return dict(sorted(_listed("initials.txt").items(), key=lambda each: len(each[0]), reverse=True))


@lru_cache(maxsize=1 << 12)
def is_pun(text: str, term: str) -> bool:
    """Whether a text is a listed pun on a term, or on the part of it that is not written plainly."""
    puns = _puns()
    return any(long in term and text in {term.replace(long, short) for short in puns[long]} for long in puns)


@lru_cache(maxsize=1 << 14)
def has_puns(term: str) -> bool:
    """Whether any pun on a term is listed."""
    return not _opening(_puns).isdisjoint(term) and any(long in term for long in _puns())


@cache
def _puns() -> dict[str, tuple[str, ...]]:
    return _listed("puns.txt")


@cache
def _opening(table: Callable[[], Mapping[str, object]]) -> frozenset[str]:
    """With what the texts of a table begin: most terms hold none of it."""
    return frozenset(text[0] for text in table())


def _listed(name: str) -> dict[str, tuple[str, ...]]:
    """By the first text of each line of a table the others, folded."""
    lines = [line.split() for line in read_lines(name)]
    folded = iter(fold_all([text for texts in lines for text in texts]))
    return {next(folded): tuple(islice(folded, len(others))) for _, *others in lines}


def in_other_digits(text: str) -> list[str]:
    """A folded text with its digits and Chinese numerals in other styles: 18, 一八, 壹捌, 十八."""
    if DIGITS.isdisjoint(text):
        return []
    digits = {at: digit for at, character in enumerate(text) if (digit := sounds.digit_of(character))}
    styles = (
        "".join(style[int(digits[at])] if at in digits else each for at, each in enumerate(text)) for style in _STYLES
    )
    tens = _TENS.sub(lambda match: _in_tens(match[0]), text)
    return [each for each in dict.fromkeys((*styles, tens)) if each != text]


def _in_tens(digits: str) -> str:
    """Two digits as they are said: 十八, 二十."""
    first, second = (sounds.DIGITS[int(each)] for each in digits)
    return ("" if digits[0] == "1" else first) + "十" + ("" if digits[1] == "0" else second)


def also_written(text: str) -> Iterator[str]:
    """A spelling, and what digits and letters that look like one another make of it."""
    yield text
    if not DIGITS.isdisjoint(text):
        yield sounds.in_digits(text)
        yield sounds.in_numerals(text)
    if "l" in text and len(set(text)) > 3:
        yield text.replace("l", "i")
        runs = [run.span() for run in _LS.finditer(text)]
        if len(runs) > 1:
            yield from (text[:start] + "i" * (end - start) + text[end:] for start, end in runs)
