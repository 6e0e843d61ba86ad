"""Batches: texts as one buffer of code points."""

from __future__ import annotations

import pytest

from moderation.text.batch import Batch

TEXTS = ["你好", "", "naïve 👨‍👩‍👧", "a\0b", "\ud800x\udfff", "กำ", "कि"]


def test_rows_lie_one_after_the_other_with_a_separator_behind_each() -> None:
    batch = Batch.of(TEXTS)
    assert batch.texts == tuple(TEXTS)
    assert len(batch) == len(TEXTS)
    for row, text in enumerate(TEXTS):
        codes = batch.codes[batch.starts[row] : batch.starts[row + 1] - 1]
        assert codes.tolist() == [ord(one) for one in text]
    assert batch.codes[batch.separators].tolist() == [0] * len(TEXTS)
    assert batch.starts[-1] == len(batch.codes)


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["\0"]])
def test_small_batches(texts: list[str]) -> None:
    batch = Batch.of(texts)
    assert len(batch) == len(texts)
    assert batch.codes.tolist() == [ord(one) for text in texts for one in text + "\0"]
    assert batch.codes.dtype == "uint32" and batch.starts.dtype == "int64"
