"""Which rules a post puts in question: those of which all parts of one way to hold stand there."""

from __future__ import annotations

import pytest

from moderation.engine.conditions import All, AnyOf, Classifier, Near, Text
from moderation.engine.needs import scores_asked, ways_of

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
