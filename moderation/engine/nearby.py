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
from moderation.text.lists import Index, Lists, distinct

_WIDE = 1 << 31


@dataclass(frozen=True, slots=True)
class Nearby:
    """The conditions that can be told by columns: of two items, or in order, all terms of one view. Condition i stands
    for the signal `first` + i, which fires where it may hold; `numbers` tells these, `of_rule` the conditions by rule.
    """

    conditions: tuple[Near, ...]
    numbers: Mapping[Condition, int]
    of_rule: Lists
    first: int

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: Sequence[Signal]) -> Nearby:
        """Those of all rules."""
        regexes = regex_signals(signals).keys()
        by_rule = [[each for each in _nears(rule.when) if _columnar(each, signals, regexes)] for rule in rules]
        number = {each: at for at, each in enumerate(dict.fromkeys(each for found in by_rule for each in found))}
        numbers: dict[Condition, int] = {each: len(signals) + at for each, at in number.items()}
        return cls(
            tuple(number), numbers, Lists.of([number[each] for each in found] for found in by_rule), len(signals)
        )

    def fired(self, rule: Index, entries: Sequence[Entries], rows: Rows) -> tuple[Index, Index]:
        """(post, signal) of the conditions of some rules; `entries` are the hits by view."""
        wanted = distinct(self.of_rule.at(distinct(rule))[1]).tolist()
        hits = [_BySignal.of(each, self.first) for each in entries] if wanted else []
        posts = [np.zeros(0, np.int64)]
        signals = [np.zeros(0, np.int64)]
        for number in wanted:
            for found in hits:
                near = rows.owner[distinct(found.near(self.conditions[number]))]
                posts.append(near)
                signals.append(np.full(len(near), self.first + number))
        return np.concatenate(posts), np.concatenate(signals)


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


@dataclass(frozen=True, slots=True)
class _BySignal:
    """Hits of one view: those of signal s are rows from `bounds[s]` to `bounds[s + 1]` of row, start, end."""

    row: Index
    start: Index
    end: Index
    bounds: Index

    @classmethod
    def of(cls, entries: Entries, signals: int) -> _BySignal:
        order = entries.signal.argsort(kind="stable")
        order = order[~entries.excepting[order]]
        row, _, start, end = entries.hits[:, order]
        return cls(row, start, end, entries.signal[order].searchsorted(np.arange(signals + 1)))

    def near(self, condition: Near) -> Index:
        """The rows in which one hit of each item stands near the next."""
        items = [self._of(child.signal) for child in condition.children]
        if not all(len(item[0]) for item in items):
            return _NONE
        chains = [items] if condition.ordered else [items, items[::-1]]
        return np.concatenate([_chained(chain, condition.within) for chain in chains])

    def _of(self, signal: int) -> tuple[Index, Index, Index]:
        which = slice(int(self.bounds[signal]), int(self.bounds[signal + 1]))
        return self.row[which], self.start[which], self.end[which]


def _chained(items: Sequence[tuple[Index, Index, Index]], within: int) -> Index:
    """The rows of hits of the last item that end a chain of all items."""
    row, _, end = items[0]
    for next_row, start, next_end in items[1:]:
        ends = row * _WIDE + end
        ends.sort()
        at = next_row * _WIDE + start
        lowest = at - np.minimum(start, within)
        reached = ends.searchsorted(at, side="right") > ends.searchsorted(lowest)
        row, end = next_row[reached], next_end[reached]
    return row


_NONE = np.zeros(0, np.int64)
