"""What the detector says of single posts, mixed ones and noise."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from moderation.authoring.bench_languages import read_sentences
from moderation.language.detect import Detector
from moderation.text.batch import Batch
from moderation.text.codes import DEFAULT_LANGUAGES, LANGUAGES

Found = list[tuple[str, str]]


SENTENCES = read_sentences()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def found(detector: Detector, text: str, hint: str | None = None) -> Found:
    """The segments of one text as pairs of language and words."""
    segments = detector.detect(Batch.of([text]), None if hint is None else [hint])
    columns = zip(segments.language.tolist(), segments.start.tolist(), segments.end.tolist(), strict=True)
    return [(segments.names[language], text[start:end]) for language, start, end in columns]


def languages(detector: Detector, text: str, hint: str | None = None) -> list[str]:
    return [language for language, _ in found(detector, text, hint)]


def largest(detector: Detector, texts: Sequence[str]) -> list[str]:
    """The language with the largest share of each text."""
    shares = detector.detect(Batch.of(texts)).shares(np.arange(len(texts)), len(texts))
    return [detector.names[number] for number in shares.argmax(axis=1)]


def test_sentences_in_every_language(detector: Detector) -> None:
    texts = [text for _, text in SENTENCES]
    said = zip(largest(detector, texts), SENTENCES, strict=True)
    assert [(language, *pair) for language, pair in said if language != pair[0]] == []


@pytest.mark.parametrize("language", DEFAULT_LANGUAGES[:16])
def test_each_of_the_sixteen_has_ten_sentences(language: str) -> None:
    assert sum(pair[0] == language for pair in SENTENCES) >= 10


MIXED: list[tuple[str, Found]] = [
    ("今天vibe很chill", [("zh", "今天"), ("en", "vibe"), ("zh", "很"), ("en", "chill")]),
    ("我的iPhone坏了", [("zh", "我的"), ("und", "iPhone"), ("zh", "坏了")]),
    ("加vx聊", [("zh", "加"), ("und", "vx"), ("zh", "聊")]),
    ("你好ABC", [("zh", "你好"), ("und", "ABC")]),
    ("A股和T恤", [("zh", "股和T恤")]),
    ("wo hen xihuan 中国菜 really", [("zh-Latn", "wo hen xihuan"), ("zh", "中国菜"), ("en", "really")]),
    ("nihao 大家好 I'm new here", [("zh-Latn", "nihao"), ("zh", "大家好"), ("en", "I'm new here")]),
    ("Bonjour 我是法国人", [("fr", "Bonjour"), ("zh", "我是法国人")]),
    ("¿Dónde está la biblioteca? 图书馆在哪", [("es", "Dónde está la biblioteca"), ("zh", "图书馆在哪")]),
    ("สวัสดี hello นะ", [("th", "สวัสดี"), ("en", "hello"), ("th", "นะ")]),
    ("한국 사람 hello 안녕", [("ko", "한국 사람"), ("en", "hello"), ("ko", "안녕")]),
    ("Привет my friend", [("ru", "Привет"), ("en", "my friend")]),
    ("شكرا 谢谢 thanks", [("ar", "شكرا"), ("zh", "谢谢"), ("en", "thanks")]),
    ("नमस्ते 你好", [("hi", "नमस्ते"), ("zh", "你好")]),
    ("გამარჯობა friends of Georgia", [("ka", "გამარჯობა"), ("en", "friends of Georgia")]),
    ("🇺🇸 I'm from America 🇨🇳 我爱你", [("en", "I'm from America"), ("zh", "我爱你")]),
]


@pytest.mark.parametrize(("text", "expected"), MIXED)
def test_mixed_posts(detector: Detector, text: str, expected: Found) -> None:
    assert found(detector, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " \n\t", "\0", "\ud800", "a\0b", "1234 5678", "...!?", "😂😂😂", "👨‍👩‍👧‍👦🇨🇳", "(╯°□°)╯︵ ┻━┻",
        "¯\\_(ツ)_/¯", "(´・ω・`)", "ಠ_ಠ ಠ_ಠ", "ಠ益ಠ", "(๑•̀ㅂ•́)و✧", "(ーー;)", "Σ(っ °Д °;)っ", "( ͡° ͜ʖ ͡°)",
        "T_T", "ㅠ_ㅠ", "の", "٣٤٥ १२३", "https://example.com/some/english/words?q=the+house", "HTTP://EXAMPLE.COM",
        "www.house-of-cards.co.uk/the/end", "example.com", "t.co/AbCdEfGh", "john.smith@example.com", "@some_body_else",
        "@人民日报", "＠小天犬", "#bonjour", "#留学生活#", "#今天的风很大", "@a @b #c",
    ],
)  # fmt: skip
def test_what_is_no_language(detector: Detector, text: str) -> None:
    assert found(detector, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("看 https://t.cn/abc 这里", "看 https://t.cn/abc 这里"),
        ("看https://t.cn/abc这里", "看https://t.cn/abc这里"),
        ("去example.com看看", "去example.com看看"),
        ("你好@bob再见", "你好@bob再见"),
        ("@小明 今天来吗", "今天来吗"),
        ("#话题#内容在这里", "内容在这里"),
        ("今天好开心(๑•̀ㅂ•́)و✧", "今天好开心"),
        ("优の良品", "优の良品"),
        ("好开心ーー", "好开心"),
    ],
)
def test_noise_in_chinese_posts(detector: Detector, text: str, expected: str) -> None:
    assert found(detector, text) == [("zh", expected)]


@pytest.mark.parametrize(
    "text",
    [
        "lorem@ipsum.com wrote to me about the house",
        "C# is a nice language to learn",
        "end.Next sentence starts here, right",
        "he\u200bllo wo\u00adrld my friend",
        "𝓱𝓮𝓵𝓵𝓸 𝓶𝔂 𝓯𝓻𝓲𝓮𝓷𝓭𝓼",
        "Ｈｅｌｌｏ ｍｙ ｆｒｉｅｎｄｓ",
        "we are not amused ಠ_ಠ at all",
        "THIS IS NOT THE TIME TO SHOUT",
    ],
)
def test_noise_in_english_posts(detector: Detector, text: str) -> None:
    assert languages(detector, text) == ["en"]


@pytest.mark.parametrize(
    "text", ["vx", "OMG", "LOL", "yyds", "awsl", "xswl", "hahahaha", "hhhhh", "TikTok", "KPI", "qwq"]
)
def test_names_laughter_and_abbreviations_are_undetermined(detector: Detector, text: str) -> None:
    assert languages(detector, text) == ["und"]
    assert languages(detector, f"今天{text}真的很好") == ["zh", "und", "zh"]


def test_decomposed_letters_are_read_as_composed_ones(detector: Detector) -> None:
    text = "Cafe\u0301 tre\u0300s bon, de\u0301licieux"
    assert found(detector, text) == [("fr", text)]
    text = "cuô\u0301i tuâ\u0300n ga\u0323\u0306p nhau nhe\u0301"
    assert found(detector, text) == [("vi", text[:-1])]


def test_japanese_without_kana_is_chinese_unless_declared(detector: Detector) -> None:
    assert languages(detector, "東京大学") == ["zh"]
    assert languages(detector, "東京大学", "ja-JP") == ["ja"]
    assert languages(detector, "東京大学で") == ["ja"]


def test_a_hint_is_no_order(detector: Detector) -> None:
    assert languages(detector, "我们今天一起去公园散步然后再去吃饭", "ja") == ["zh"]
    assert languages(detector, "this is plainly written in English", "de") == ["en"]
    assert languages(detector, "hello everyone", "xx") == languages(detector, "hello everyone") == ["en"]


def test_a_hint_tips_the_balance(detector: Detector) -> None:
    text = "la casa"
    assert languages(detector, text) == ["und"]
    assert languages(detector, text, "it") == ["it"]
    assert languages(detector, text, "es_MX") == ["es"]


def test_hints_belong_to_their_rows(detector: Detector) -> None:
    segments = detector.detect(Batch.of(["la casa", "la casa", "yyds"]), ["it", "es", None])
    assert [segments.names[number] for number in segments.language] == ["it", "es", "und"]


def test_english_is_likelier_beside_chinese() -> None:
    text = "这个 bomb 真好"
    assert languages(Detector(cjk_english=0), text) == ["zh", "und", "zh"]
    assert languages(Detector(cjk_english=12), text) == ["zh", "en", "zh"]


def test_languages_can_be_named() -> None:
    dutch = "Ik weet echt niet wat ik moet zeggen over dit weer"
    assert languages(Detector(["en", "nl"]), dutch) == ["nl"]
    assert languages(Detector(["en", "ne"]), "मलाई थाहा छैन") == ["ne"]
    assert languages(Detector(["uk"]), "привет") == ["uk"]
    assert languages(Detector(["ja"]), "東京大学") == ["ja"]


def test_a_script_without_wanted_languages_has_its_main_one() -> None:
    detector = Detector(["en"])
    assert languages(detector, "Привет 你好 สวัสดี אבגד") == ["ru", "zh", "th", "he"]
    assert languages(Detector(["th"]), "this is a test") == ["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_can_be_said(language: str) -> None:
    assert language in Detector([language]).names


def test_unknown_languages_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'english'; did you mean en\?"):
        Detector(["zh", "english"])
    with pytest.raises(ValueError, match="'yue'"):
        Detector(["yue"])


def test_names_begin_with_und_and_are_unique(detector: Detector) -> None:
    assert detector.names[0] == "und"
    assert len(set(detector.names)) == len(detector.names)
    assert set(DEFAULT_LANGUAGES) <= set(detector.names)


def test_empty_batches(detector: Detector) -> None:
    for texts in ([], [""], ["", ""]):
        segments = detector.detect(Batch.of(texts))
        assert len(segments) == 0
        assert segments.shares(np.arange(len(texts)), len(texts)).shape == (len(texts), len(detector.names))


def test_long_runs_are_summed_exactly(detector: Detector) -> None:
    sentence = "Nadie sabe lo que pasa en esta casa. "
    text = sentence * 600
    assert len(text) > 20_000
    assert found(detector, text) == [("es", text.rstrip(" ."))]


@pytest.mark.parametrize("length", [10, 63, 64, 65, 128, 5000])
def test_addresses_of_any_length(detector: Detector, length: int) -> None:
    path, host = "a" * length, "b." * (length // 2)
    text = f"这里 https://t.cn/{path} 那里 www.{host}com/{path} 再见"
    assert found(detector, text) == [("zh", text)]
    assert detector.detect(Batch.of([text, text])).weight.tolist() == [18, 18]


@pytest.mark.parametrize("start", ["ŷŷŷ", "ww睷", "睷睷睷"])
def test_letters_that_only_resemble_www_by_number_start_no_address(detector: Detector, start: str) -> None:
    weights = [detector.detect(Batch.of([f"{text}.hello my friends"])).weight.sum() for text in (start, "www")]
    assert weights[0] > weights[1] == len("myfriends")


@pytest.mark.parametrize(
    "piece", ["x.com", "a.com.", "a://", "@", "a@", "#", "#a ", "e\u0301", "aя", "ab你", "www.", "ಠ", "の"]
)
def test_hostile_posts_take_linear_time(detector: Detector, piece: str) -> None:
    batch = Batch.of([piece * (20_000 // len(piece))])
    started = time.perf_counter()
    detector.detect(batch)
    assert time.perf_counter() - started < 0.5
