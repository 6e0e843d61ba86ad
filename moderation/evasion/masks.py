"""Terms with asterisks over some of their characters: f*ck, s**t, 傻*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from moderation.evasion.reading import GAP, SYLLABLE, Readings, kind, kind_of
from moderation.evasion.reading import MASK_SIGNS as MASKS
from moderation.evasion.words import common_characters

_LONGEST = 24
_AROUND = 9
_TOKEN = regex.compile(rf"[\p{{L}}\p{{N}}]*(?:[{MASKS}]+[\p{{L}}\p{{N}}]*)+")
_RUN = regex.compile(f"[{MASKS}]+")
_HAN = regex.compile(r"\p{Han}")
_NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class MaskedTerms:
    """The terms that are looked for, by length, place and the character there; and the numbers of a term by itself."""

    by_place: Mapping[tuple[int, int, str], Sequence[str]]
    numbers: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, terms: Mapping[int, str]) -> MaskedTerms:
        """From folded terms by number; those that hold spaces or signs, or are too short, are left out."""
        numbers: dict[str, tuple[int, ...]] = {}
        for number, term in terms.items():
            least = 2 if _HAN.search(term) else 3
            if least <= len(term) <= _LONGEST and all(kind(character) != GAP for character in term):
                numbers[term] = (*numbers.get(term, ()), number)
        by_place: dict[tuple[int, int, str], list[str]] = {}
        for term in sorted(numbers):
            for place, character in enumerate(term):
                by_place.setdefault((len(term), place, character), []).append(term)
        return cls(by_place, numbers)

    def find(self, readings: Readings, among: NDArray[np.int64] | None = None) -> Iterator[tuple[int, int, int, int]]:
        """(row, term, start, end) of the masked terms in a view, or only in some rows of it."""
        places = readings.mask_places() if self.numbers else _NOWHERE
        if not len(places):
            return
        view = readings.view
        beside = np.concatenate((view.codes[places - 1], view.codes[np.minimum(places + 1, len(view.codes) - 1)]))
        worth = (kind_of.take(beside) != GAP) & (beside != 0)
        rows = np.unique(np.searchsorted(view.starts, np.tile(places, 2)[worth], side="right") - 1)
        for row in (rows if among is None else np.intersect1d(rows, among)).tolist():
            for start, text in _candidates(view.row_text(row)):
                for number in self._meant(text):
                    yield row, number, start, start + len(text)

    def _meant(self, text: str) -> Iterator[int]:
        """The terms that a masked text may stand for."""
        known = [place for place, character in enumerate(text) if character not in MASKS]
        if not known or not _is_telling(text, [text[place] for place in known]):
            return
        for term in self.by_place.get((len(text), known[0], text[known[0]]), ()):
            if all(term[place] == text[place] for place in known):
                yield from self.numbers[term]


def _candidates(text: str) -> Iterator[tuple[int, str]]:
    """Where a masked word may stand: Latin words whole, of Chinese what stands around the mask."""
    for token in _TOKEN.finditer(text):
        if not _HAN.search(token[0]):
            # **bold** is no mask: what stands at the end counts, what stands before the word does not.
            word = token[0].lstrip(MASKS)
            yield token.end() - len(word), word
            continue
        for run in _RUN.finditer(token[0]):
            for start in range(max(run.start() - _AROUND, 0), run.start() + 1):
                for end in range(run.end(), min(run.end() + _AROUND, len(token[0])) + 1):
                    if end - start > run.end() - run.start():
                        yield token.start() + start, token[0][start:end]


def _is_telling(text: str, known: list[str]) -> bool:
    """Whether enough is left to tell: half of a Chinese term, one character of it uncommon; three quarters, or what
    stands around a mask; of a Latin one its first letter and a third.
    """
    if not any(character in MASKS for character in text) or len(known) == len(text):
        return False
    if any(kind(character) == SYLLABLE for character in known):
        if 4 * len(known) >= 3 * len(text) or (len(text) == 3 and text[1] in MASKS):
            return True
        return 2 * len(known) >= len(text) and not all(common_characters()[ord(character)] for character in known)
    return (
        text[0] not in MASKS
        and 3 * len(known) >= len(text)
        and len(text) > 2
        and not (len(text) == 3 and len(known) < 2)
    )
