"""The fold, by example."""

from __future__ import annotations

import time
import unicodedata

import pytest

from moderation.text.batch import Batch
from moderation.text.folding import fold, fold_all
from moderation.text.views import folded_view

SAME = [
    "",
    "plain text 123",
    "傻逼",
    "微信支付",
    "ありがとう",
    "カタカナー",
    "한국어 ㅋㅋㅠㅠ",
    "ㄱㅏ",
    "привет, йод ёлка їжак ўсё",
    "γεια σου",
    "مرحبا بالعالم أإآؤئ",
    "שלום",
    "नमस्ते कि मीना फ\u093cिल्म",
    "ทำไมจะไม่ได้",
    "আমি ভালোবাসি",
    "தமிழ் கோ",
    "ქართული",
    "አማርኛ",
    "👨👩👧",
    "❤",
    "a-b 'c' \"d\"",
    "。、「」",
    "๏",
    "<=>",
]

FOLDED = {
    "case": [
        ("FuCK", "fuck"),
        ("Straße", "strasse"),
        ("İıI", "iii"),
        ("ΣΑΣ", "σασ"),
        ("ПРИВЕТ", "привет"),
        ("ǅ", "dz"),
    ],
    "width": [("ｆｕｃｋ！", "fuck!"), ("ｶﾀｶﾅｰ", "カタカナー"), ("ﾡﾢ", "ㄱㄲ"), ("加Ｖ　聊", "加v 聊"), ("￥１", "¥1")],
    "compatibility": [
        ("𝐟𝓾𝖈𝚔", "fuck"),
        ("Ⓕⓤⓒⓚ", "fuck"),
        ("🅵🅐🄺", "fak"),
        ("⒡", "f"),
        ("①❷➂⓿⑩⓫", "12301011"),
        ("๑٢३৪", "1234"),
        ("ﬁﬀ", "fiff"),
        ("㎏", "kg"),
        ("ﷺ", "صلى الله عليه وسلم"),
        ("…", "..."),
        ("½", "1/2"),
        ("⼈⾨", "人门"),
        ("㈱", "(株)"),
        ("㉠㉮", "ㄱ가"),
        ("“x” ‘y’ — –", "\"x\" 'y' - -"),
        ("don’t", "don't"),
        ("ſ", "s"),
        ("x²", "x2"),
        ("㋿", "令和"),
        ("🇫🇺🇨🇰 🇨🇳", "fuck cn"),
        ("ꜰᴜᴄᴋ ʟɪᴋᴇ", "fuck like"),
        ("⒡⒰⒞⒦ 🄕🄤", "fuck fu"),
        ("⑴ ⒊ ➃ ⓿", "1 3 4 0"),
        ("⻤⻛⻢⻋", "鬼风马车"),
    ],
    "traditional": [
        ("五星紅旗", "五星红旗"),
        ("後門", "后门"),
        ("薴", "苎"),
        ("於", "于"),
        ("乾", "干"),
        ("著", "著"),
        ("車", "车"),
    ],
    "invisibles": [
        ("f\u200bu\u00adc\u2060k", "fuck"),
        ("傻\ufe0f逼", "傻逼"),
        ("a\u202eb\u202c", "ab"),
        ("x\U000e0066\U000e0075", "x"),
        ("a\0b\x07c", "abc"),
        ("k\u034fo", "ko"),
        ("가\u3164나\u115f", "가나"),
        ("a\u180eb", "ab"),
        ("a\u2800b", "ab"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),
        ("\u200b\ufeff", ""),
        ("❤️", "❤"),
        ("1️⃣3️⃣", "13"),
    ],
    "marks": [
        ("naïve é e\u0301", "naive e e"),
        ("f̶u̶c̶k̶", "fuck"),
        ("Việt Nam", "viet nam"),
        ("ά ᾳ α\u0345", "α α α"),
        ("مَرْحَبًا", "مرحبا"),
        ("مـــرحبا", "مرحبا"),
        ("שָׁלוֹם", "שלום"),
        ("שׁ", "ש"),
        ("е\u0301 ѐ", "е е"),
        ("и\u0306 е\u0308", "й ё"),
        ("и\u0301\u0306", "й"),
        ("и\u0308\u0306", "й"),
        ("Й Ё", "й ё"),
        ("≠", "="),
        ("\u0301", ""),
        ("\u0344а", "а"),
        ("е\u0344", "ё"),
    ],
    "composition": [
        ("か\u3099", "が"),
        ("ｶﾞﾊﾟ", "ガパ"),
        ("は\u309a", "ぱ"),
        ("か゛", "が"),
        ("あ゛", "あ"),
        ("か\u200b\u3099", "が"),
        ("\u1112\u1161\u11ab", "한"),
        ("하\u11ab", "한"),
        ("\u1100\u1100\u1161", "ㄱ가"),
        ("\u11a8", "ㄱ"),
        ("\u1161", "ㅏ"),
        ("न\u093c क\u093c क़", "\u0929 क\u093c क\u093c"),
        ("\u09c7\u09be", "\u09cb"),
        ("\u0dd9\u0dcf\u0dca", "\u0ddd"),
        ("ท\u0e4d\u0e32", "ทำ"),
        ("ا\u0654", "أ"),
        ("ا\u064e\u0654", "أ"),
    ],
    "spaces": [
        ("  a \t\n b\u00a0\u3000\u2009c ", "a b c"),
        ("a \u200b b", "a b"),
        ("a \u3099 b", "a b"),
        ("\n", ""),
        ("a\u2028b\x85c", "a b c"),
    ],
    "unreadable": [("\ud800", "\ufffd"), ("a\udfffb", "a\ufffdb")],
}


@pytest.mark.parametrize("text", SAME)
def test_what_is_plain_stays(text: str) -> None:
    assert fold(text) == text


@pytest.mark.parametrize("kind", FOLDED)
def test_folds(kind: str) -> None:
    texts = [text for text, _ in FOLDED[kind]]
    assert dict(zip(texts, fold_all(texts), strict=True)) == dict(FOLDED[kind])
    assert fold_all(texts) == [fold(text) for text in texts]


def test_every_code_point_folds_to_what_folds_to_itself() -> None:
    folded = fold_all([chr(code) for code in range(0x110000)])
    assert fold_all(folded) == folded
    assert "\0" not in "".join(folded)


def test_composed_and_decomposed_fold_alike() -> None:
    assigned = [chr(code) for code in range(0x30000) if unicodedata.decomposition(chr(code)) or 0xAC00 <= code < 0xD7A4]
    assert fold_all([unicodedata.normalize("NFD", one) for one in assigned]) == fold_all(assigned)


@pytest.mark.parametrize(
    "unit",
    [
        "\u0301",
        "a\u0301",
        "\u0308\u0306",
        "и\u0308\u0306",
        "か\u3099",
        "\u1100\u1161\u11a8",
        "\u1100",
        " \u200b",
        "ﷺ",
        "\u0dd9\u0dcf\u0dca",
    ],
)
def test_time_is_linear(unit: str) -> None:
    def seconds(length: int) -> float:
        batch = Batch.of([unit * (length // len(unit))])
        return min(_timed(batch) for _ in range(3))

    assert seconds(100_000) < 40 * seconds(20_000) + 0.05


def _timed(batch: Batch) -> float:
    started = time.perf_counter()
    folded_view(batch)
    return time.perf_counter() - started
