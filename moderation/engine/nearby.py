"""Which posts a `near` condition may hold for, by columns: whether one hit of each item stands beside the next.

It never says no where the condition says yes. Words such as a group's name and `are` stand in many posts, but seldom
beside each other: to look at these posts one by one would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.engine.conditions import Condition, Near
from moderation.engine.gather import Rows
from moderation.engine.resolve import Entries
from moderation.engine.rule import CompiledRule
from moderation.engine.signals import Signal, regex_signals
from moderation.text.lists import Index, Lists, distinct, openings, ranges, steps


@dataclass(frozen=True, slots=True)
class Nearby:
    """The conditions that can be told by columns: of two items, or in order, all terms of one view. Condition i stands
    for the signal `first` + i, which fires where it may hold; `numbers` tells these.

    A chain is a condition's items in one order: `chains` are their signals, `within` how far apart two of them are at
    most, `number` the condition by chain, and `of_rule` the chains by rule.
    """

    numbers: Mapping[Condition, int]
    of_rule: Lists
    chains: Lists
    within: Index
    number: Index
    first: int

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: Sequence[Signal]) -> Nearby:
        """Those of all rules."""
        regexes = regex_signals(signals).keys()
        by_rule = [[each for each in _nears(rule.when) if _columnar(each, signals, regexes)] for rule in rules]
        conditions = list(dict.fromkeys(each for found in by_rule for each in found))
        chains = [(at, chain) for at, each in enumerate(conditions) for chain in _orders(each)]
        numbers: dict[Condition, list[int]] = {each: [] for each in conditions}
        for number, (at, _) in enumerate(chains):
            numbers[conditions[at]].append(number)
        return cls(
            {each: len(signals) + at for at, each in enumerate(conditions)},
            Lists.of([number for each in found for number in numbers[each]] for found in by_rule),
            Lists.of(chain for _, chain in chains),
            np.array([conditions[at].within for at, _ in chains], np.int64),
            np.array([at for at, _ in chains], np.int64),
            len(signals),
        )

    def fired(self, rule: Index, entries: Sequence[Entries], rows: Rows) -> tuple[Index, Index]:
        """(post, signal) of the conditions of some rules; `entries` are the hits by view."""
        wanted = distinct(self.of_rule.at(distinct(rule))[1])
        if not len(wanted):
            return _NONE, _NONE
        found = [self._ends(wanted, _BySignal.of(each, self.first)) for each in entries]
        chain, row = (np.concatenate([each[column] for each in found]) for column in (0, 1))
        number, post = np.divmod(distinct(self.number[chain] * len(rows) + rows.owner[row]), len(rows))
        return post, self.first + number

    def _ends(self, chains: Index, hits: _BySignal) -> tuple[Index, Index]:
        """Those of some chains whose items stand one near the next, and the rows in which they do."""
        count = hits.count
        at, signal = self.chains.at(chains)
        chains = chains[np.minimum.reduceat(count[signal], openings(at)) > 0]
        if not len(chains):
            return _NONE, _NONE
        items, first = self.chains.count[chains], self.chains.first[chains]
        ends = hits.of_signals(self.chains.items[first])
        found: list[tuple[Index, Index]] = []
        for item in range(1, int(items.max()) + 1):
            over = (items == item)[ends.owner]
            found.append((chains[ends.owner[over]], ends.row[over]))
            going = (items > item).nonzero()[0]
            following = hits.of_signals(self.chains.items[first[going] + item]).owned_by(going)
            ends = following.behind(ends, self.within[chains])
        chain, row = (np.concatenate(each) for each in zip(*found, strict=True))
        return chain, row


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


@dataclass(frozen=True, slots=True)
class _Hits:
    """Hits of the next items of chains, each hit with the number of its chain: by chain, row and end, ascending."""

    owner: Index
    row: Index
    start: Index
    end: Index

    def owned_by(self, owners: Index) -> _Hits:
        """The same, numbered otherwise."""
        return _Hits(owners[self.owner], self.row, self.start, self.end)

    def behind(self, before: _Hits, within: Index) -> _Hits:
        """Those that stand near the end of a hit before them of the same chain, `within` by chain."""
        if not len(self.row) or not len(before.row):
            return _Hits(_NONE, _NONE, _NONE, _NONE)
        rows = int(max(self.row.max(), before.row.max())) + 1
        width = int(max(self.start.max(), before.end.max())) + 1
        ends = (before.owner * rows + before.row) * width + before.end
        at = (self.owner * rows + self.row) * width + self.start
        lowest = at - np.minimum(self.start, within[self.owner])
        near = ends.searchsorted(at, side="right") > ends.searchsorted(lowest)
        return _Hits(self.owner[near], self.row[near], self.start[near], self.end[near])


@dataclass(frozen=True, slots=True)
class _BySignal:
    """Hits of one view: those of signal s are rows from `bounds[s]` to `bounds[s + 1]` of row, start, end, in the order
    of row and end.
    """

    row: Index
    start: Index
    end: Index
    bounds: Index

    @classmethod
    def of(cls, entries: Entries, signals: int) -> _BySignal:
        row, _, start, end, signal, _ = entries.hits
        rows, width = int(row.max(initial=0)) + 1, int(end.max(initial=0)) + 1
        order = ((signal * rows + row) * width + end).argsort()
        return cls(row[order], start[order], end[order], signal[order].searchsorted(np.arange(signals + 1)))

    @property
    def count(self) -> Index:
        """How many hits by signal."""
        return steps(self.bounds)

    def of_signals(self, signals: Index) -> _Hits:
        """The hits of some signals, numbered by place among these."""
        first, end = self.bounds[signals], self.bounds[signals + 1]
        at = ranges(first, end)
        owner = np.arange(len(signals)).repeat(end - first)
        return _Hits(owner, self.row[at], self.start[at], self.end[at])


_NONE = np.zeros(0, np.int64)
