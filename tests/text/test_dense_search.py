"""Literals found by tables and by an automaton: the same as a plain search finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.text.dense_search import DenseSearch

LITERALS = st.text("ab打人烧了𠮷😀\uffff\x00", min_size=1, max_size=4)
TEXTS = st.text("abc打人烧了𠮷😀\uffff\x00 ", max_size=40)


def occurrences(literals: list[str], text: str) -> list[tuple[int, int, int]]:
    """By looking for each at each place."""
    return sorted(
        (number, start, start + len(literal))
        for number, literal in enumerate(literals)
        for start in range(len(text))
        if text.startswith(literal, start)
    )


def found(literals: list[str], text: str) -> list[tuple[int, int, int]]:
    return sorted(map(tuple, DenseSearch(literals).find(text).T.tolist()))


@given(st.lists(LITERALS, min_size=1, max_size=20, unique=True), TEXTS)
def test_all_occurrences_are_found(literals: list[str], text: str) -> None:
    assert found(literals, text) == occurrences(literals, text)


@pytest.mark.parametrize("text", ["", "打", "打人", "了打人打", "\U0010ffff\U0010ffff", "가나다", "ก็", "क्षि", "かな"])
def test_texts_of_any_script(text: str) -> None:
    literals = ["打", "打人", "了打", "人打人", "\U0010ffff", "나", "ก็", "क्", "かな", "な"]
    assert found(literals, text) == occurrences(literals, text)


def test_literals_that_share_a_slot() -> None:
    """More pairs than there are slots: some have to share."""
    pairs = [chr(0x4E00 + first) + chr(0x4E00 + second) for first in range(400) for second in range(400)]
    text = pairs[0] + pairs[399] + pairs[-1] + "".join(pairs[12_345::7919])
    assert found(pairs, text) == occurrences(pairs, text)
