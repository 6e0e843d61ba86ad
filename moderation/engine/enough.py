"""Regexes of which several hits are asked for: where a post cannot hold so many, they are not tried.

Every second post of some feeds names somebody, @him, and hardly any names ten. Each match of `@\\w+` holds an @ of its
own: a post with fewer of these than hits are asked for needs no closer look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.engine.conditions import Condition, Count, Text
from moderation.engine.gather import Rows
from moderation.engine.rule import CompiledRule
from moderation.engine.signals import ViewPlan
from moderation.signals.codepoints import Ranges
from moderation.signals.matcher import Pairs
from moderation.signals.prefilter import prefilter_of
from moderation.text.lists import ranges
from moderation.text.views import View

_MOST_RANGES = 8


class Asked(NamedTuple):
    """A regex of which `least` hits are asked for, each with a character of its own out of `held`."""

    pattern: int
    least: int
    held: Ranges


def asked_often(plan: ViewPlan, rules: Sequence[CompiledRule]) -> tuple[Asked, ...]:
    """The regexes of a view of which any rule that asks for them asks for several hits."""
    least: dict[int, int] = {}
    for signal, hits in _hits_asked(rule_part for rule in rules for rule_part in (rule.when, rule.unless)):
        least[signal] = min(hits, least.get(signal, hits))
    return tuple(_asked(plan, least))


def _hits_asked(conditions: Iterable[Condition | None]) -> Iterator[tuple[int, int]]:
    """(signal, how many of its hits are asked for at least), for each place that asks for it."""
    for condition in conditions:
        if isinstance(condition, Count):
            yield condition.children[0].signal, condition.at_least
        elif isinstance(condition, Text):
            yield condition.signal, 1
        elif condition is not None:
            yield from _hits_asked(condition.children)


def _asked(plan: ViewPlan, least: Mapping[int, int]) -> Iterator[Asked]:
    for pattern, compiled in enumerate(plan.matcher.compiled, start=len(plan.terms)):
        hits = min(least.get(signal, 1) for signal in plan.signals_of(pattern))
        filtered = prefilter_of(compiled) if hits > 1 else None
        if filtered is not None and 0 < len(filtered.held) <= _MOST_RANGES:
            yield Asked(pattern, hits, filtered.held)


def enough(asked: Sequence[Asked], possible: Pairs, view: View, rows: Rows) -> Pairs:
    """Of the (row, pattern) pairs where regexes may match, those of posts that may hold as many hits as are asked
    for.
    """
    for pattern, least, held in asked:
        at = (possible[1] == pattern).nonzero()[0]
        if len(at):
            owner = rows.owner[possible[0, at]]
            found = np.bincount(owner, _characters(view, possible[0, at], held), len(rows))
            possible = np.delete(possible, at[found[owner] < least], axis=1)
    return possible


def _characters(view: View, rows: NDArray[np.int64], held: Ranges) -> NDArray[np.int64]:
    """How many characters out of some ranges stand in each of some rows."""
    opens, closes = view.starts[rows], view.starts[rows + 1]
    codes = view.codes[ranges(opens, closes)]
    hit = np.logical_or.reduce([(codes >= low) & (codes <= high) for low, high in held])
    lengths = closes - opens
    counted: NDArray[np.int64] = np.add.reduceat(hit.astype(np.int64), lengths.cumsum() - lengths)
    return counted
