"""One automaton over all literals, and what of its matches is worth a close look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.guards import PARTING
from moderation.evasion.reading import FIRST_SYLLABLE, Reading, holds, is_latin
from moderation.evasion.targets import Target, Targets
from moderation.evasion.words import PARTICLES, SEVERAL, common_characters
from moderation.text.lists import constant, numbers_to
from moderation.text.literal_search import LiteralSearch

Index = NDArray[np.int64]
Codes = NDArray[np.uint32]
Bools = NDArray[np.bool_]
Symbols = NDArray[np.uint16]
Candidate = tuple[Target, int, int]


# From the ends of stretches to what stands before and behind them, and from where they end to their last.
_OUTSIDE, _LAST = np.array(((-1,), (1,))), np.array(((0,), (1,)))
_ONE, _TWO, _SEVERAL = (constant(each, np.int64) for each in (1, 2, SEVERAL))


@dataclass(frozen=True, slots=True)
class Automaton:
    """Literals, each as often as there are targets that it stands for, and by literal: `owners`, the number of the
    target; `latin`, whether it begins and whether it ends with a letter; `pairs`, whether it has syllables at both ends
    and stands for a pair; `strict`, whether a stretch must begin and must end with the characters of the target.
    """

    search: LiteralSearch
    owners: Index
    latin: Bools
    pairs: Bools
    strict: Bools
    targets: Targets

    @classmethod
    def of(cls, literals: Mapping[str, Sequence[int]], targets: Targets) -> Automaton:
        """The automaton over literals."""
        each = [literal for literal, owners in literals.items() for _ in owners]
        search = LiteralSearch(each)
        owners = np.array([number for numbers in literals.values() for number in numbers], np.int64)
        ends = _ends(each)
        pairs = np.logical_and.reduce(ends >= FIRST_SYLLABLE) & targets.pairs[owners]
        # In order of memory, or else every look at it would copy all of it.
        strict = np.ascontiguousarray(targets.exact[owners] & (targets.ends[:, owners] != 0))
        return cls(search, owners, is_latin.take(ends), pairs, strict, targets)

    def candidates(self, reading: Reading, symbols: Symbols, within: Index | None = None) -> Iterator[Candidate]:
        """(target, start, end) in the reading's codes, of all that is worth a close look; `symbols` are the reading's
        as the literals were made, `within` the numbers of those to search, if not all.
        """
        searched = symbols if within is None else symbols.take(within)
        found = self.search.find(searched.tobytes().decode("utf-16-le"))
        if not found.shape[1]:
            return
        literal, bounds = found[0], found[1:]
        ends = reading.spans(bounds if within is None else within.take(bounds - _LAST) + _LAST)
        at = self._are_free(reading, literal, ends).nonzero()[0]
        if len(at):
            for which in at[self._are_likely(reading, literal[at], ends.take(at, axis=1))].tolist():
                yield self.targets.items[self.owners[literal[which]]], int(ends[0, which]), int(ends[1, which]) + 1

    def _are_free(self, reading: Reading, literal: Index, ends: Index) -> Bools:
        """Where no Latin letter goes on beyond a Latin letter at an end."""
        beyond = is_latin.take(reading.written.take(ends + _OUTSIDE))
        beyond &= self.latin.take(literal, axis=1)
        free: Bools = ~(beyond[0] | beyond[1])
        return free

    def _are_likely(self, reading: Reading, literal: Index, ends: Index) -> Bools:
        """What is not plainly the term, nor plainly no exact spelling, nor too short, nor common characters that only
        sound like the term.
        """
        targets, number, lengths = self.targets, self.owners[literal], ends[1] - ends[0] + _ONE
        likely: Bools = lengths >= targets.sizes[number]
        likely &= ~self._are_others(reading, literal, number, ends)
        at = likely.nonzero()[0]
        if len(at):
            number, lengths = number[at], lengths[at]
            same, common = self._read(reading, number, ends[0, at], lengths)
            exact = targets.exact[number]
            likely[at] = (exact ^ ~same) | (exact & (lengths > targets.lengths[number]))
            likely[at] &= targets.puns[number] | ~common | (lengths > _SEVERAL)
        return likely

    def _read(self, reading: Reading, number: Index, starts: Index, lengths: Index) -> tuple[Bools, Bools]:
        """Which stretches are plainly their target, and which hold nothing but common characters."""
        closes = np.add.accumulate(lengths)
        opens = closes - lengths
        # The places within each stretch, from 1 on.
        places = numbers_to(int(closes[-1]) + 1)[1:] - opens.repeat(lengths)
        codes = reading.written.take(places + (starts - _ONE).repeat(lengths))
        places *= codes
        common: Bools = np.logical_and.reduceat(common_characters().take(codes), opens)
        return self.targets.are_plain(number, np.add.reduceat(places, opens), lengths), common

    def _are_others(self, reading: Reading, literal: Index, number: Index, ends: Index) -> Bools:
        """Which stretches are none of an exact target's characters, or two ordinary ones that only sound like a pair,
        as `guards.is_ordinary` has it: none of them the pair's own, or one of them, with a comma or the like between.
        """
        found, own = reading.codes.take(ends), self.targets.ends.take(number, axis=1)
        unlike = found != own
        strange = self.strict.take(literal, axis=1)
        strange &= unlike
        others: Bools = strange[0] | strange[1]
        at = self.pairs[literal].nonzero()[0]
        if len(reading.again):
            at = at[_as_written(reading, *ends.take(at, axis=1))]
        if len(at):
            others[at] = ~_are_own(found.take(at, axis=1), own.take(at, axis=1))
            apart = at[ends[1, at] - ends[0, at] == _TWO]
            if len(apart):
                parted = _parts.take(reading.codes.take(ends[0, apart] + 1))
                others[apart] |= parted & (unlike[0, apart] | unlike[1, apart])
        return others


def _ends(literals: Sequence[str]) -> Symbols:
    """The first and the last symbol of each."""
    symbols = np.frombuffer("".join(literals).encode("utf-16-le"), np.uint16)
    lengths = np.array(list(map(len, literals)), np.int64)
    closes = lengths.cumsum()
    ends: Symbols = symbols[np.array((closes - lengths, closes - 1), np.int64)]
    return ends


def _as_written(reading: Reading, starts: Index, lasts: Index) -> Bools:
    """Which stretches are read as they are written: of others, no more than three characters long ones are looked at.

    In rows that are read for the first time, only Latin letters are read otherwise.
    """
    written: Bools = ~reading.are_again(starts)
    again = (~written).nonzero()[0]
    if len(again):
        starts, lasts = starts[again], lasts[again]
        places = np.array((starts, np.minimum(starts + 1, lasts), lasts))
        same = np.logical_and.reduce(reading.written.take(places) == reading.codes.take(places))
        written[again] = same & (lasts - starts < 3)
    return written


def _are_own(found: Codes, own: Codes) -> Bools:
    """Whether either end is one of a pair's own characters, and no particle."""
    either = ((found == own) | (found == own[::-1])) & ~_particles.take(found)
    are_own: Bools = either[0] | either[1]
    return are_own


_particles, _parts = holds(PARTICLES), holds(PARTING - {"."})
