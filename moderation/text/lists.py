"""Many short lists of numbers as two arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
N = TypeVar("N", bound=np.generic)


def constant(value: float, kind: type[N]) -> NDArray[N]:
    """A number as arrays reckon with it fastest: of Python's own, NumPy finds out anew each time what type they are to
    have, which for a few elements takes longer than all the rest.
    """
    return np.array(value, kind)


_ONE = constant(1, np.int64)


def numbers_to(end: int, kind: type[np.signedinteger[Any]] = np.int64) -> Index:
    """The numbers from 0 on: what `np.arange` makes, but few of them are out of a store, and not to be written to.
    Many are of a `kind`.
    """
    return _NUMBERS[:end] if end <= _STORED else np.arange(end, dtype=kind)


def all_true(count: int) -> NDArray[np.bool_]:
    """As `np.ones` makes it, in half the time for a few."""
    found = np.empty(count, np.bool_)
    found.fill(True)
    return found


_STORED = 1 << 12
_NUMBERS = np.arange(_STORED)
_NUMBERS.flags.writeable = False


def distinct(numbers: Index) -> Index:
    """The numbers sorted, each once. Sorting is faster than the hashing that `np.unique` does."""
    ascending = numbers.copy()
    ascending.sort()
    return ascending[openings(ascending)]


def openings(ascending: Index) -> Index:
    """Where each value of sorted numbers stands first."""
    first = np.empty(len(ascending), np.bool_)
    first[:1] = True
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return first.nonzero()[0]


def held_in(numbers: Index, ascending: Index) -> NDArray[np.bool_]:
    """Which numbers are among sorted ones: as fast for a few as for many, which `np.isin` is not."""
    if not len(ascending):
        return np.zeros(len(numbers), np.bool_)
    held: NDArray[np.bool_] = ascending.take(ascending.searchsorted(numbers), mode="clip") == numbers
    return held


def holding(starts: Index, places: Index) -> Index:
    """Which stretches hold any of these places, each once."""
    return distinct(starts.searchsorted(places, side="right") - _ONE)


def ends_of(starts: Index, end: int) -> Index:
    """Where stretches end each of which goes to where the next starts, the last to `end`."""
    ends = starts.copy()
    ends[:-1] = starts[1:]
    ends[-1:] = end
    return ends


def lengths_of(starts: Index, end: int) -> Index:
    """How long they are. As fast for a few as for many, which `np.diff` and `np.append` are not."""
    return ends_of(starts, end) - starts


def steps(numbers: Index) -> Index:
    """From each number to the next: what `np.diff` says, which for a few takes ten times as long."""
    return numbers[1:] - numbers[:-1]


def ranges(first: Index, end: Index) -> Index:
    """The numbers of [first[0], end[0]), then those of [first[1], end[1]), and so on."""
    count = end - first
    numbers: Index = (end - np.add.accumulate(count)).repeat(count)
    numbers += numbers_to(len(numbers))
    return numbers


class Lists(msgspec.Struct, frozen=True, eq=False, gc=False):
    """List i is `items[first[i] : ends[i]]`, `count[i]` long."""

    first: Index
    count: Index
    ends: Index
    items: Index

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> Lists:
        """From lists of numbers."""
        plain = [list(items) for items in lists]
        flat = [item for items in plain for item in items]
        return cls.cut(np.cumsum([0, *map(len, plain)], dtype=np.int64), np.array(flat, np.int64))

    @classmethod
    def cut(cls, bounds: Index, items: Index) -> Lists:
        """List i is `items[bounds[i] : bounds[i + 1]]`."""
        return cls(bounds[:-1], steps(bounds), bounds[1:], items)

    def __len__(self) -> int:
        return len(self.first)

    def at(self, numbers: Index) -> tuple[Index, Index]:
        """The items of the lists with these numbers, one list after the other, each with its position in `numbers`."""
        position, entry = self.entries(numbers)
        return position, self.items[entry]

    def entries(self, numbers: Index) -> tuple[Index, Index]:
        """The same, as indexes into `items`."""
        count = self.count[numbers]
        position = numbers_to(len(numbers)).repeat(count)
        entry = (self.ends[numbers] - np.add.accumulate(count))[position]
        entry += numbers_to(len(entry))
        return position, entry
