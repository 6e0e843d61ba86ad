"""Which heads of a classifier read which posts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from moderation.engine.scores import Scorer

NAMES = ("und", "en", "zh", "zh-Latn", "ja")
HEADS = (("offence", "zh"), ("offence", "en"), ("spam", "en"))


@pytest.fixture
def scorer() -> Scorer:
    heads = [SimpleNamespace(category=category, language=language) for category, language in HEADS]
    model: Any = SimpleNamespace(model=SimpleNamespace(heads=heads, categories=("offence", "spam")))
    return Scorer.of(model, NAMES)


@pytest.mark.parametrize(
    ("held", "read"),
    [
        ({"en": 10}, [False, True, True]),
        ({"zh-Latn": 3}, [True, False, False]),
        ({"zh": 4, "en": 1}, [True, True, True]),  # a fifth is enough
        ({"zh": 81, "en": 20}, [True, False, False]),
        ({"und": 81, "en": 20}, [True, True, True]),  # of four fifths nobody knows
        ({"und": 80, "ja": 20}, [False, False, False]),
        ({}, [True, True, True]),
    ],
)
def test_heads_read_a_fifth_of_their_language_and_what_nobody_knows(
    scorer: Scorer, held: dict[str, int], read: list[bool]
) -> None:
    language = np.array([NAMES.index(name) for name in held], np.int64)
    weight = np.array([*held.values()], np.int64)
    speech: Any = SimpleNamespace(
        owner=np.zeros(len(held), np.int64),
        letters=np.maximum(np.array([weight.sum()], np.float64), 1),
        found=SimpleNamespace(language=language, weight=weight),
    )
    assert (~scorer._unserved(speech)).tolist() == [read]


def test_the_first_head_of_a_category_and_the_others(scorer: Scorer) -> None:
    assert scorer.first.tolist() == [0, 2]
    assert scorer.more == [(0, 1)]
