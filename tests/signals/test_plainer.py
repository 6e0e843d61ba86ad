"""Texts as the classifier reads them: cloaked Chinese reads like the plain, and everything else stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.signals.features import grams
from moderation.signals.plainer import FIRST_SYLLABLE, in_syllables, syllables_of, text_of
from moderation.text.batch import Batch
from moderation.text.views import folded_view


def plain(*texts: str) -> list[str]:
    view = folded_view(Batch.of(texts))
    text = text_of(view.codes, view.starts)
    rows = zip(text.opens[:-1].tolist(), text.opens[1:].tolist(), strict=True)
    return ["".join(map(chr, text.codes[start + 1 : end].tolist())) for start, end in rows]


def heard(text: str) -> set[int]:
    view = folded_view(Batch.of([text]))
    found = {each.kind: set(each.bucket.tolist()) for each in grams(text_of(view.codes, view.starts))}
    return found["sound"]


@pytest.mark.parametrize(
    ("cloaked", "clear"),
    [
        ("ni zhe ge da sha bi", "你这个大傻逼"),
        ("nizhege dashabi", "你这个大傻逼"),
        ("NI3 ZHE4 GE4 DA4 SHA3 BI1", "你这个大傻逼"),
        ("nǐ zhè ge dà shǎ bī", "你这个大傻逼"),
        ("你这个da sha bi", "你这个大傻逼"),
        ("你zhege大shabi", "你这个大傻逼"),
        ("你这个大煞笔", "你这个大傻逼"),
        ("妳這個大傻逼", "你这个大傻逼"),
        ("你这个 大-傻*逼", "你这个大傻逼"),
        ("xi'an ren", "西安人"),
    ],
)
def test_cloaked_posts_sound_like_the_clear(cloaked: str, clear: str) -> None:
    assert heard(cloaked) == heard(clear)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("弓虽女干犯", "强奸犯"),
        ("女表子", "婊子"),
        ("女子和女生", "女子和女生"),
        ("你 好 吗", "你好吗"),
        ("哈哈哈哈", "哈"),
        ("3.14 and 微 . 信", "3.14 and 微 . 信"),
        ("", ""),
    ],
)
def test_what_was_taken_apart_stands_whole(written: str, read: str) -> None:
    assert plain(written) == [read]


@pytest.mark.parametrize(
    "text",
    [
        "see you at the station at six",
        "can you see me",
        "he can sing a long song",
        "women are people",
        "Bonjour, je cherche un appartement",
        "quiero una manzana",
        "lol omg",
        "сосна и сок",
        "नमस्ते दुनिया",
        "今天吃了 pizza 很 happy",
        "😀😀 ok",
    ],
)
def test_what_is_no_pinyin_stays_as_it_is(text: str) -> None:
    assert in_syllables(text.lower()) is None


@pytest.mark.parametrize(("word", "number"), [("shabi", 2), ("zhuang", 1), ("xian", 1), ("xi'an", 2), ("hello", 0)])
def test_syllables_of_a_word(word: str, number: int) -> None:
    assert len(syllables_of(word)) == number


def test_long_words_are_read_in_no_time() -> None:
    assert syllables_of("ana" * 19) and not syllables_of("anan" * 5000)


TEXTS = st.lists(st.text(st.sampled_from("ni sha bi'3.女干弓虽马 好a1!\u0301\ud800\0か"), max_size=30), max_size=8)


@given(TEXTS)
def test_where_things_stand_is_told_alike(texts: list[str]) -> None:
    view = folded_view(Batch.of(texts))
    one, other = (text_of(view.codes, view.starts, traced=traced) for traced in (False, True))
    assert one.codes.tobytes() == other.codes.tobytes() and one.opens.tolist() == other.opens.tolist()
    assert len(other.origin) == len(other.last) == len(other.codes)
    assert (other.last >= other.origin).all() and (np.diff(other.origin) > 0).all()
    kept = (other.origin == other.last) & (other.codes < FIRST_SYLLABLE)
    kept[0] = False
    assert other.codes[kept].tolist() == view.codes[other.origin[kept]].tolist()
