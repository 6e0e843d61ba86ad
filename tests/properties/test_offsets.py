"""Whatever the text, a fold keeps its way back to what was written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.text.batch import Batch
from moderation.text.edges import script_edges, word_edges
from moderation.text.folding import fold, fold_all
from moderation.text.views import View, folded_view, original_view, tricks

ANY = st.characters(exclude_categories=())
TELLING = st.sampled_from(
    "aAß1 .\t\n\0\u3000\u00a0\ud800\udfff…ﬀﷺ㎏é\u0301\u0306\u0308\u0344иЙеё\u200b\u200d\u00ad\ufe0f\u202e\U000e0061"
    "かはガｶﾞﾟ゛\u3099\u309a門门⾨後ㄱㅏ\u1100\u1161\u11a8가각\u3164कऩन\u093c\u094dी\u0958ো\u09c7\u09beেෝ\u0dd9\u0dcf\u0dca"
    "ทำ\u0e4d\u0e32่ا\u064b\u0654أـש\u05c1\ufb2aㅋİıſΑᾳ\u0345ς𝐟Ⓕ🅵👨👩❤1\u20e3嗰"
)
TEXT = st.text(TELLING, max_size=12) | st.text(ANY | TELLING, max_size=30)
TEXTS = st.lists(TEXT, max_size=6)


def rows_of(view: View) -> list[str]:
    return [view.row_text(row) for row in range(len(view.batch))]


def whole_rows(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lengths = np.diff(view.starts) - 1
    return np.arange(len(lengths)), np.zeros_like(lengths), lengths


@given(TEXTS)
def test_a_row_folds_the_same_alone_and_among_others(texts: list[str]) -> None:
    together = rows_of(folded_view(Batch.of(texts)))
    assert together == [folded_view(Batch.of([text])).row_text(0) for text in texts]
    assert [row.strip(" ") for row in together] == [fold(text) for text in texts] == fold_all(texts)


@given(TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_every_code_point_comes_from_its_own_row_in_order(texts: list[str]) -> None:
    batch = Batch.of(texts)
    view = folded_view(batch)
    assert len(view.starts) == len(batch.starts) and len(view.source) == len(view.codes)
    for row in range(len(texts)):
        source = view.source[view.starts[row] : view.starts[row + 1] - 1]
        assert (np.diff(source) >= 0).all()
        assert ((source >= batch.starts[row]) & (source < batch.separators[row])).all()
    assert (view.codes[view.starts[1:] - 1] == 0).all()
    assert (view.source[view.starts[1:] - 1] == batch.separators).all()


@given(TEXTS)
def test_text_and_code_points_stay_in_step(texts: list[str]) -> None:
    for view in (original_view(Batch.of(texts)), folded_view(Batch.of(texts))):
        assert [ord(one) for one in view.text] == view.codes.tolist()
        assert "\0".join([view.row_text(row) for row in range(len(texts))] + [""]) == view.text


@given(TEXTS)
def test_the_original_view_is_the_text(texts: list[str]) -> None:
    view = original_view(Batch.of(texts))
    readable = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
    assert [len(row) for row in rows_of(view)] == [len(text) for text in texts]
    if not any("\ud800" <= one <= "\udfff" for text in texts for one in text):
        assert rows_of(view) == texts == readable
    starts, ends = view.original_spans(*whole_rows(view))
    assert starts.tolist() == [0] * len(texts)
    assert ends.tolist() == [len(text) for text in texts]


@given(TEXTS)
def test_the_span_of_a_whole_row_leaves_out_only_what_vanishes(texts: list[str]) -> None:
    view = folded_view(Batch.of(texts))
    starts, ends = view.original_spans(*whole_rows(view))
    for row, (text, start, end) in enumerate(zip(texts, starts.tolist(), ends.tolist(), strict=True)):
        assert 0 <= start <= end <= len(text)
        assert fold(text[start:end]) == view.row_text(row).strip(" ")
        assert not fold(text[:start])


@given(TEXT, st.data())
def test_a_span_folds_to_what_was_found_in_it(text: str, data: st.DataObject) -> None:
    view = folded_view(Batch.of(["before", text, "after"]))
    row = view.row_text(1)
    start = data.draw(st.integers(0, len(row)))
    end = data.draw(st.integers(start, len(row)))
    rows, starts, ends = (np.array([one]) for one in (1, start, end))
    [o_start], [o_end] = (bounds.tolist() for bounds in view.original_spans(rows, starts, ends))
    assert 0 <= o_start <= o_end <= len(text)
    sources = view.source[view.starts[1] + np.arange(start - 1, end + 1)]
    in_one_piece = start == end or (sources[0] < sources[1] and sources[-2] < sources[-1])
    own = fold(text[o_start:o_end])
    assert row[start:end].strip(" ") in own
    if in_one_piece:
        assert own == row[start:end].strip(" ")
    assert set(tricks(text[o_start:o_end])) <= {
        "width", "compatibility", "invisibles", "marks", "traditional",
    }  # fmt: skip


@pytest.mark.parametrize("edges", [script_edges, word_edges])
@given(texts=TEXTS, data=st.data())
def test_edges_do_not_depend_on_the_batch(edges: object, texts: list[str], data: st.DataObject) -> None:
    view = folded_view(Batch.of(texts))
    rows = [row for row, text in enumerate(rows_of(view)) if text]
    starts = [data.draw(st.integers(0, len(view.row_text(row)) - 1)) for row in rows]
    ends = [data.draw(st.integers(start + 1, len(view.row_text(row)))) for row, start in zip(rows, starts, strict=True)]
    arrays = [np.array(column, np.int64) for column in (rows, starts, ends)]
    together = edges(view, *arrays).tolist()  # type: ignore[operator]
    for row, start, end, stands in zip(rows, starts, ends, together, strict=True):
        alone = folded_view(Batch.of([texts[row]]))
        assert edges(alone, *(np.array([one]) for one in (0, start, end))).tolist() == [stands]  # type: ignore[operator]
