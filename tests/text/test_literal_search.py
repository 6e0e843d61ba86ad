"""Every occurrence of many literals: whatever package finds them, those that a plain search finds."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.text.literal_search import Literals, LiteralSearch, Occurrences

ALPHABET = "ab \0微信é😀ก"
LITERALS = st.lists(st.text(ALPHABET, min_size=1, max_size=4), max_size=8)


@pytest.fixture(params=["daachorse", "ahocorasick_rs"])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "ahocorasick_rs":
        monkeypatch.setitem(sys.modules, "daachorse", None)
    else:
        pytest.importorskip("daachorse")
        monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    return str(request.param)


def listed(found: Occurrences) -> list[tuple[int, int, int]]:
    return sorted(map(tuple, found.T.tolist()))


def expected(literals: Literals, text: str | bytes) -> list[tuple[int, int, int]]:
    return [
        (number, at, at + len(literal))
        for number, literal in enumerate(literals)
        for at in range(len(text))
        if text[at : at + len(literal)] == literal
    ]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("literals", "text"),
    [
        ([], "any"),
        (["微信", "信", "微"], ""),
        (["微信", "信", "微", "😀", "a\0b"], "加微信😀微\0信a\0b😀😀"),
        (["aa", "a", "aaa", "aa"], "aaaa"),
        (["กา", "é", "e\u0301"], "กากา café cafe\u0301"),
        ([b" as ", b" a "], b" as as a  a as"),
    ],
)
def test_all_occurrences_are_found(literals: Literals, text: str | bytes) -> None:
    found = LiteralSearch(literals).find(text)
    assert listed(found) == sorted(expected(literals, text))


@given(LITERALS, st.text(ALPHABET, max_size=40))
def test_occurrences_are_those_of_a_plain_search(literals: list[str], text: str) -> None:
    assert listed(LiteralSearch(literals).find(text)) == sorted(expected(literals, text))
    encoded = [literal.encode() for literal in literals]
    assert listed(LiteralSearch(encoded).find(text.encode())) == sorted(expected(encoded, text.encode()))
