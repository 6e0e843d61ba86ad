"""What holds for every attack: spans, batches, both matchers, linear time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.evasion.align import align
from moderation.evasion.attacks import ALWAYS_ON, attacks
from moderation.evasion.literals import is_enough
from moderation.evasion.reading import Reading, symbol_of
from moderation.evasion.tricks import NAMES
from moderation.text.batch import Batch
from moderation.text.views import folded_view
from tests.evasion.engines import engine, spans

TERMS = (
    "fuck", "shit", "asshole", "kill yourself", "nigger", "send nudes", "傻逼", "微信", "操你妈", "强奸犯", "垃圾",
    "去死吧", "代开发票", "加v", "裸聊直播", "18禁群", "free bitcoin", "弱智儿童", "死全家", "牛逼", "滚蛋", "cum slut",
)  # fmt: skip
BEFORE = st.sampled_from(
    ["", "x ", "you, ", "你看：", "他说", "привет ", "これは", "กขค ", "नमस्ते ", "😀 ", "(", "2026 "]
)
AFTER = st.sampled_from(["", " x", ".", "！", "，好", " привет", "です", " ?", "😀", " 99"])
PIECES = st.text(
    st.sampled_from(
        "fuckshitas 傻逼微信操你妈加v0135!@$*.-|❤️🐮🍺сеоавш\u200b\u202e\u202c\U000e0066αβ。，\n弓虽女干niwexba"
    ),
    max_size=40,
)


@pytest.mark.parametrize("trick", [*ALWAYS_ON, *NAMES])
@given(term=st.sampled_from(TERMS), seed=st.integers(0, 10_000), before=BEFORE, after=AFTER)
def test_a_seen_attack_is_marked_exactly(trick: str, term: str, seed: int, before: str, after: str) -> None:
    for attacked in attacks(term, trick, 1, seed):
        text = f"{before}{attacked}{after}"
        found = spans(engine(term), text)
        assert all(text[span.start : span.end] == span.text != "" for span in found)
        turned = trick == "bidi"
        first, last = len(before) + turned, len(before) + len(attacked) - turned
        covering = [(span.start, span.end) for span in found if span.start <= first and span.end >= last]
        assert not covering or (first, last) in covering


@given(st.lists(PIECES, min_size=1, max_size=6))
def test_batches_are_what_one_by_one_is(texts: list[str]) -> None:
    found = engine(*TERMS)
    together = [decision.to_json() for decision in found.decide_batch(texts)]
    assert together == [found.decide(text).to_json() for text in texts]


@given(st.lists(PIECES, min_size=1, max_size=4))
def test_both_matchers_see_the_same(texts: list[str]) -> None:
    fast, plain = engine(*TERMS), engine(*TERMS, matcher="regex")
    assert [d.to_json() for d in fast.decide_batch(texts)] == [d.to_json() for d in plain.decide_batch(texts)]


@given(st.lists(PIECES, min_size=1, max_size=4))
def test_units_stand_in_order_and_inside_of_their_rows(texts: list[str]) -> None:
    view = folded_view(Batch.of(texts))
    reading = Reading.of(view)
    units = np.arange(len(reading.symbols))
    first, last = reading.spans(np.array((units, units + 1)))
    assert (first <= last).all()
    assert (last[:-1] < first[1:]).all()
    assert (symbol_of[reading.codes[first]] == reading.symbols).all()
    assert (reading.symbol_at(first) == units).all()
    assert not (reading.symbols == 0).any()
    assert sorted(reading.within(np.arange(len(texts))).tolist()) == units.tolist()
    assert [view.codes[reading.origin(code)] for code in first.tolist()] == reading.written[first].tolist()


@given(PIECES, st.sampled_from(TERMS))
def test_an_alignment_lies_within_its_stretch(text: str, term: str) -> None:
    found = align(text, text, term, False)
    if found is not None:
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize("trick", NAMES)
def test_by_one_trick_alone_its_attacks_are_seen(trick: str) -> None:
    usable = [term for term in TERMS if is_enough(term)]
    cases = [(term, text) for term in usable for text in attacks(term, trick, 3, 1)]
    assert cases
    posts = [(term, f"x: {text} !" if term.isascii() else f"他说：{text}！") for term, text in cases]
    missed = [(term, post) for term, post in posts if not spans(engine(term, resist=(trick,)), post)]
    assert len(missed) <= 0.1 * len(cases), missed


@pytest.mark.parametrize(
    "text",
    [
        "f.u.c." * 20_000,
        "ni妈 " * 20_000,
        "傻 " * 50_000,
        "sh1t" * 25_000,
        "*" * 100_000,
        "f*" * 50_000,
        "с" * 100_000,
        "🐮" * 50_000,
        "A" * 100_000,
    ],
    ids=lambda text: text[:4],
)
def test_time_is_linear(text: str) -> None:
    found = engine(*TERMS)
    start = time.process_time()
    found.decide(text[:20_000])
    assert time.process_time() - start < 5
