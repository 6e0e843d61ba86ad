"""What holds for the segments of any texts."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.language.detect import Detector
from moderation.language.segments import Segments
from moderation.text.batch import Batch

PIECES = (
    "hello ", "where can I find the settings of this ", "je ne sais pas quoi dire ", "Ik weet het echt niet ", "u1s1",
    "wo bu zhidao zenme ban ", "friend", "yyds", "vx", "a", "é", "e\u0301", "que tal ", "der ",
    "你好", "好", "益", "の", "ー", "ノ",
    "は", "カタカナ", "네", "ㅠ", "Привет ", "д", "і", "سلام ", "ک", "नमस्ते ", "छ", "สวัสดี", "ಠ", "ω", "γεια", "שלום",
    "გ", "😂", "𝓱𝓮", "\u064b", "\ufe0f", "\u200d", "\0", "\ud800", " ", "\n", "@", "#", "@bob", "#tag",
    "://", "https://t.cn/a", "www.", ".", ".com", "1", "_",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=()), max_size=14).map("".join)
HINTS = st.sampled_from([None, "en", "zh", "ja", "zh-Hant", "pt_BR", "xx", ""])


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def rows(segments: Segments, count: int) -> list[list[tuple[int, ...]]]:
    """The segments by row."""
    columns = (segments.start, segments.end, segments.language, segments.weight)
    found: list[list[tuple[int, ...]]] = [[] for _ in range(count)]
    for row, *rest in zip(segments.row.tolist(), *(column.tolist() for column in columns), strict=True):
        found[row].append(tuple(rest))
    return found


@given(posts=st.lists(st.tuples(TEXTS, HINTS), max_size=12), data=st.data())
def test_a_row_is_judged_by_itself(
    detector: Detector, posts: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(posts))))
    texts, hints = [text for text, _ in posts], [hint for _, hint in posts]
    alone = [rows(detector.detect(Batch.of([text]), [hint]), 1)[0] for text, hint in posts]
    assert rows(detector.detect(Batch.of(texts), hints), len(posts)) == alone
    shuffled = detector.detect(Batch.of([texts[row] for row in order]), [hints[row] for row in order])
    assert rows(shuffled, len(posts)) == [alone[row] for row in order]


@given(texts=st.lists(TEXTS, max_size=8))
def test_no_hint_is_like_no_hints(detector: Detector, texts: list[str]) -> None:
    without = rows(detector.detect(Batch.of(texts)), len(texts))
    assert rows(detector.detect(Batch.of(texts), [None] * len(texts)), len(texts)) == without


@given(texts=st.lists(TEXTS, max_size=8))
def test_segments_lie_in_order_inside_their_texts(detector: Detector, texts: list[str]) -> None:
    segments = detector.detect(Batch.of(texts))
    assert segments.row.tolist() == sorted(segments.row.tolist())
    for text, found in zip(texts, rows(segments, len(texts)), strict=True):
        assert all(0 <= start < end <= len(text) and weight > 0 for start, end, _, weight in found)
        assert all(before[1] <= after[0] and before[2] != after[2] for before, after in pairwise(found))
        assert all(is_letter(text[start]) and is_letter(text[end - 1]) for start, end, _, _ in found)


def is_letter(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character)
    return unicodedata.category(plain[0])[0] in "LMN" or unicodedata.category(character) in ("So", "Cn")


@given(texts=st.lists(TEXTS, max_size=8), data=st.data())
def test_shares_of_a_post_sum_to_one_or_nothing(detector: Detector, texts: list[str], data: st.DataObject) -> None:
    owner = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(texts), max_size=len(texts))), np.int64)
    segments = detector.detect(Batch.of(texts))
    totals = segments.shares(owner, 4).sum(axis=1)
    with_text = set(owner[segments.row].tolist())
    assert np.allclose(totals, [float(post in with_text) for post in range(4)])
