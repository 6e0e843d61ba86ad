"""Many short lists of numbers as two arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


def distinct(numbers: Index) -> Index:
    """The numbers, 0 or more, sorted, each once. Sorting is faster than the hashing that `np.unique` does."""
    ascending = np.sort(numbers)
    return ascending[openings(ascending)]


def openings(ascending: Index) -> Index:
    """Where each value of sorted numbers stands first."""
    first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return np.flatnonzero(first)


@dataclass(frozen=True, slots=True)
class Lists:
    """List i is `items[first[i] : first[i + 1]]`."""

    first: Index
    items: Index

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> Lists:
        """From lists of numbers."""
        plain = [list(items) for items in lists]
        flat = [item for items in plain for item in items]
        return cls(np.cumsum([0, *map(len, plain)], dtype=np.int64), np.array(flat, np.int64))

    def at(self, numbers: Index) -> tuple[Index, Index]:
        """The items of the lists with these numbers, one list after the other, each with its position in `numbers`."""
        position, entry = self.entries(numbers)
        return position, self.items[entry]

    def entries(self, numbers: Index) -> tuple[Index, Index]:
        """The same, as indexes into `items`."""
        opens = self.first[numbers]
        counts = self.first[numbers + 1] - opens
        position = np.repeat(np.arange(len(numbers)), counts)
        entry = np.arange(len(position)) + np.repeat(opens - np.cumsum(counts) + counts, counts)
        return position, entry
