"""Terms with signs over some of their characters: f*ck, s**t, k*ll yourself, 傻*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import regex
from numpy.typing import NDArray

from moderation.evasion.glyphs import leet_of
from moderation.evasion.reading import GAP, SYLLABLE, Reading, kind, kind_of
from moderation.evasion.reading import MASK_SIGNS as MASKS
from moderation.evasion.tricks import BIT
from moderation.evasion.words import common_characters
from moderation.text.batch import joined
from moderation.text.lists import holding

Index = NDArray[np.int64]
Numbers = tuple[tuple[int, int], ...]

_LONGEST = 40
_AROUND = 9
_WORDS = 4
_LETTER = regex.compile(r"[\p{L}\p{N}]")
_FROM_SIGN = regex.compile(rf"[{MASKS}][\p{{L}}\p{{N}}{MASKS}]*+")
_BEFORE = regex.compile(r"[a-z0-9']+ (?=(?:[a-z0-9']+ )*$)")
_AFTER = regex.compile(r" [a-z0-9']+")
_RUN = regex.compile(f"[{MASKS}]+")
_HAN = regex.compile(r"\p{Han}")
_SIGNS = frozenset(MASKS)
_NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class MaskedTerms:
    """The numbers of the terms that are looked for, each with the tricks that it resists; the terms by length; and by
    length, place and the character there, as far as anybody has asked yet.
    """

    numbers: Mapping[str, Numbers]
    by_length: Mapping[int, Sequence[str]]
    by_place: dict[tuple[int, int], Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Mapping[int, tuple[str, int]]) -> MaskedTerms:
        """From folded terms by number, with what they resist; those that hold signs, or are too short, are left out."""
        numbers: dict[str, Numbers] = {}
        maskable = _are_maskable([term for term, _ in terms.values()])
        for (number, (term, mask)), fit in zip(terms.items(), maskable, strict=True):
            if fit:
                numbers[term] = (*numbers.get(term, ()), (number, mask))
        by_length: dict[int, list[str]] = {}
        for term in sorted(numbers):
            by_length.setdefault(len(term), []).append(term)
        return cls(numbers, by_length)

    def find(self, reading: Reading, among: Index | None = None) -> Iterator[tuple[int, int, int, int, int]]:
        """(row, term, start, end, tricks) of the masked terms in a view, or only in some rows of it."""
        places = reading.mask_places() if self.numbers else _NOWHERE
        if not len(places):
            return
        view = reading.view
        # Of a Latin word the first letter is never masked: #tag and **bold** are none.
        before, after = view.codes[places - 1], view.codes[np.minimum(places + 1, len(view.codes) - 1)]
        worth = ((kind_of.take(before) != GAP) & (before != 0)) | (leet_of.take(before) > 0)
        worth |= kind_of.take(after) == SYLLABLE
        rows = holding(view.starts, places[worth])
        for row in (rows if among is None else np.intersect1d(rows, among)).tolist():
            folded = view.row_text(row)
            for seen in dict.fromkeys((folded, _as_read(reading, row))):
                for start, text in _candidates(seen):
                    for number, mask in self._meant(text):
                        tricks = _tricks(text, folded[start : start + len(text)])
                        if not tricks & ~mask:
                            yield row, number, start, start + len(text), tricks

    def _meant(self, text: str) -> Iterator[tuple[int, int]]:
        """The terms that a masked text may stand for."""
        known = [place for place, character in enumerate(text) if character not in MASKS]
        if not known or not _is_telling(text, [text[place] for place in known]):
            return
        for term in self._at(len(text), known[0]).get(text[known[0]], ()):
            if all(term[place] == text[place] for place in known):
                yield from self.numbers[term]

    def _at(self, length: int, place: int) -> Mapping[str, Sequence[str]]:
        """The terms of a length by their character at a place."""
        if (length, place) not in self.by_place:
            found: dict[str, list[str]] = {}
            for term in self.by_length.get(length, ()):
                found.setdefault(term[place], []).append(term)
            self.by_place[length, place] = found
        return self.by_place[length, place]


def _are_maskable(terms: Sequence[str]) -> list[bool]:
    """Whether terms are neither too short nor too long, and all read, but for what stands between Latin words."""
    if not terms:
        return []
    codes, lengths, opens = joined(terms)
    ascii_only = np.maximum.reduceat(codes, opens) < 0x80
    between = ascii_only.repeat(lengths) & ((codes == ord(" ")) | (codes == ord("'")))
    read = np.logical_and.reduceat((kind_of.take(codes) != GAP) | between, opens)
    least = np.array([2 if _HAN.search(term) else 3 for term in terms])
    fit: list[bool] = (read & (least <= lengths) & (lengths <= _LONGEST)).tolist()
    return fit


def _as_read(reading: Reading, row: int) -> str:
    """A row with its looks and leet resolved, as long as the row."""
    starts = reading.view.starts
    return reading.text(int(starts[row]), int(starts[row + 1]) - 1)[0]


def _tricks(read: str, folded: str) -> int:
    """The tricks by which a text is read: letters that were other characters are taken for them by their looks."""
    found = BIT["masks"]
    for one, other in zip(read, folded, strict=True):
        if one != other:
            found |= BIT["homoglyphs"] if other.isalpha() else BIT["leet"]
    return found


def _candidates(text: str) -> Iterator[tuple[int, str]]:
    """Where a masked word may stand: Latin words whole, and with those beside them; of Chinese what stands around the
    mask.
    """
    for at, token in _tokens(text):
        if not _HAN.search(token):
            # **bold** is no mask: what stands at the end counts, what stands before the word, as in #tag, does not.
            word = token.lstrip(MASKS)
            if not _SIGNS.isdisjoint(word):
                end = at + len(token)
                yield from _with_neighbours(text, end - len(word), end)
            continue
        for run in _RUN.finditer(token):
            if not run.start() and kind(token[run.end() : run.end() + 1] or " ") != SYLLABLE:
                continue
            for start in range(max(run.start() - _AROUND, 0), run.start() + 1):
                for end in range(run.end(), min(run.end() + _AROUND, len(token)) + 1):
                    if end - start > run.end() - run.start():
                        yield at + start, token[start:end]


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Letters, digits and signs in a row that hold a sign, each with its place. One regex for all of that would try
    every letter of every word.
    """
    for rest in _FROM_SIGN.finditer(text):
        start = rest.start()
        while start and _LETTER.match(text, start - 1):
            start -= 1
        yield start, text[start : rest.end()]


def _with_neighbours(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """A word, and with up to four words before and after it, one space between them."""
    starts = [start, *(match.start() for match in _BEFORE.finditer(text, max(start - _LONGEST, 0), start))][
        : _WORDS + 1
    ]
    ends, at = [end], end
    while len(ends) <= _WORDS and (match := _AFTER.match(text, at)):
        at = match.end()
        ends.append(at)
    yield from ((one, text[one:other]) for one in starts for other in ends)


def _is_telling(text: str, known: list[str]) -> bool:
    """Whether enough is left to tell: half of a Chinese term, one character of it uncommon; three quarters, or what
    stands around a mask; of a Latin one its first letter and a third.
    """
    if not any(character in MASKS for character in text) or len(known) == len(text):
        return False
    if any(kind(character) == SYLLABLE for character in known):
        if 4 * len(known) >= 3 * len(text) or (len(text) == 3 and len(known) == 2):
            return True
        return 2 * len(known) >= len(text) and not all(common_characters()[ord(character)] for character in known)
    masked = min(text.split(" "), key=lambda word: sum(each not in MASKS for each in word) / len(word))
    left = sum(each not in MASKS for each in masked)
    return masked[0] not in MASKS and 3 * left >= len(masked) and len(text) > 2 and not (len(text) == 3 and left < 2)
