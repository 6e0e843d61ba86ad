"""Whose business a hit is: which rules ask for a signal, in bits, so that hits that no rule in question asks for are
dropped before anything is done with them.

`他们` and `are` stand in every other post, and a post for which one rule is in question holds the words of twenty.
Bits stand for several rules each: hits too many may be kept, but none too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moderation.engine.signals import ViewPlan
from moderation.signals.matcher import Bits
from moderation.text.lists import Index, Lists, constant, openings

ALL_RULES = ~np.uint64(0)
_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Interest:
    """The bits of the rules that ask for each signal, by view for the signals of each pattern, and by view for those of
    all its terms on demand.
    """

    signal: Bits
    patterns: tuple[Bits, ...]
    late: tuple[Bits, ...]

    @classmethod
    def of(cls, asked: Lists, signals: int, views: Sequence[ViewPlan]) -> Interest:
        """From the signals that each rule asks for."""
        bits = np.zeros(signals, np.uint64)
        np.bitwise_or.at(bits, asked.items, _bit(np.arange(len(asked)).repeat(asked.count)))
        patterns = tuple(np.bitwise_or.reduceat(bits[view.signal], view.entries.first) for view in views)
        return cls(bits, patterns, tuple(_of_late_terms(*each) for each in zip(views, patterns, strict=True)))


def _of_late_terms(view: ViewPlan, patterns: Bits) -> Bits:
    terms = len(view.terms)
    return constant(np.bitwise_or.reduce(patterns[:terms][view.late[:terms]]), np.uint64)


def by_post(post: Index, rule: Index, posts: int) -> Bits:
    """The bits of the rules in question for each of so many posts; the pairs are sorted by post."""
    bits = np.zeros(posts, np.uint64)
    if len(post):
        first = openings(post)
        bits[post[first]] = np.bitwise_or.reduceat(_bit(rule), first)
    return bits


def _bit(rule: Index) -> Bits:
    return np.uint64(1) << (rule % _WIDTH).astype(np.uint64)
