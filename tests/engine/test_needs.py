"""Which rules a post puts in question: those of which all parts of one way to hold stand there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from moderation.engine.conditions import All, AnyOf, Classifier, Condition, Field, Language, Near, Text
from moderation.engine.needs import Asked, Needs, scores_asked, ways_of
from moderation.engine.rule import CompiledRule

A, B, C, D = (Text("terms", name, signal) for signal, name in enumerate("abcd"))


def signals(condition: All | AnyOf | Near | Text) -> list[list[list[int]]]:
    return [[sorted(needed) for needed in way] for way in ways_of(condition)]


def near(*children: Text) -> Near:
    return Near("near", children, 8, False)


@pytest.mark.parametrize(
    ("condition", "ways"),
    [
        (A, [[[0]]]),
        (AnyOf((near(A, B), near(C, D))), [[[0], [1]], [[2], [3]]]),
        (All((A, AnyOf((near(B, C), D)))), [[[0], [1], [2]], [[0], [3]]]),
        (AnyOf((near(A, B), near(A, B))), [[[0], [1]]]),
        (AnyOf((A, Classifier("classifier", "hate", 0.5))), [[[0]], []]),
    ],
)
def test_each_branch_is_a_way(condition: All | AnyOf | Text, ways: list[list[list[int]]]) -> None:
    assert signals(condition) == ways


def test_too_many_ways_are_one() -> None:
    many = All(tuple(AnyOf((A, B, C, D)) for _ in range(4)))
    assert signals(many) == [[[0, 1, 2, 3]]]


def test_scores_that_all_branches_ask_for() -> None:
    score = Classifier("classifier", "hate", 0.5)
    assert scores_asked(All((A, score))) == (score,)
    assert scores_asked(AnyOf((A, score))) == ()


def rule(number: int, when: Condition) -> CompiledRule:
    return CompiledRule(f"p/{number}", "flag", True, "spam", 1, {}, frozenset(), when, None)


SCORE = Classifier("classifier", "hate", 0.5)
RULES = [
    rule(0, SCORE),
    rule(1, All((A, B))),
    rule(2, AnyOf((C, near(B, D)))),
    rule(3, SCORE),
    rule(4, All((A, D, AnyOf((B, C))))),
]


@pytest.mark.parametrize("costs", [(1.0, 2.0, 3.0, 4.0), (4.0, 3.0, 2.0, 1.0), (0.0, 0.0, 0.0, 0.0)])
@pytest.mark.parametrize(
    ("fired", "met"),
    [
        ([], []),
        ([(0, 0)], []),
        ([(0, 0), (0, 1)], [(0, 1)]),
        ([(0, 0), (1, 1)], []),
        ([(3, 2), (3, 2), (1, 3), (1, 1)], [(1, 2), (3, 2)]),
        ([(7, 3), (7, 0), (2, 0), (7, 2), (2, 1)], [(2, 1), (7, 2), (7, 4)]),
    ],
)
def test_rules_of_which_a_way_has_fired(costs: Any, fired: list[tuple[int, int]], met: list[tuple[int, int]]) -> None:
    """Whichever set is looked at first; open rules, of which nothing has to fire, are not told."""
    needs = Needs.of(RULES, costs, frozenset())
    post, signal = np.array(fired, np.int64).reshape(-1, 2).T
    assert list(zip(*map(np.ndarray.tolist, needs.met(post, signal)), strict=True)) == met
    assert [asked.rule for asked in needs.open] == [0, 3]


def test_what_is_untold_says_nothing() -> None:
    needs = Needs.of(RULES, (1.0, 2.0, 3.0, 4.0), frozenset((1, 3)))
    post, rules = needs.met(np.array([5, 6]), np.array([0, 2]))
    assert list(zip(post.tolist(), rules.tolist(), strict=True)) == [(5, 1), (5, 4)]
    assert [asked.rule for asked in needs.open] == [0, 2, 3]


def test_the_last_word_has_what_looks_at_posts_one_by_one() -> None:
    field = Field("field", "region", (("eq", "x"),))
    language = Language("language", ("en",), 0.5)
    asked = Asked.of(0, All((field, language, SCORE)))
    assert asked.condition.children == (SCORE, language, field)
    assert asked.silent
    assert not Asked.of(0, All((field, A))).silent
