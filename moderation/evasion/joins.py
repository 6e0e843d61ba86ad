"""Characters that stand taken apart, put together again: 弓虽 is 强. For what other tricks do to the rest of a term."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.tables import read_table
from moderation.text.lists import constant, steps
from moderation.text.tables import CODE_POINTS

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]


_SPREAD, _ONE = constant(0x9E37, np.uint32), constant(1, np.int64)


class Joins(NamedTuple):
    """`keys`, ascending, are the two parts of what they make, `whole`: left << 21 | right. No pair is a word.
    `left` tells by code point whether it is the left part of anything, `likely` whether any two of a mixed number make
    something.
    """

    keys: Index
    whole: Codes
    left: NDArray[np.bool_]
    likely: NDArray[np.bool_]

    def at(self, codes: Codes, places: Index) -> tuple[Index, Codes]:
        """At which of these places two parts stand beside one another, and what they make."""
        if len(places):
            places = places[self.likely.take(_mixed(codes[places], codes[places + _ONE]))]
        if not len(places):
            return places, codes[:0]
        keys = (codes[places].astype(np.int64) << 21) | codes[places + 1]
        near = self.keys.searchsorted(keys)
        both = self.keys.take(near, mode="clip") == keys
        return places[both], self.whole[near[both]]


def _mixed(left: Codes, right: Codes) -> NDArray[np.uint16]:
    """One small number for two parts: most that stand side by side in a text are told apart by it, without a search."""
    return (left * _SPREAD + right).astype(np.uint16)


@cache
def joins() -> Joins:
    """The shipped table."""
    table = read_table("shapes")
    keys = (table["left"].astype(np.int64) << 21) | table["right"]
    left, likely = np.zeros(CODE_POINTS, np.bool_), np.zeros(1 << 16, np.bool_)
    left[table["left"]] = likely[_mixed(table["left"], table["right"])] = True
    return Joins(keys, table["whole"], left, likely)


def joined(parts: str) -> str | None:
    """What a text of two parts makes; None for any other."""
    if len(parts) != 2:
        return None
    _, whole = joins().at(np.array([ord(parts[0]), ord(parts[1])], np.uint32), np.zeros(1, np.int64))
    return chr(whole[0]) if len(whole) else None


def with_joined(codes: Codes) -> Codes:
    """Codes, what two parts make standing in the places of both."""
    places, whole = joins().at(codes, joins().left.take(codes[:-1]).nonzero()[0])
    if not len(places):
        return codes
    # Of 木木木 the first two are a pair.
    apart = np.ones(len(places), np.bool_)
    for at in (steps(places) == 1).nonzero()[0].tolist():
        apart[at + 1] = not apart[at]
    found = codes.copy()
    found[places[apart]] = found[places[apart] + 1] = whole[apart]
    return found
