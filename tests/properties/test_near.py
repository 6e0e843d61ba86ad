"""What columns tell of `near` conditions never rules out one that holds."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moderation

TERMS = ["a", "b", "加", "微", "信", "no"]
TEXT = st.lists(st.sampled_from([*TERMS, " ", "-", "，", "大"]), max_size=16).map("".join)
POST = TEXT | st.fixed_dictionaries({"title": TEXT, "body": TEXT})


def _near(items: str, within: int, ordered: bool) -> str:
    of = ", ".join(f"{{terms: [{item}]}}" for item in items)
    return f"near: {{of: [{of}], within: {within}, ordered: {str(ordered).lower()}}}"


WHENS = [
    _near("ab", 1, False),
    _near("ab", 2, True),
    _near("加微信", 2, True),
    _near("加微信a", 3, True),
    _near("加微信", 3, False),
    _near("aa", 2, True),
    f"any:\n  - {_near('a加', 3, False)}\n  - {_near('加微', 1, True)}",
    f"all:\n  - {_near('ab', 4, False)}\n  - terms: ['no']",
    f"all:\n  - {_near('ab', 4, False)}\n  - {_near('微信', 2, True)}\n  - not: {{terms: ['no']}}",
]


@pytest.fixture(scope="module")
def engines(engine_of: Any) -> tuple[moderation.Engine, moderation.Engine]:
    """The rules, and the same negated twice: nothing triggers those, so each is evaluated for every post."""
    return engine_of(*WHENS), engine_of(*("not:\n  not:\n" + textwrap.indent(when, "    ") for when in WHENS))


@given(posts=st.lists(POST, max_size=12))
def test_what_holds_is_looked_at(engines: Any, posts: list[Any]) -> None:
    engine, always = engines
    assert engine.outcomes(posts) == always.outcomes(posts)
    assert engine.outcomes(posts) == [found for post in posts for found in engine.outcomes([post])]
