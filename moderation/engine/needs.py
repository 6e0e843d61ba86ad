"""What has to fire before a rule can hold, as tables: which rules are worth a look follows from hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moderation.engine.conditions import Condition, Text
from moderation.engine.lists import Index, Lists, distinct, openings
from moderation.engine.rule import CompiledRule
from moderation.packs.regex_limits import size_of


@dataclass(frozen=True, slots=True)
class Needs:
    """Sets of signals by rule: one signal of each set has to fire.

    `sets` are the numbers of the sets by signal, `rules` the rules by set, `count` how many sets each rule has; `open`
    are the rules without sets.
    """

    sets: Lists
    rules: Lists
    count: Index
    open: tuple[int, ...]

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: int, untold: frozenset[int] = frozenset()) -> Needs:
        """`untold` are signals of which nothing is known: a set that holds one of them says nothing."""
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
        return cls(Lists.of(holding), Lists.of(owners.values()), count, tuple(np.flatnonzero(count == 0).tolist()))

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


def on_demand(rules: Sequence[CompiledRule], regexes: Mapping[int, str]) -> frozenset[int]:
    """Of the signals that are regexes, those that only rules ask for which need something else too.

    They are looked for where everything else has fired: [a-z0-9]{6,20} stands in every other post, and only beside
    加微信 does it matter. Where a rule needs nothing but regexes, the longest, which stands in the fewest posts, is
    looked for first.
    """
    demanded = set(regexes)
    for rule in rules:
        sets = rule.when.needs()
        if not sets:
            demanded.difference_update(signals_of((rule.when,)))
        elif all(needed & regexes.keys() for needed in sets):
            sizes = [min(size_of(regexes[signal])[0] for signal in needed & regexes.keys()) for needed in sets]
            demanded.difference_update(sets[sizes.index(max(sizes))])
    return frozenset(demanded)
