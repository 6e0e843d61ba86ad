"""Views: readings of a batch and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from moderation.text.batch import Batch
from moderation.text.folding import fold
from moderation.text.views import View, folded_view, original_view, tricks


def find(view: View, row: int, term: str) -> list[str]:
    """The original texts of all places of a term in a row, by way of spans."""
    text, found = view.row_text(row), []
    for start in (at for at in range(len(text)) if text.startswith(term, at)):
        starts, ends = view.original_spans(np.array([row]), np.array([start]), np.array([start + len(term)]))
        found.append(view.batch.texts[row][starts[0] : ends[0]])
    return found


@pytest.mark.parametrize(
    ("text", "term", "found"),
    [
        ("say f\u200bu\u00adck!", "fuck", ["f\u200bu\u00adck"]),
        ("ＦＵＣＫ", "fuck", ["ＦＵＣＫ"]),
        ("f̶u̶c̶k̶ off", "fuck", ["f̶u̶c̶k̶"]),
        ("fuck\u200b\u0301", "fuck", ["fuck"]),
        ("fuck\u202e", "fuck", ["fuck"]),
        ("五星紅旗", "红旗", ["紅旗"]),
        ("傻\ufe0f逼\ufe0f了", "傻逼", ["傻\ufe0f逼\ufe0f"]),
        ("Straße", "s", ["S", "ß", "ß"]),
        ("Straße", "ss", ["ß"]),
        ("x㎏y", "kg", ["㎏"]),
        ("x㎏y", "gy", ["㎏y"]),
        ("ﬁ\u0301x", "i", ["ﬁ\u0301"]),
        ("か\u3099き", "が", ["か\u3099"]),
        ("か\u200b\u3099き", "が", ["か\u200b\u3099"]),
        ("ｶﾞﾝﾊﾞﾚ", "ガン", ["ｶﾞﾝ"]),
        ("\u1112\u1161\u11ab\u1100", "한", ["\u1112\u1161\u11ab"]),
        ("কো\u09be", "কো", ["কো"]),
        ("\u0995\u09c7\u09be", "কো", ["\u0995\u09c7\u09be"]),
        ("किताब", "क", ["क"]),
        ("مَرْحَبًا بك", "مرحبا", ["مَرْحَبًا"]),
        ("שָׁלוֹם", "שלו", ["שָׁלוֹ"]),
        ("ไม่ได้", "ไม", ["ไม"]),
        ("a \t\u200b\n b", "a b", ["a \t\u200b\n b"]),
        ("a  b", "a ", ["a "]),
        ("👨\u200d👩\u200d👧 ok", "👨👩👧", ["👨\u200d👩\u200d👧"]),
        ("1️⃣3️⃣", "13", ["1️⃣3️⃣"]),
        ("…ok…", "ok", ["ok"]),
        ("\ud800x", "\ufffdx", ["\ud800x"]),
        ("𝐟𝐮𝐜𝐤 🅵🆄🅲🅺", "fuck", ["𝐟𝐮𝐜𝐤", "🅵🆄🅲🅺"]),
    ],
)
def test_spans_are_of_the_original(text: str, term: str, found: list[str]) -> None:
    view = folded_view(Batch.of(["ﷺ", text, "x"]))
    assert find(view, 1, term) == found


def test_the_original_view_maps_one_to_one() -> None:
    view = original_view(Batch.of(["Fuck\u0301", "a\0\ud800"]))
    assert view.row_text(0) == "Fuck\u0301" and view.row_text(1) == "a\0\ufffd"
    assert find(view, 0, "Fuck") == ["Fuck"]
    assert find(view, 1, "\0\ufffd") == ["\0\ud800"]


@pytest.mark.parametrize("view_of", [original_view, folded_view])
@pytest.mark.parametrize(
    "texts", [[], [""], ["", "", ""], ["\u200b"], ["\u200b", "…"], ["\0", "\0\0"], ["ﷺ"], [" ", "\u3099"]]
)
def test_rows_that_hold_nothing(view_of: object, texts: list[str]) -> None:
    view: View = view_of(Batch.of(texts))  # type: ignore[operator]
    assert len(view.starts) == len(texts) + 1 and view.starts[-1] == len(view.codes) == len(view.text)
    rows = np.arange(len(texts))
    zeros = np.zeros(len(texts), np.int64)
    starts, ends = view.original_spans(rows, zeros, zeros)
    assert starts.tolist() == ends.tolist()
    if view.name == "folded":
        assert [view.row_text(row).strip() for row in rows] == [fold(text) for text in texts]


def test_expansions_at_the_edges_of_rows() -> None:
    view = folded_view(Batch.of(["…", "ß", "", "ﷺ!", "x㎏"]))
    assert [view.row_text(row) for row in range(5)] == ["...", "ss", "", "صلى الله عليه وسلم!", "xkg"]
    assert view.starts.tolist() == [0, 4, 7, 8, 28, 32]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("FUCK you, it’s — “fine”", ()),
        ("傻逼 は कि ไทย", ()),
        ("Straße ЙЁ\t\u00a0x", ()),
        ("ｆｕｃｋ", ("width",)),
        ("加\u3000聊", ("width",)),
        ("𝐟Ⓕ🅵①❷ı", ("compatibility",)),
        ("f\u200bu", ("invisibles",)),
        ("a\0", ("invisibles",)),
        ("f̶u", ("marks",)),
        ("é", ("marks",)),
        ("مَـ", ("marks",)),
        ("紅", ("traditional",)),
        ("⾨", ("compatibility", "traditional")),
        ("紅é\u200b⒡ｆ", ("width", "compatibility", "invisibles", "marks", "traditional")),
        ("\u1112\u1161", ("compatibility",)),
    ],
)
def test_tricks(text: str, names: tuple[str, ...]) -> None:
    assert tricks(text) == names
    assert tricks("x" + text + "y") == names
    assert tricks("") == ()


def test_rows_start_where_they_do_if_as_much_comes_as_goes() -> None:
    # A ligature takes one more, a character that nobody sees one less.
    view = folded_view(
        Batch.of(["\N{LATIN SMALL LIGATURE FI}x\u200b", "bc", "a\u200bb\N{LATIN SMALL LIGATURE FI}", "d"])
    )
    assert len(view.codes) == len(view.batch.codes)
    assert [view.row_text(row) for row in range(4)] == ["fix", "bc", "abfi", "d"]
