"""What has to fire before a rule can hold, as tables: which rules are worth a look follows from hits alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import prod
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from moderation.engine.conditions import All, AnyOf, Classifier, Condition, Field, Period, Text
from moderation.engine.conditions import Needs as Sets
from moderation.engine.rule import CompiledRule
from moderation.text.lists import Index, Lists, all_true, constant, distinct, held_in, openings

_MOST_WAYS = 64
# What a signal costs that is looked for anyway, and how often rules look anew at what others have chosen.
_ANYWAY, _ROUNDS = 0.2, 3
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a rule's condition is told by columns; `silent` where that asks for no signal."""

    rule: int
    condition: Condition
    silent: bool

    @classmethod
    def of(cls, rule: int, condition: Condition) -> Asked:
        return cls(rule, _easy_first(condition), not any(True for _ in signals_of((condition,))))


def _easy_first(condition: Condition) -> Condition:
    """The cheap and rare first: a score is high in few posts. What looks at posts one by one has the last word, on what
    the columns leave.
    """
    if isinstance(condition, AnyOf):
        return AnyOf(tuple(map(_easy_first, condition.children)))
    if isinstance(condition, All):
        return All(tuple(sorted(map(_easy_first, condition.children), key=_effort)))
    return condition


def _effort(condition: Condition) -> int:
    return 0 if isinstance(condition, Classifier) else 2 if isinstance(condition, Field | Period) else 1


@dataclass(frozen=True, slots=True)
class Needs:
    """Sets of signals by way in which a rule may come to hold: one signal of each set has to fire.

    Of a way's sets the one that is expected to fire least is looked at first: `triggered` are the ways by signal of
    that set, `others` the numbers of the other sets by way, `sets` the sets by signal, `rule` whose way it is, of so
    many `rules`. `open` are the rules with a way without sets, `scored` those of the others that a score may rule out.
    Of the signals `untold` nothing is known: a set that holds one of them says nothing.
    """

    triggered: Lists
    others: Lists
    sets: Lists
    rule: Index
    rules: Index
    open: tuple[Asked, ...]
    scored: tuple[Asked, ...]
    untold: frozenset[int]

    @classmethod
    def of(
        cls,
        rules: Sequence[CompiledRule],
        costs: Sequence[float],
        untold: frozenset[int],
        whole: Mapping[Condition, int] = MappingProxyType({}),
    ) -> Needs:
        """The sets of all rules; `costs` tell by signal how often it is expected to fire, `whole` are signals behind
        these that say of conditions as such whether they may hold.
        """
        told = [[_told(way, untold) for way in ways_of(rule.when, whole)] for rule in rules]
        ways = [(number, _rarest_first(way, costs)) for number, found in enumerate(told) if all(found) for way in found]
        others = {each: at for at, each in enumerate(dict.fromkeys(each for _, way in ways for each in way[1:]))}
        signals = len(costs) + len(whole)
        return cls(
            _holding([way[0] for _, way in ways], signals),
            Lists.of([others[needed] for needed in way[1:]] for _, way in ways),
            _holding([*others], signals),
            np.array([number for number, _ in ways], np.int64),
            constant(len(rules), np.int64),
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
        at, way = self.triggered.at(signal)
        if not len(way):
            return _NONE, _NONE
        triggered = post[at]
        several = self.others.count[way].nonzero()[0]
        if len(several):
            kept = all_true(len(way))
            kept[several] = self._together(triggered[several], way[several], post, signal)
            triggered, way = triggered[kept], way[kept]
            if not len(way):
                return _NONE, _NONE
        met = triggered * self.rules
        met += self.rule[way]
        return np.divmod(distinct(met), self.rules)

    def _together(self, triggered: Index, way: Index, post: Index, signal: Index) -> NDArray[np.bool_]:
        """For which posts all the other sets of ways fired too."""
        sets = constant(len(self.others.items), np.int64)
        at, of = self.sets.at(signal)
        fired = post[at] * sets
        fired += of
        fired.sort()
        at, of = self.others.at(way)
        wanted = triggered[at] * sets
        wanted += of
        held = held_in(wanted, fired)
        return np.asarray(np.logical_and.reduceat(held, openings(at)))


def _rarest_first(way: Sets, costs: Sequence[float]) -> Sets:
    """A way's sets, the one that is expected to fire least first: of conditions told as a whole there are no costs."""
    rarest = min(way, key=lambda needed: sum(costs[signal] for signal in needed if signal < len(costs)))
    return (rarest, *(needed for needed in way if needed is not rarest))


def _holding(sets: Sequence[frozenset[int]], signals: int) -> Lists:
    """The numbers of the sets by signal."""
    holding: list[list[int]] = [[] for _ in range(signals)]
    for number, needed in enumerate(sets):
        for signal in needed:
            holding[signal].append(number)
    return Lists.of(holding)


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
    What is looked for anyway, for another rule, costs a fifth: who names a group is looked at once for all that may be
    said of it.
    """
    found = [ways_of(rule.when) for rule in rules]
    asked = [rule.when for rule, ways in zip(rules, found, strict=True) if not all(ways)]
    uses = Counter(signals_of(asked))
    ways = list(dict.fromkeys(way for ways in found if all(ways) for way in ways))
    chosen = [_cheapest(way, costs, uses) for way in ways]
    uses.update(chain.from_iterable(chosen))
    for _ in range(_ROUNDS):
        for at, way in enumerate(ways):
            uses.subtract(chosen[at])
            chosen[at] = _cheapest(way, costs, uses)
            uses.update(chosen[at])
    return frozenset(range(len(costs))) - {signal for signal, count in uses.items() if count}


def _cheapest(way: Sets, costs: Sequence[float], uses: Mapping[int, int]) -> frozenset[int]:
    return min(
        way,
        key=lambda needed: (
            sum([costs[signal] * (_ANYWAY if uses[signal] else 1) for signal in needed]),
            sorted(needed),
        ),
    )
