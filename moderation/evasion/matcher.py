"""Finds terms by their loose reading: one automaton over all spellings, then every candidate looked at closely."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation
from numpy.typing import NDArray

from moderation.evasion.align import Alignment, align
from moderation.evasion.guards import is_ordinary
from moderation.evasion.literals import is_enough, is_short, literals, marked, read_as, size_of
from moderation.evasion.masks import MaskedTerms
from moderation.evasion.reading import (
    MARK,
    Reading,
    first_look,
    is_latin,
    loose_reading,
    sounded_reading,
    sounding_rows,
)
from moderation.evasion.spellings import Spelling, also_written, has_puns, is_pun, spellings
from moderation.evasion.tricks import ALWAYS_MASK, BIT
from moderation.evasion.words import common_characters, is_chinese_word
from moderation.text.lists import Lists
from moderation.text.views import View

Index = NDArray[np.int64]

_TONES = frozenset("12345")
_LEAST = 4


Key = tuple[int, int, int, int]


class LooseHits(NamedTuple):
    """Where terms stand by tricks: columns row, pattern, start and end as a matcher gives them, and each one's mask."""

    columns: NDArray[np.int64]
    masks: Index

    @classmethod
    def of(cls, found: Mapping[Key, int]) -> LooseHits:
        """From masks by (row, pattern, start, end)."""
        keys = sorted(found)
        return cls(np.array(keys, np.int64).reshape(-1, 4).T, np.array([found[key] for key in keys], np.int64))


@dataclass(frozen=True, slots=True)
class _Target:
    """What a literal stands for: a spelling of a term, and the tricks that the term may be found by. Terms of the same
    `kin` say the same.
    """

    term: int
    spelling: Spelling
    mask: int
    kin: frozenset[Hashable]


class LooseMatcher:
    """Terms by number, each with the mask of the tricks that it resists. Immutable, and safe to share between threads.

    `kin` is whom a term counts for: where several terms of the same kin read alike, 微信 and 威信, the one with puns,
    or else the first, stands for all. Terms that are too short for a loose reading are not looked for. `spellings` is
    how many literals are looked for.
    """

    def __init__(
        self, terms: Mapping[int, tuple[str, int]], kin: Mapping[int, frozenset[Hashable]] | None = None
    ) -> None:
        owners: dict[bytes, dict[_Target, None]] = {}
        for literal, target in _literals(terms, kin or {}):
            owners.setdefault(literal, {})[target] = None
        short = {literal: list(owned) for literal, owned in owners.items() if is_short(literal)}
        long = {literal: list(owned) for literal, owned in owners.items() if literal not in short}
        self._short, self._long = _Automaton.of(short, marked), _Automaton.of(long, lambda literal: [literal])
        self._masked = MaskedTerms.of({number: term for number, (term, mask) in terms.items() if mask & BIT["masks"]})
        self.spellings = len(owners)

    def __bool__(self) -> bool:
        return bool(self.spellings or self._masked.numbers)

    def find(self, view: View) -> LooseHits:
        """All terms in all rows, hits that need no trick left out."""
        found: dict[Key, int] = {}
        looks = first_look(view)
        if self.spellings:
            self._look(_Place(view, loose_reading(view, looks), None), found)
            rows = sounding_rows(view, looks)
            if len(rows):
                self._look(_Place(view, *sounded_reading(view, rows)), found)
        for key in self._masked.find(view, looks):
            found.setdefault(key, BIT["masks"])
        return LooseHits.of(found)

    def _look(self, place: _Place, found: dict[Key, int]) -> None:
        """Note the hits in one reading: (row, term, start, end) and by which tricks, the fewest that will do."""
        reading = place.reading
        opening = reading.symbols | (reading.opens * np.uint16(MARK))
        for automaton, symbols in ((self._short, opening), (self._long, reading.symbols)):
            for target, start, end in automaton.candidates(place, symbols):
                hit = place.hit(target, start, end)
                if hit is not None:
                    key, mask = hit
                    known = found.get(key, mask)
                    found[key] = mask if mask.bit_count() < known.bit_count() else known


@dataclass(frozen=True, slots=True)
class LoosePlan:
    """The loose matchers of a view: of terms that are looked for everywhere, and of those on demand. `encoded`: whether
    any term is looked for in base64.
    """

    early: LooseMatcher
    late: LooseMatcher
    encoded: bool

    @classmethod
    def of(
        cls, terms: Mapping[int, tuple[str, int]], late: frozenset[int], kin: Mapping[int, frozenset[Hashable]]
    ) -> LoosePlan:
        """From terms and their masks by pattern."""
        early, demanded = (
            {n: each for n, each in terms.items() if (n in late) == on_demand} for on_demand in (False, True)
        )
        encoded = any(mask & BIT["encoded"] for _, mask in terms.values())
        return cls(LooseMatcher(early, kin), LooseMatcher(demanded, kin), encoded)


@dataclass(frozen=True, slots=True)
class _Automaton:
    """Literals, and what each stands for. A literal that stands for several targets is there several times.

    By target: `sizes` (characters that are read), `lengths` of the spelling, whether its characters themselves count
    (`exact`), and whether common ones may be it (`puns`). `plain` are the sorted keys of the texts that are the term, or
    another that reads so and counts for all that it counts for: these need no trick.
    """

    native: BytesAhoCorasick | None
    owners: Lists
    targets: tuple[_Target, ...]
    sizes: Index
    lengths: Index
    plain: Index
    exact: NDArray[np.bool_]
    puns: NDArray[np.bool_]

    @classmethod
    def of(cls, literals: Mapping[bytes, Sequence[_Target]], forms: Callable[[bytes], Iterable[bytes]]) -> _Automaton:
        """The automaton over all forms of the literals."""
        numbers: dict[bytes, list[int]] = {}
        targets: list[_Target] = []
        plain: set[int] = set()
        for literal, owned in literals.items():
            for target, siblings in _chosen(owned):
                for form in forms(literal):
                    numbers.setdefault(form, []).append(len(targets))
                plain.update(_key(len(targets), text) for text in siblings)
                targets.append(target)
        texts = [target.spelling.text for target in targets]
        return cls(
            BytesAhoCorasick(list(numbers), implementation=Implementation.DFA) if numbers else None,
            Lists.of(numbers.values()),
            tuple(targets),
            np.array([size_of(text) for text in texts], np.int64),
            np.array([len(text) for text in texts], np.int64),
            np.array(sorted(plain), np.int64),
            np.array([target.spelling.exact for target in targets], np.bool_),
            np.array([_may_be_common(target.spelling) for target in targets], np.bool_),
        )

    def candidates(self, place: _Place, symbols: NDArray[np.uint16]) -> Iterator[tuple[_Target, int, int]]:
        """(target, start, end) in the reading's codes, of all that is worth a close look."""
        if self.native is None:
            return
        matches = self.native.find_matches_as_indexes(symbols.tobytes(), overlapping=True)
        if not matches:
            return
        literal, start, end = np.array(matches, np.int64).T
        whole = (start & 1) == 0
        literal, starts = literal[whole], place.reading.first[start[whole] >> 1]
        ends = place.reading.last[(end[whole] >> 1) - 1]
        at, number = self.owners.at(literal)
        number, starts, ends = self._likely(place, number, starts[at], ends[at])
        for which, opens, closes in zip(number.tolist(), starts.tolist(), ends.tolist(), strict=True):
            yield self.targets[which], opens, closes

    def _likely(self, place: _Place, number: Index, starts: Index, ends: Index) -> tuple[Index, Index, Index]:
        """Leave out what is plainly the term, what is plainly not an exact spelling, what is too short, and common
        characters that only sound like the term.
        """
        lengths = ends - starts
        enough = lengths >= self.sizes[number]
        number, starts, ends, lengths = number[enough], starts[enough], ends[enough], lengths[enough]
        if not len(number):
            return number, starts, ends
        opens = lengths.cumsum() - lengths
        within = (starts - opens).repeat(lengths) + np.arange(int(lengths.sum()))
        codes = place.folded(within).astype(np.int64)
        sums = np.add.reduceat(codes * (np.arange(len(codes)) - opens.repeat(lengths) + 1), opens)
        same = _holds(self.plain, _mixed(number, sums, lengths))
        common = np.logical_and.reduceat(common_characters().take(codes), opens)
        exact = self.exact[number]
        likely = np.where(exact, same | (lengths > self.lengths[number]), ~same) & (self.puns[number] | ~common)
        likely &= _on_edges(place.reading.codes, starts, ends)
        return number[likely], starts[likely], ends[likely]


@dataclass(frozen=True, slots=True)
class _Place:
    """A reading of a view; `at` tells where its code points stand there, None where one for one."""

    view: View
    reading: Reading
    at: Index | None

    def folded(self, places: Index) -> NDArray[np.uint32]:
        """The view's code points at places of the reading."""
        return self.view.codes[places if self.at is None else self.at[places]]

    def hit(self, target: _Target, start: int, end: int) -> tuple[Key, int] | None:
        """A candidate as a hit, if the text says the term by tricks that the term resists and is not ordinary."""
        spelling = target.spelling
        read = _text(self.reading.codes[start:end])
        folded = _text(self.view.codes[start:end] if self.at is None else self.view.codes[self.at[start:end]])
        aligned = _said(read, folded, target)
        if aligned is None:
            return None
        mask = aligned.mask | spelling.mask
        opens, closes = start + aligned.start, start + aligned.end - 1
        if self.at is not None:
            opens, closes = int(self.at[opens]), int(self.at[closes])
        row = int(np.searchsorted(self.view.starts, opens, side="right")) - 1
        base, text = int(self.view.starts[row]), self.view.row_text(row)
        opens, closes = opens - base, closes + 1 - base
        if is_ordinary(text, opens, closes, aligned, spelling):
            return None
        closes = _over_tone(text, closes) if mask & BIT["pinyin"] else closes
        return (row, target.term, opens, closes), mask


@lru_cache(maxsize=1 << 14)
def _said(read: str, folded: str, target: _Target) -> Alignment | None:
    """How a stretch says a target, by tricks that it resists; None if it does not, or is a word of its own."""
    spelling = target.spelling
    if is_chinese_word(folded) and not is_pun(folded, spelling.text) and not spelling.mask & BIT["splits"]:
        return None
    aligned = align(read, folded, spelling.text, spelling.exact)
    if aligned is None:
        return None
    mask = aligned.mask | spelling.mask
    return aligned if mask and not mask & ~target.mask else None


def _chosen(owned: Sequence[_Target]) -> Iterator[tuple[_Target, list[str]]]:
    """Of targets that say the same in the same way one, with the texts of all of them."""
    alike: dict[tuple[frozenset[Hashable], int, int, bool], list[_Target]] = {}
    for target in owned:
        # What only the characters themselves say stands for nothing else.
        way = target.term if target.spelling.exact else -1
        alike.setdefault((target.kin, target.mask, way, target.spelling.exact), []).append(target)
    for targets in alike.values():
        if targets[0].spelling.exact:
            yield from ((target, [target.spelling.text]) for target in targets)
        else:
            texts = [each.spelling.text for each in owned if not each.spelling.exact and each.kin >= targets[0].kin]
            yield min(targets, key=lambda each: (not has_puns(each.spelling.text), each.spelling.text)), texts


def _key(target: int, text: str) -> int:
    return int(_mixed(np.int64(target), np.int64(_sum(text)), np.int64(len(text))))


def _mixed(target: Any, sums: Any, lengths: Any) -> Any:
    """One number for a target and a text, by the sum of its characters weighed by their places."""
    return (target << 40) ^ (sums << 8) ^ lengths


def _holds(ascending: Index, keys: Index) -> NDArray[np.bool_]:
    at = np.minimum(ascending.searchsorted(keys), len(ascending) - 1)
    held: NDArray[np.bool_] = ascending[at] == keys
    return held


def _may_be_common(spelling: Spelling) -> bool:
    """Whether common characters in a row may be this spelling: listed ones, and more than two parts of characters."""
    return bool(spelling.mask & BIT["initials"] or (spelling.mask & BIT["splits"] and len(spelling.text) > 2)) or (
        not spelling.exact and has_puns(spelling.text)
    )


def _on_edges(codes: NDArray[np.uint32], starts: Index, ends: Index) -> NDArray[np.bool_]:
    """Whether no Latin letter goes on beyond a Latin letter at an end; what is repeated there is trimmed later."""
    last = codes[ends - 1]
    inside = is_latin.take(codes[starts - 1]) & is_latin.take(codes[starts]) & (codes[starts] != codes[starts - 1])
    beyond = is_latin.take(codes[np.minimum(ends, len(codes) - 1)]) & is_latin.take(last)
    twice = (codes[np.maximum(ends - 2, 0)] == last) | (codes[np.maximum(ends - 3, 0)] == last)
    open_start = (codes[np.minimum(starts + 1, ends - 1)] != codes[starts]) & (
        codes[np.minimum(starts + 2, ends - 1)] != codes[starts]
    )
    on_edges: NDArray[np.bool_] = ~(inside & open_start) & ~(beyond & ~twice)
    return on_edges


def _text(codes: NDArray[np.uint32]) -> str:
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _over_tone(text: str, end: int) -> int:
    """The tone digit behind the last syllable belongs to it: wei1 xin4."""
    tone = text[end - 1].isascii() and text[end - 1].isalpha() and text[end : end + 1] in _TONES
    return end + 1 if tone and not text[end + 1 : end + 2].isalnum() else end


def _literals(
    terms: Mapping[int, tuple[str, int]], kin: Mapping[int, frozenset[Hashable]]
) -> Iterator[tuple[bytes, _Target]]:
    """(literal, what it stands for) of all spellings."""
    texts: list[str] = []
    targets: list[tuple[_Target, int]] = []
    for number, (term, mask) in terms.items():
        for spelling in spellings(term, mask):
            if is_enough(spelling.text):
                target = _Target(number, spelling, mask | ALWAYS_MASK, kin.get(number, frozenset({number})))
                written = list(dict.fromkeys(also_written(spelling.text)))
                texts += written
                # What is neither the term nor sounds like it may be said by anybody, if it is short.
                least = 2 if spelling.mask & BIT["initials"] else _LEAST
                targets += [(target, least if text != term else 2) for text in written]
    for read, (target, least) in zip(read_as(texts), targets, strict=True):
        for literal in literals(read, target.mask, target.spelling.exact):
            if len(literal) >= (2 * least if is_short(literal) else 4):
                yield literal, target


def _sum(text: str) -> int:
    return sum(ord(character) * (place + 1) for place, character in enumerate(text))
