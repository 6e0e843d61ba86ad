"""Every occurrence of many literals where most places of a text hold one, as Chinese does characters and words of two.

An object for each match is then most of what an automaton costs. Literals of one character and of two are found by
tables, and an automaton only looks for what is left.
"""

from __future__ import annotations

from codecs import utf_32_le_encode
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from moderation.text.batch import joined
from moderation.text.lists import Index, constant
from moderation.text.literal_search import LiteralSearch, Occurrences

Codes = NDArray[np.uint32]
Table = NDArray[np.int32]

_PLANE = 1 << 16  # beyond it are emoji, and characters that hardly anybody knows
_SLOT_BITS = 17
_SPREADS = constant(0x9E3779B1, np.uint32), constant(0x85EBCA6B, np.uint32)
_TO_SLOT = constant(32 - _SLOT_BITS, np.uint32)
_NONE, _ONE, _TWO = constant(-1, np.int32), constant(1, np.int64), constant(2, np.int64)


class DenseSearch:
    """Literals, none of them empty, and none with a lone surrogate. Immutable, and safe to share between threads.

    `_ones` has the number of a literal by character, `_twos` by slot of two characters, which are to be compared: of
    several literals that belong in one slot, all but the first are left to the automaton.
    """

    def __init__(self, literals: Sequence[str]) -> None:
        codes, lengths, opens = joined(literals)
        self._first, self._second = codes[opens], codes.take(opens + 1, mode="clip")
        ones = ((lengths == 1) & (self._first < _PLANE - 1)).nonzero()[0]
        twos = (lengths == 2).nonzero()[0]
        slots, chosen = np.unique(_slots(self._first[twos], self._second[twos]), return_index=True)
        self._ones = _table(_PLANE, self._first[ones], ones)
        self._twos = _table(1 << _SLOT_BITS, slots, twos[chosen])
        self._left = np.setdiff1d(np.arange(len(literals)), np.concatenate((ones, twos[chosen])))
        self._longer = LiteralSearch([literals[number] for number in self._left.tolist()])

    def find(self, text: str) -> Occurrences:
        """Every occurrence in a text, in any order."""
        codes: Codes = np.frombuffer(utf_32_le_encode(text)[0], np.uint32)
        longer = self._longer.find(text)
        longer[0] = self._left.take(longer[0])
        return np.concatenate((self._found_ones(codes), self._found_twos(codes), longer), axis=1)

    def _found_ones(self, codes: Codes) -> Occurrences:
        found = self._ones.take(codes, mode="clip")
        at = (found > _NONE).nonzero()[0]
        return np.array((found[at], at, at + _ONE))

    def _found_twos(self, codes: Codes) -> Occurrences:
        found = self._twos.take(_slots(codes[:-1], codes[1:]))
        at = (found > _NONE).nonzero()[0]
        literal = found[at]
        same = (self._first[literal] == codes[at]) & (self._second[literal] == codes[at + _ONE])
        literal, at = literal[same], at[same]
        return np.array((literal, at, at + _TWO))


def _table(size: int, at: Codes, numbers: Index) -> Table:
    table = np.full(size, _NONE, np.int32)
    table[at] = numbers
    return table


def _slots(first: Codes, second: Codes) -> Codes:
    slots: Codes = first * _SPREADS[0]
    slots += second * _SPREADS[1]
    slots >>= _TO_SLOT
    return slots
