"""Characters that stand taken apart, put together again: 弓虽 is 强. For what other tricks do to the rest of a term."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.tables import read_table
from moderation.text.tables import CODE_POINTS

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]


class Joins(NamedTuple):
    """`keys`, ascending, are the two parts of what they make, `whole`: left << 21 | right. No pair is a word."""

    keys: Index
    whole: Codes

    def at(self, codes: Codes, places: Index) -> tuple[Index, Codes]:
        """At which of these places two parts stand beside one another, and what they make."""
        keys = (codes[places].astype(np.int64) << 21) | codes[places + 1]
        near = np.minimum(self.keys.searchsorted(keys), len(self.keys) - 1)
        both = self.keys[near] == keys
        return places[both], self.whole[near[both]]


@cache
def joins() -> Joins:
    """The shipped table."""
    table = read_table("shapes")
    keys = (table["left"].astype(np.int64) << 21) | table["right"]
    return Joins(keys, table["whole"])


def joined(parts: str) -> str | None:
    """What a text of two parts makes; None for any other."""
    if len(parts) != 2:
        return None
    _, whole = joins().at(np.array([ord(parts[0]), ord(parts[1])], np.uint32), np.zeros(1, np.int64))
    return chr(whole[0]) if len(whole) else None


@cache
def left_parts() -> NDArray[np.bool_]:
    """By code point, whether it is the left part of anything."""
    left = np.zeros(CODE_POINTS, np.bool_)
    left[joins().keys >> 21] = True
    return left


def with_joined(codes: Codes) -> Codes:
    """Codes, what two parts make standing in the places of both."""
    places, whole = joins().at(codes, left_parts().take(codes[:-1]).nonzero()[0])
    if not len(places):
        return codes
    # Of 木木木 the first two are a pair.
    apart = np.ones(len(places), np.bool_)
    for at in np.flatnonzero(np.diff(places) == 1).tolist():
        apart[at + 1] = not apart[at]
    found = codes.copy()
    found[places[apart]] = found[places[apart] + 1] = whole[apart]
    return found
