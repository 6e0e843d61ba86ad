"""What has to fire before a rule can hold, as tables: which rules are worth a look follows from hits alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from types import MappingProxyType

import numpy as np

from moderation.engine.conditions import All, AnyOf, Classifier, Condition, Text
from moderation.engine.conditions import Needs as Sets
from moderation.engine.rule import CompiledRule
from moderation.text.lists import Index, Lists, distinct, held_in, openings, ranges, steps

_MOST_WAYS = 64
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a rule's condition is told by columns; `silent` where that asks for no signal."""

    rule: int
    condition: Condition
    silent: bool

    @classmethod
    def of(cls, rule: int, condition: Condition) -> Asked:
        return cls(rule, condition, not any(True for _ in signals_of((condition,))))


@dataclass(frozen=True, slots=True)
class Needs:
    """Sets of signals by way in which a rule may come to hold: one signal of each set has to fire.

    `sets` are the numbers of the sets by signal, `ways` the sets by way, `rule` whose way it is; `open` are the rules
    with a way without sets, `scored` those of the others that a score may rule out. Of the signals `untold` nothing is
    known: a set that holds one of them says nothing.
    """

    sets: Lists
    ways: Lists
    rule: Index
    open: tuple[Asked, ...]
    scored: tuple[Asked, ...]
    untold: frozenset[int]

    @classmethod
    def of(
        cls,
        rules: Sequence[CompiledRule],
        signals: int,
        untold: frozenset[int],
        whole: Mapping[Condition, int] = MappingProxyType({}),
    ) -> Needs:
        """The sets of all rules; `whole` are signals that say of conditions as such whether they may hold."""
        told = [[_told(way, untold) for way in ways_of(rule.when, whole)] for rule in rules]
        ways = [(number, way) for number, found in enumerate(told) if all(found) for way in found]
        number = {each: at for at, each in enumerate(dict.fromkeys(each for _, way in ways for each in way))}
        holding: list[list[int]] = [[] for _ in range(signals + len(whole))]
        for needed, at in number.items():
            for signal in needed:
                holding[signal].append(at)
        return cls(
            Lists.of(holding),
            Lists.of([number[needed] for needed in way] for _, way in ways),
            np.array([number for number, _ in ways], np.int64),
            tuple(Asked.of(number, rules[number].when) for number, found in enumerate(told) if not all(found)),
            tuple(
                Asked.of(number, All(scores))
                for number, found in enumerate(told)
                if all(found) and (scores := scores_asked(rules[number].when))
            ),
            untold,
        )

    def met(self, post: Index, signal: Index) -> tuple[Index, Index]:
        """The (post, rule) pairs, sorted, where all sets of a way have a signal that fired; open rules are not among
        them.
        """
        if not len(signal):
            return post, signal
        if not len(self.rule):
            return _NONE, _NONE
        at, number = self.sets.at(signal)
        posts = int(post.max()) + 1
        fired = distinct(number * posts + post[at])
        sets = int(self.ways.items.max(initial=0)) + 1
        way, post = self._together(fired, fired.searchsorted(np.arange(sets + 1) * posts), posts)
        rules = int(self.rule.max()) + 1
        post, rule = np.divmod(distinct(post * rules + self.rule[way]), rules)
        return post, rule

    def _together(self, fired: Index, bounds: Index, posts: int) -> tuple[Index, Index]:
        """The (way, post) pairs for which all sets fired: of the posts of a way's rarest set those that the others have
        too. `fired` are sorted keys, set * posts + post, those of a set from `bounds[set]` to `bounds[set + 1]`.
        """
        count = steps(bounds)
        fewest = np.minimum.reduceat(count[self.ways.items], self.ways.first)
        ways = fewest.nonzero()[0]
        at, sets = self.ways.at(ways)
        rare = (count[sets] == fewest[ways[at]]).nonzero()[0]
        rarest = sets[rare[openings(at[rare])]]
        first, end = bounds[rarest], bounds[rarest + 1]
        way, post = ways.repeat(end - first), fired[ranges(first, end)] % posts
        several = (self.ways.count[way] > 1).nonzero()[0]
        if len(several):
            at, sets = self.ways.at(way[several])
            keys = sets * posts + post[several[at]]
            held = held_in(keys, fired)
            kept = np.ones(len(way), np.bool_)
            kept[several] = np.logical_and.reduceat(held, openings(at))
            way, post = way[kept], post[kept]
        return way, post


def scores_asked(condition: Condition) -> tuple[Classifier, ...]:
    """The scores without which a condition can't hold."""
    if isinstance(condition, All):
        return tuple(child for child in condition.children if isinstance(child, Classifier))
    return (condition,) if isinstance(condition, Classifier) else ()


def _told(way: Sets, untold: frozenset[int]) -> Sets:
    return tuple(needed for needed in way if not needed & untold)


def ways_of(condition: Condition, whole: Mapping[Condition, int] = MappingProxyType({})) -> tuple[Sets, ...]:
    """The ways in which a condition may come to hold, each with what it needs: either branch of an `any` is one. Of
    conditions that are told as a `whole`, it is that signal.
    """
    if whole and (number := whole.get(condition)) is not None:
        return ((frozenset((number,)),),)
    match condition:
        case AnyOf():
            return tuple(dict.fromkeys(way for child in condition.children for way in ways_of(child, whole)))
        case All():
            branches = [ways_of(child, whole) for child in condition.children]
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
