"""Edges of hits, by script and by word."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

from moderation.errors import ModerationError
from moderation.text import segmenter
from moderation.text.batch import Batch
from moderation.text.edges import script_edges, word_edges
from moderation.text.views import View, folded_view, original_view


def stands(test: Any, text: str, term: str, view_of: Any = folded_view) -> list[bool]:
    """Whether each place of a term in a text stands on edges."""
    view: View = view_of(Batch.of(["ab加", text, "加ab"]))
    row = view.row_text(1)
    places = np.array([at for at in range(len(row)) if row.startswith(term, at)], np.int64)
    return list(test(view, np.ones_like(places), places, places + len(term)).tolist())


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("加vx聊", "vx", [True]),
        ("vx123", "vx", [True]),
        ("vxyz avx vx", "vx", [False, False, True]),
        ("ＦＵＣＫ", "fuck", [True]),
        ("f\u200buck\u200bing", "fuck", [False]),
        ("fuck's _fuck_", "fuck", [True, True]),
        ("naïve", "nai", [False]),
        ("fuсk", "fu", [True]),
        ("你傻瓜吗", "傻瓜", [True]),
        ("ばかもの", "ばか", [True]),
        ("カード", "カ", [True]),
        ("ไทยแลนด์", "ไท", [True]),
        ("ກຳ", "ກ", [True]),
        ("ខ្មែរ", "ខ", [True]),
        ("မြန်", "မ", [True]),
        ("कमीना कम है", "कम", [False, True]),
        ("मकम", "कम", [False]),
        ("শালাকে শালা", "শালা", [False, True]),
        ("21488 1488! a1488b 14889", "1488", [False, True, True, False]),
        ("٣1488", "1488", [False]),
        ("1.5", "5", [True]),
        ("시발놈아 개시발 시발", "시발", [True, False, True]),
        ("a시발b", "시발", [True]),
        ("сука сукам", "сука", [True, False]),
        ("الكلب كلب", "كلب", [False, True]),
        ("כלבים כלב־", "כלב", [False, True]),
        ("Ունե ու", "ու", [False, True]),
        ("აბა ბა", "ბა", [False, True]),
        ("አማ፡ማ", "ማ", [False, True]),
        ("ᏣᎳ", "Ꮃ", [False]),
        ("v加", "v加", [True]),
        ("xv加", "v加", [False]),
        ("加v", "加v", [True]),
        ("加vx", "加v", [False]),
        (" vx", " vx", [True]),
    ],
)
def test_script_edges(text: str, term: str, expected: list[bool]) -> None:
    assert stands(script_edges, text, term) == expected


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("fuck\u0336", "fuck", [True]),
        ("fuck\u0336s", "fuck", [False]),
        ("fuck\u0336s", "fuck\u0336", [False]),
        ("fuck\u0336 s", "fuck\u0336", [True]),
        ("s\u0336\u0301fuck", "fuck", [False]),
        ("\u0336fuck", "fuck", [True]),
        ("a\u0336", "\u0336", [True]),
    ],
)
def test_marks_belong_to_the_letter_before_them(text: str, term: str, expected: list[bool]) -> None:
    assert stands(script_edges, text, term, original_view) == expected


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("地铁口交易", "口交", [False]),
        ("地鐵口交易", "口交", [False]),
        ("她给他口交了", "口交", [True]),
        ("abc口交def", "口交", [True]),
        ("口交", "口交", [True]),
        ("干货", "干", [False]),
        ("今天干了", "干", [True]),
        ("上海市长江大桥", "市长", [False]),
        ("上海市长江大桥", "长江大桥", [True]),
        ("上海市长江大桥", "长江", [False]),
        ("加薇信吧", "薇信", [True]),
        ("地铁口,交易", "口,交", [False]),
        ("口交易v", "交易v", [True]),
        ("地铁口交易vx", "口交易vx", [False]),
        ("交易vxy", "易vx", [False]),
        ("加vx聊 vxy", "vx", [True, False]),
        ("ばか", "か", [True]),
    ],
)
def test_word_edges(text: str, term: str, expected: list[bool]) -> None:
    pytest.importorskip("rjieba")
    assert stands(word_edges, text, term) == expected


def test_word_edges_far_into_a_long_run_of_han() -> None:
    pytest.importorskip("rjieba")
    text = "今天天气很好" * 200 + "地铁口交易" + "她给他口交了" + "今天天气很好" * 200
    assert stands(word_edges, text, "口交") == [False, True]


def test_word_edges_from_many_threads() -> None:
    pytest.importorskip("rjieba")
    found: list[list[bool]] = []
    threads = [
        threading.Thread(target=lambda: found.append(stands(word_edges, "地铁口交易", "口交"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[False]] * 4


def test_the_segmenter_is_that_of_the_package() -> None:
    pytest.importorskip("rjieba")
    code = (
        "import sys; from moderation.text.segmenter import cut, _segmenter; assert cut('北京大学') == ['北京大学'];"
        "assert 'rjieba' not in sys.modules; import rjieba; assert type(_segmenter()) is rjieba.Jieba;"
        "assert rjieba.cut('北京大学', False) == ['北京大学']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_segmenter_the_error_names_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rjieba", None)
    monkeypatch.delitem(sys.modules, "rjieba.rjieba", raising=False)
    segmenter._segmenter.cache_clear()
    with pytest.raises(ModerationError, match="pip install rjieba"):
        stands(word_edges, "地铁口交易", "口交")
    assert stands(word_edges, "加vx聊", "vx") == [True]


@pytest.mark.parametrize("test", [script_edges, word_edges])
@pytest.mark.parametrize("texts", [[], ["", "x"]])
def test_no_hits(test: Any, texts: list[str]) -> None:
    none = np.zeros(0, np.int32)
    assert test(folded_view(Batch.of(texts)), none, none, none).tolist() == []
