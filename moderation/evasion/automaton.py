"""One automaton over all literals, and what of its matches is worth a close look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation
from numpy.typing import NDArray

from moderation.evasion.guards import PARTING
from moderation.evasion.reading import SYLLABLE, Reading, holds, is_latin, kind_of
from moderation.evasion.targets import Target, Targets
from moderation.evasion.words import PARTICLES, SEVERAL, common_characters
from moderation.text.lists import Lists, ranges

Index = NDArray[np.int64]
Codes = NDArray[np.uint32]
Symbols = NDArray[np.uint16]
Candidate = tuple[Target, int, int]


@dataclass(frozen=True, slots=True)
class Automaton:
    """Literals, and the numbers of the targets that each stands for."""

    native: BytesAhoCorasick | None
    owners: Lists
    targets: Targets

    @classmethod
    def of(cls, literals: Mapping[bytes, Sequence[int]], targets: Targets) -> Automaton:
        """The automaton over literals. The native one is as fast as a larger table of states would be, and compact."""
        native = BytesAhoCorasick(list(literals), implementation=Implementation.ContiguousNFA) if literals else None
        return cls(native, Lists.of(literals.values()), targets)

    def candidates(self, reading: Reading, symbols: Symbols, within: Index | None = None) -> Iterator[Candidate]:
        """(target, start, end) in the reading's codes, of all that is worth a close look; `symbols` are the reading's
        as the literals were made, `within` the numbers of those to search, if not all.
        """
        if self.native is None:
            return
        searched = symbols if within is None else symbols.take(within)
        matches = self.native.find_matches_as_indexes(searched.tobytes(), overlapping=True)
        if not matches:
            return
        literal, start, end = np.fromiter(chain.from_iterable(matches), np.int64, 3 * len(matches)).reshape(-1, 3).T
        whole = ((start & 1) == 0).nonzero()[0]
        literal, first, last = literal[whole], start[whole] >> 1, (end[whole] >> 1) - 1
        if within is not None:
            first, last = within[first], within[last]
        starts, ends = reading.spans(first, last + 1)
        at, number = self.owners.at(literal)
        number, starts, ends = self._likely(reading, number, starts[at], ends[at])
        for which, opens, closes in zip(number.tolist(), starts.tolist(), ends.tolist(), strict=True):
            yield self.targets.items[which], opens, closes

    def _likely(self, reading: Reading, number: Index, starts: Index, ends: Index) -> tuple[Index, Index, Index]:
        """Leave out what is plainly the term, what is plainly not an exact spelling, what is too short, and common
        characters that only sound like the term.
        """
        targets, lengths = self.targets, ends - starts
        enough = (lengths >= targets.sizes[number]) & _on_edges(reading, starts, ends)
        enough &= ~self._others(reading, number, starts, ends)
        number, starts, ends, lengths = number[enough], starts[enough], ends[enough], lengths[enough]
        if not len(number):
            return number, starts, ends
        opens, places = lengths.cumsum() - lengths, ranges(starts, ends)
        codes = reading.folded(places).astype(np.int64)
        sums = np.add.reduceat(codes * (places - starts.repeat(lengths) + 1), opens)
        same = targets.are_plain(number, sums, lengths)
        common = np.logical_and.reduceat(common_characters().take(codes), opens)
        likely = np.where(targets.exact[number], same | (lengths > targets.lengths[number]), ~same)
        likely &= targets.puns[number] | ~common | (lengths > SEVERAL)
        return number[likely], starts[likely], ends[likely]

    def _others(self, reading: Reading, number: Index, starts: Index, ends: Index) -> NDArray[np.bool_]:
        """Which stretches are none of an exact target's characters, or two ordinary ones that only sound like a pair,
        as `guards.is_ordinary` has it: none of them the pair's own, or one of them, with a comma or the like between.
        """
        targets, codes = self.targets, reading.codes
        opens, closes = codes.take(starts), codes.take(ends - 1)
        first, last = targets.first[number], targets.last[number]
        others: NDArray[np.bool_] = targets.exact[number] & (
            ((opens != first) & (first != 0)) | ((closes != last) & (last != 0))
        )
        pairs = targets.pairs[number] & (kind_of.take(opens) == SYLLABLE) & (kind_of.take(closes) == SYLLABLE)
        at = (pairs & _as_written(reading, starts, ends)).nonzero()[0]
        opens, closes, first, last = opens[at], closes[at], first[at], last[at]
        own = _is_own(opens, first, last) | _is_own(closes, first, last)
        parted = (ends[at] - starts[at] == 3) & _parts.take(codes.take(starts[at] + 1))
        others[at] = ~own | (parted & ((opens != first) | (closes != last)))
        return others


def _as_written(reading: Reading, starts: Index, ends: Index) -> NDArray[np.bool_]:
    """Which stretches are read as they are written: of others, no more than three characters long ones are looked at.

    In rows that are read for the first time, only Latin letters are read otherwise.
    """
    places = (starts, np.minimum(starts + 1, ends - 1), ends - 1)
    same = [reading.folded(each) == reading.codes.take(each) for each in places]
    once = ~reading.are_again(starts)
    written: NDArray[np.bool_] = once | (same[0] & same[1] & same[2] & (ends - starts <= 3))
    return written


def _is_own(codes: Codes, first: Codes, last: Codes) -> NDArray[np.bool_]:
    own: NDArray[np.bool_] = ((codes == first) | (codes == last)) & ~_particles.take(codes)
    return own


_particles, _parts = holds(PARTICLES), holds(PARTING - {"."})


def _on_edges(reading: Reading, starts: Index, ends: Index) -> NDArray[np.bool_]:
    """Whether no Latin letter goes on beyond a Latin letter at an end."""
    codes = reading.codes
    inside = is_latin.take(reading.folded(starts - 1)) & is_latin.take(codes[starts])
    beyond = is_latin.take(reading.folded(np.minimum(ends, len(codes) - 1))) & is_latin.take(codes[ends - 1])
    on_edges: NDArray[np.bool_] = ~inside & ~beyond
    return on_edges
