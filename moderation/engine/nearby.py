"""Which posts a `near` condition may hold for, by columns: whether one hit of each item stands beside the next.

It never says no where the condition says yes. Words such as a group's name and `are` stand in many posts, but seldom
beside each other: to look at these posts one by one would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from moderation.engine.conditions import Condition, Near
from moderation.engine.gather import Rows
from moderation.engine.resolve import Entries
from moderation.engine.rule import CompiledRule
from moderation.engine.signals import Signal, regex_signals
from moderation.signals.matcher import Columns
from moderation.text.lists import Index, Lists, distinct, ranges


@dataclass(frozen=True, slots=True)
class Nearby:
    """The conditions that can be told by columns: of two items, or in order, all terms of one view. Condition i stands
    for the signal `first` + i, which fires where it may hold; `numbers` tells these.

    A chain is a condition's items in one order: `chains` are their signals, `within` how far apart two of them are at
    most, `number` the condition by chain.
    """

    numbers: Mapping[Condition, int]
    chains: Lists
    within: Index
    number: Index
    first: int

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: Sequence[Signal]) -> Nearby:
        """Those of all rules."""
        regexes = regex_signals(signals).keys()
        nears = (each for rule in rules for each in _nears(rule.when) if _columnar(each, signals, regexes))
        conditions = list(dict.fromkeys(nears))
        chains = [(at, chain) for at, each in enumerate(conditions) for chain in _orders(each)]
        return cls(
            {each: len(signals) + at for at, each in enumerate(conditions)},
            Lists.of(chain for _, chain in chains),
            np.array([conditions[at].within for at, _ in chains], np.int64),
            np.array([at for at, _ in chains], np.int64),
            len(signals),
        )

    def fired(self, entries: Sequence[Entries], rows: Rows) -> tuple[Index, Index]:
        """(post, signal) of the conditions that may hold; `entries` are the hits by view."""
        views = [each.hits for each in entries if each.hits.shape[1]] if len(self.chains) else ()
        found = [each for hits in views for each in self._ends(_BySignal.of(hits, self.first))]
        if not found:
            return _NONE, _NONE
        chain, row = map(np.concatenate, zip(*found, strict=True))
        keys = distinct(self.number[chain] * len(rows) + rows.owner[row])
        return keys % len(rows), keys // len(rows) + self.first

    def _ends(self, hits: _BySignal) -> Iterator[tuple[Index, Index]]:
        """The chains whose items stand one near the next, and the rows in which they do, by their number of items."""
        chains = np.logical_and.reduceat((hits.counts > 0)[self.chains.items], self.chains.first).nonzero()[0]
        if not len(chains):
            return
        items, first, within = self.chains.count[chains], self.chains.first[chains], self.within[chains]
        owner, at = hits.of_signals(self.chains.items[first])
        for item in range(1, int(items.max())):
            ends = owner * hits.size + hits.closes[at]
            going = (items > item).nonzero()[0]
            owner, at = hits.of_signals(self.chains.items[first[going] + item])
            owner = going[owner]
            starts = owner * hits.size + hits.opens[at]
            lowest = starts - np.minimum(hits.start[at], within[owner])
            near = ends.searchsorted(starts, side="right") > ends.searchsorted(lowest)
            owner, at = owner[near], at[near]
            over = (items[owner] == item + 1).nonzero()[0]
            if len(over):
                yield chains[owner[over]], hits.row[at[over]]


def _nears(condition: Condition) -> Iterator[Near]:
    if isinstance(condition, Near):
        yield condition
    for child in condition.children:
        yield from _nears(child)


def _columnar(condition: Near, signals: Sequence[Signal], regexes: Collection[int]) -> bool:
    numbers = [child.signal for child in condition.children]
    views = {signals[number].view for number in numbers}
    plain = not any(number in regexes for number in numbers)
    return plain and len(views) == 1 and (condition.ordered or len(numbers) == 2)


def _orders(condition: Near) -> list[list[int]]:
    signals = [child.signal for child in condition.children]
    return [signals] if condition.ordered else [signals, signals[::-1]]


class _BySignal(NamedTuple):
    """Hits of one view by signal, row and end, ascending: `counts` tell how many are a signal's, from `firsts` on.

    `opens` and `closes` are start and end in the rows laid out one behind the other, `size` how much all of these take.
    """

    row: Index
    start: Index
    opens: Index
    closes: Index
    size: int
    firsts: Index
    counts: Index

    @classmethod
    def of(cls, hits: Columns, signals: int) -> _BySignal:
        row, _, start, end, signal, _ = hits
        width = int(end.max()) + 1
        size = (int(row.max()) + 1) * width
        base = row * width
        closes = base + end
        order = (signal * size + closes).argsort()
        counts = np.bincount(signal, minlength=signals)
        firsts = np.add.accumulate(counts) - counts
        return cls(row[order], start[order], (base + start)[order], closes[order], size, firsts, counts)

    def of_signals(self, signals: Index) -> tuple[Index, Index]:
        """The hits of some signals: the place of the signal among these, and the hit."""
        first, count = self.firsts[signals], self.counts[signals]
        return np.arange(len(signals)).repeat(count), ranges(first, first + count)


_NONE = np.zeros(0, np.int64)
