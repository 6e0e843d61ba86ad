"""What has to fire before a rule can hold, as tables: which rules are worth a look follows from hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.engine.conditions import Condition, Text
from moderation.engine.rule import CompiledRule
from moderation.text.lists import Index, Lists, distinct, openings


@dataclass(frozen=True, slots=True)
class Needs:
    """Sets of signals by rule: one signal of each set has to fire.

    `sets` are the numbers of the sets by signal, `rules` the rules by set, `count` how many sets each rule has; `open`
    are the rules without sets. Of the signals `untold` nothing is known: a set that holds one of them says nothing.
    """

    sets: Lists
    rules: Lists
    count: Index
    open: tuple[int, ...]
    untold: frozenset[int]

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: int, untold: frozenset[int]) -> Needs:
        """The sets of all rules."""
        owners: dict[frozenset[int], list[int]] = {}
        for number, rule in enumerate(rules):
            for needed in rule.when.needs():
                if not needed & untold:
                    owners.setdefault(needed, []).append(number)
        holding: list[list[int]] = [[] for _ in range(signals)]
        for number, needed in enumerate(owners):
            for signal in needed:
                holding[signal].append(number)
        count = np.zeros(len(rules), np.int64)
        np.add.at(count, [rule for owned in owners.values() for rule in owned], 1)
        return cls(
            Lists.of(holding), Lists.of(owners.values()), count, tuple(np.flatnonzero(count == 0).tolist()), untold
        )

    def met(self, post: Index, signal: Index) -> tuple[Index, Index]:
        """The (post, rule) pairs, sorted, all of whose sets have a signal that fired; open rules are not among them."""
        if not len(signal):
            return post, signal
        at, number = self.sets.at(signal)
        sets = max(len(self.rules), 1)
        key = distinct(post[at] * sets + number)
        at, rule = self.rules.at(key % sets)
        rules = max(len(self.count), 1)
        key = key[at] // sets * rules + rule
        key.sort()
        opens = openings(key)
        fired = np.empty(len(opens), np.int64)
        fired[:-1], fired[-1:] = opens[1:] - opens[:-1], len(key) - opens[-1:]
        post, rule = np.divmod(key[opens], rules)
        met = fired == self.count[rule]
        return post[met], rule[met]


def signals_of(conditions: Iterable[Condition | None]) -> Iterator[int]:
    """The signals that conditions ask for, at any depth."""
    for condition in conditions:
        if isinstance(condition, Text):
            yield condition.signal
        elif condition is not None:
            yield from signals_of(condition.children)


def on_demand(rules: Sequence[CompiledRule], costs: Sequence[float]) -> frozenset[int]:
    """The signals that are looked for only where all else that their rules need has fired; `costs` tells by signal how
    often it is expected to fire.

    Of what a rule needs, only the rarest set is looked for everywhere: 人 stands in every other post, and matters only
    beside a threat, [a-z0-9]{6,20} only beside 加微信, and what is in `unless` only where a rule would hold without it.
    """
    everywhere: set[int] = set()
    for rule in rules:
        sets = rule.when.needs()
        if sets:
            everywhere.update(min(sets, key=lambda needed: (sum(costs[signal] for signal in needed), sorted(needed))))
        else:
            everywhere.update(signals_of((rule.when,)))
    return frozenset(range(len(costs))) - everywhere
