"""What has to fire before a rule can hold, as tables: which rules are worth a look follows from hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from moderation.engine.conditions import All, AnyOf, Classifier, Condition, Text
from moderation.engine.conditions import Needs as Sets
from moderation.engine.rule import CompiledRule
from moderation.text.lists import Index, Lists, distinct, openings

_MOST_WAYS = 64


@dataclass(frozen=True, slots=True)
class Needs:
    """Sets of signals by way in which a rule may come to hold: one signal of each set has to fire.

    `sets` are the numbers of the sets by signal, `ways` the ways by set, `count` how many sets each way has, `rule`
    whose way it is; `open` are the rules with a way without sets, `scored` those of the others that a score may rule
    out. Of the signals `untold` nothing is known: a set that
    holds one of them says nothing.
    """

    sets: Lists
    ways: Lists
    count: Index
    rule: Index
    open: tuple[int, ...]
    scored: tuple[int, ...]
    untold: frozenset[int]

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: int, untold: frozenset[int]) -> Needs:
        """The sets of all rules."""
        told = [[_told(way, untold) for way in ways_of(rule.when)] for rule in rules]
        ways = [(number, way) for number, found in enumerate(told) if all(found) for way in found]
        owners: dict[frozenset[int], list[int]] = {}
        for at, (_, way) in enumerate(ways):
            for needed in way:
                owners.setdefault(needed, []).append(at)
        holding: list[list[int]] = [[] for _ in range(signals)]
        for number, needed in enumerate(owners):
            for signal in needed:
                holding[signal].append(number)
        return cls(
            Lists.of(holding),
            Lists.of(owners.values()),
            np.array([len(way) for _, way in ways], np.int64),
            np.array([number for number, _ in ways], np.int64),
            tuple(number for number, found in enumerate(told) if not all(found)),
            tuple(number for number, found in enumerate(told) if all(found) and scores_asked(rules[number].when)),
            untold,
        )

    def met(self, post: Index, signal: Index) -> tuple[Index, Index]:
        """The (post, rule) pairs, sorted, where all sets of a way have a signal that fired; open rules are not among
        them.
        """
        if not len(signal):
            return post, signal
        at, number = self.sets.at(signal)
        sets = max(len(self.ways), 1)
        key = distinct(post[at] * sets + number)
        at, way = self.ways.at(key % sets)
        ways = max(len(self.count), 1)
        key = key[at] // sets * ways + way
        key.sort()
        opens = openings(key)
        fired = np.empty(len(opens), np.int64)
        fired[:-1], fired[-1:] = opens[1:] - opens[:-1], len(key) - opens[-1:]
        post, way = np.divmod(key[opens], ways)
        met = fired == self.count[way]
        rules = int(self.rule[-1]) + 1 if len(self.rule) else 1
        post, rule = np.divmod(distinct(post[met] * rules + self.rule[way[met]]), rules)
        return post, rule


def scores_asked(condition: Condition) -> tuple[Classifier, ...]:
    """The scores without which a condition can't hold."""
    if isinstance(condition, All):
        return tuple(child for child in condition.children if isinstance(child, Classifier))
    return (condition,) if isinstance(condition, Classifier) else ()


def _told(way: Sets, untold: frozenset[int]) -> Sets:
    return tuple(needed for needed in way if not needed & untold)


def ways_of(condition: Condition) -> tuple[Sets, ...]:
    """The ways in which a condition may come to hold, each with what it needs: either branch of an `any` is one."""
    match condition:
        case AnyOf():
            return tuple(dict.fromkeys(way for child in condition.children for way in ways_of(child)))
        case All():
            branches = [ways_of(child) for child in condition.children]
            if prod(map(len, branches)) <= _MOST_WAYS:
                together = (
                    tuple(dict.fromkeys(each for way in chosen for each in way)) for chosen in product(*branches)
                )
                return tuple(together)
    return (condition.needs(),)


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
        ways = ways_of(rule.when)
        if not all(ways):
            everywhere.update(signals_of((rule.when,)))
            continue
        for sets in ways:
            everywhere.update(min(sets, key=lambda needed: (sum(costs[signal] for signal in needed), sorted(needed))))
    return frozenset(range(len(costs))) - everywhere
