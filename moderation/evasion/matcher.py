"""Finds terms by their loose reading: one automaton over all spellings, then every candidate looked at closely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.align import Alignment, align
from moderation.evasion.automaton import Automaton
from moderation.evasion.guards import is_ordinary
from moderation.evasion.masks import MaskedTerms
from moderation.evasion.reading import GAP, Reading, kind, near_symbol
from moderation.evasion.spellings import is_pun
from moderation.evasion.targets import Kin, Target, Terms, targets_of
from moderation.evasion.tricks import BIT, HIDDEN_MASK
from moderation.evasion.words import is_chinese_word

Index = NDArray[np.int64]
Key = tuple[int, int, int, int]

_TONES = frozenset("12345")
_NEAR_SYMBOLS = {at: int(near_symbol[at]) for at in (near_symbol != np.arange(1 << 16)).nonzero()[0].tolist()}
_NEAR = 4


def fewest(one: int, other: int) -> int:
    """Of two ways to a hit the one by fewer tricks, or by those that come first."""
    return min(one, other, key=lambda mask: (mask.bit_count(), not mask & HIDDEN_MASK, mask))


class LooseHits(NamedTuple):
    """Where terms stand by tricks: columns row, pattern, start and end as a matcher gives them, and each one's mask."""

    columns: NDArray[np.int64]
    masks: NDArray[np.int64]

    @classmethod
    def of(cls, found: Mapping[Key, int]) -> LooseHits:
        """From masks by (row, pattern, start, end)."""
        if not found:
            return _NO_HITS
        keys = sorted(found)
        return cls(np.array(keys, np.int64).reshape(-1, 4).T, np.array([found[key] for key in keys], np.int64))


_NO_HITS = LooseHits(np.zeros((4, 0), np.int64), np.zeros(0, np.int64))


class LooseMatcher:
    """Terms by number, each with the mask of the tricks that it resists. Immutable, and safe to share between threads.

    `kin` is whom a term counts for: where several terms of the same kin read alike, 微信 and 威信, the one with puns,
    or else the first, stands for all. Terms that are too short for a loose reading are not looked for. `spellings` is
    how many literals are looked for, `near` whether near syllables are read as one.
    """

    def __init__(self, terms: Terms, kin: Kin | None = None) -> None:
        targets, owners = targets_of(terms, kin or {})
        self.near = any(mask & BIT["near-homophones"] for _, mask in terms.values())
        self._automaton = Automaton.of(_near_literals(owners) if self.near else owners, targets)
        self._masked = MaskedTerms.of({number: each for number, each in terms.items() if each[1] & BIT["masks"]})
        self.spellings = len(owners)

    def __bool__(self) -> bool:
        return bool(self.spellings or self._masked.numbers)

    def find(self, reading: Reading, rows: Index | None = None) -> LooseHits:
        """All terms in all rows, or in some of them; hits that need no trick left out."""
        found: dict[Key, int] = {}
        if self.spellings:
            self._look(reading, None if rows is None else reading.within(rows), found)
        for *key, mask in self._masked.find(reading, rows):
            found.setdefault((key[0], key[1], key[2], key[3]), mask)
        return LooseHits.of(found)

    def _look(self, reading: Reading, within: Index | None, found: dict[Key, int]) -> None:
        """Note the hits: (row, term, start, end) and by which tricks, the fewest that will do."""
        symbols = near_symbol.take(reading.symbols) if self.near else reading.symbols
        for target, start, end in self._automaton.candidates(reading, symbols, within):
            aligned = _said(*reading.text(start, end), target)
            hit = None if aligned is None else _hit(reading, target, start, aligned)
            if hit is not None:
                key, mask = hit
                found[key] = fewest(mask, found.get(key, mask))


@dataclass(frozen=True, slots=True)
class LoosePlan:
    """The loose matchers of a view: of terms that are looked for everywhere, and of those on demand. `encoded`: whether
    any term is looked for in base64.
    """

    early: LooseMatcher
    late: LooseMatcher
    encoded: bool

    @property
    def sought(self) -> bool:
        """Whether any term is looked for in disguise."""
        return bool(self.early or self.late)

    @property
    def spellings(self) -> int:
        """How many literals are looked for."""
        return self.early.spellings + self.late.spellings

    @property
    def readings(self) -> tuple[str, ...]:
        """The readings that are searched for them."""
        if not self.spellings:
            return ()
        return ("loose", "sounded", *(("near",) if self.early.near or self.late.near else ()))

    @classmethod
    def of(cls, terms: Terms, late: frozenset[int], kin: Kin) -> LoosePlan:
        """From terms and their masks by pattern."""
        early, demanded = (
            {number: each for number, each in terms.items() if (number in late) == on_demand}
            for on_demand in (False, True)
        )
        encoded = any(mask & BIT["encoded"] for _, mask in terms.values())
        return cls(LooseMatcher(early, kin), LooseMatcher(demanded, kin), encoded)


def _hit(reading: Reading, target: Target, start: int, aligned: Alignment) -> tuple[Key, int] | None:
    """A candidate that says a term by tricks that it resists as a hit, unless it is ordinary writing."""
    view = reading.view
    opens, closes = reading.origin(start + aligned.start), reading.origin(start + aligned.end - 1)
    row = int(view.starts.searchsorted(opens, side="right")) - 1
    base, text = int(view.starts[row]), view.row_text(row)
    opens, closes = opens - base, closes + 1 - base
    if is_ordinary(text, opens, closes, aligned, target.spelling):
        return None
    ends = _with_signs(text, opens, closes, target.spelling.text)
    if ends is None:
        return None
    opens, closes = ends
    mask = aligned.mask | target.spelling.mask
    closes = _over_tone(text, closes) if mask & BIT["pinyin"] else closes
    return (row, target.term, opens, closes), mask


def _near_literals(literals: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The literals as they read where near syllables are one: those of terms that do not resist these are among them,
    and what is only near to such a term is no hit when it is aligned.
    """
    found: dict[str, list[int]] = {}
    for literal, owned in literals.items():
        found.setdefault(literal.translate(_NEAR_SYMBOLS), []).extend(owned)
    return {literal: sorted(set(owned)) for literal, owned in found.items()}


@lru_cache(maxsize=1 << 14)
def _said(read: str, folded: str, target: Target) -> Alignment | None:
    """How a stretch says a target, by tricks that it resists; None if it does not, or is a word of its own."""
    spelling = target.spelling
    if is_chinese_word(folded) and not is_pun(folded, spelling.text) and not spelling.mask & BIT["splits"]:
        return None
    found = (align(read, folded, text, spelling.exact) for text in (spelling.text, *sorted(target.alike)))
    masked = [(aligned.mask | spelling.mask, aligned) for aligned in found if aligned is not None]
    usable = [each for each in masked if each[0] and not each[0] & ~target.mask]
    return min(usable, key=lambda each: each[0].bit_count())[1] if usable else None


def _with_signs(text: str, start: int, end: int, spelled: str) -> tuple[int, int] | None:
    """A stretch with the signs that its spelling begins and ends with, as in 100%; None where they are not there."""
    first, last = _signs(spelled)
    before, after = text[max(start - _NEAR, 0) : start], text[end : end + _NEAR]
    if first not in before or last not in after:
        return None
    start = start - len(before) + before.rindex(first) if first else start
    return start, end + after.index(last) + len(last) if last else end


@lru_cache(maxsize=1 << 12)
def _signs(spelled: str) -> tuple[str, str]:
    """The signs that a spelling begins and ends with."""
    places = [at for at, character in enumerate(spelled) if kind(character) != GAP]
    return spelled[: places[0]].strip(), spelled[places[-1] + 1 :].strip()


def _over_tone(text: str, end: int) -> int:
    """The tone digit behind the last syllable belongs to it: wei1 xin4."""
    tone = text[end - 1].isascii() and text[end - 1].isalpha() and text[end : end + 1] in _TONES
    return end + 1 if tone and not text[end + 1 : end + 2].isalnum() else end
