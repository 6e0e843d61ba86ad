"""Several hits of a regex: posts that cannot hold so many are not looked at, and all others as ever."""

from __future__ import annotations

from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

POLICY = "uncovered: allow\nfields: [title, text]"
PIECES = ["@ab", "@", "＠cd", "@@x", "ab@cd.ef", "#早", "#", "早", "い", "😀", "🏴", "ab", " ", "https://a.bc", "://"]
REGEXES = [
    r"@[a-z]+",
    r"(?<=@)[a-z]",
    r"#\w(?=@|$| )",
    r"@+|#+",
    r"[😀-😆🏴]",
    r"https?://[a-z]",
    r"[a-z]{1,9}@[a-z]+(?:\.[a-z]+)?",
    r"(?:@)?a",
    r"(?:@|#)[a-z早]",
    r"[@-Z]b?",
]


@pytest.fixture(scope="module")
def engines(engine_of: Any) -> dict[tuple[str, int], Any]:
    """One for each regex and number of hits."""
    return {
        (pattern, least): engine_of(f"count: {{of: {{regex: '{pattern}'}}, at_least: {least}}}", policy=POLICY)
        for pattern in REGEXES
        for least in (2, 3)
    }


@pytest.mark.parametrize("least", [2, 3])
@pytest.mark.parametrize("pattern", REGEXES)
@settings(max_examples=25)
@given(posts=st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), max_size=6))
def test_hits_are_counted_as_the_regex_finds_them(
    engines: dict[tuple[str, int], Any], pattern: str, least: int, posts: list[str]
) -> None:
    found = engines[pattern, least].outcomes(posts)
    folded = [post.replace("＠", "@") for post in posts]
    expected = [sum(1 for _ in regex.finditer(pattern, post, regex.IGNORECASE)) >= least for post in folded]
    assert [bool(each) for each in found] == expected


def test_all_fields_of_a_post_count(engines: dict[tuple[str, int], Any]) -> None:
    posts = [
        {"title": "@ab", "text": "@cd @ef"},
        {"title": "@ab", "text": "@ @cd"},
        {"title": "no", "text": "@cd @ef @gh"},
        {"title": "@cd @ef", "text": "no"},
    ]
    assert [bool(each) for each in engines["@[a-z]+", 3].outcomes(posts)] == [True, False, True, False]


def test_another_rule_asks_for_one_hit(engine_of: Any) -> None:
    one, many = "regex: '@[a-z]+'", "count: {of: {regex: '@[a-z]+'}, at_least: 3}"
    engine = engine_of(one, many, policy=POLICY)
    assert [*map(len, engine.outcomes(["@ab", "@ab @cd @ef", "ab"]))] == [1, 2, 0]
    spared = engine_of(f"all: [{{terms: [ab]}}, {{not: {{{one}}}}}]", many, policy=POLICY)
    assert [*map(len, spared.outcomes(["ab @cd", "ab"]))] == [0, 1]


def test_explaining_shows_the_hits_that_were_too_few(engine_of: Any) -> None:
    engine = engine_of("count: {of: {regex: '@[a-z]+'}, at_least: 3}", policy=POLICY)
    explanation = engine.explain("@ab @cd", ["zh/test/rule-0"])
    assert "@cd" in repr(explanation)
