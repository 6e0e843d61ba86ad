"""Shares of posts."""

from __future__ import annotations

import numpy as np

from moderation.language.detect import Detector
from moderation.text.batch import Batch


def test_shares_count_han_threefold_and_sum_to_one() -> None:
    segments = Detector().detect(Batch.of(["今天 really good", "😂", "这里没有"]))
    shares = segments.shares(np.arange(3), 3)
    zh, en = segments.names.index("zh"), segments.names.index("en")
    assert shares.dtype == np.float64
    assert (shares[0, zh], shares[0, en]) == (6 / 16, 10 / 16)
    assert shares.sum(axis=1).tolist() == [1, 0, 1]


def test_shares_join_the_rows_of_a_post() -> None:
    segments = Detector().detect(Batch.of(["今天", "", "hello world!", "привет"]))
    shares = segments.shares(np.array([1, 1, 1, 2]), 4)
    named = [{segments.names[number]: row[number] for number in np.flatnonzero(row)} for row in shares]
    assert named == [{}, {"zh": 6 / 16, "en": 10 / 16}, {"ru": 1}, {}]


def test_neighbours_of_one_language_are_one_segment() -> None:
    text = "今天 (ಠ_ಠ) 天气, 很好 😂 嗎"
    segments = Detector().detect(Batch.of([text]))
    assert (segments.start.tolist(), segments.end.tolist()) == ([0], [len(text)])
    assert segments.weight.tolist() == [3 * 7]


def test_columns_are_what_arrays_are_indexed_by() -> None:
    segments = Detector().detect(Batch.of(["hello 你好"]))
    types = [
        column.dtype for column in (segments.row, segments.start, segments.end, segments.language, segments.weight)
    ]
    assert set(types) == {np.dtype(np.intp)}
