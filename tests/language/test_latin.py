"""Latin runs: parted where the language changes, told from languages that nobody asked for, romanised ones too."""

from __future__ import annotations

import numpy as np
import pytest

from moderation.language import ngrams
from moderation.language.confidence import confidences
from moderation.language.detect import Detector
from moderation.language.varieties import variety_of
from moderation.text.batch import Batch
from moderation.text.codes import DEFAULT_LANGUAGES

Found = list[tuple[str, str]]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def found(detector: Detector, text: str) -> Found:
    segments = detector.detect(Batch.of([text]))
    columns = zip(segments.language.tolist(), segments.start.tolist(), segments.end.tolist(), strict=True)
    return [(segments.names[language], text[start:end]) for language, start, end in columns]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "hello my friends, what should we do? je ne sais pas quoi dire",
            [("en", "hello my friends, what should we do"), ("fr", "je ne sais pas quoi dire")],
        ),
        (
            "Guten Morgen zusammen! Where can I find the settings?",
            [("de", "Guten Morgen zusammen"), ("en", "Where can I find the settings")],
        ),
        (
            "no entiendo nada de esto. wo bu zhidao zenme shuo",
            [("es", "no entiendo nada de esto"), ("zh-Latn", "wo bu zhidao zenme shuo")],
        ),
        (
            "大家好 buongiorno a tutti, sono nuovo qui; could somebody help me please 谢谢",
            [
                ("zh", "大家好"),
                ("it", "buongiorno a tutti, sono nuovo qui"),
                ("en", "could somebody help me please"),
                ("zh", "谢谢"),
            ],
        ),
    ],
)
def test_a_run_is_parted_where_the_language_changes(detector: Detector, text: str, expected: Found) -> None:
    assert found(detector, text) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "Ik weet echt niet wat ik vandaag moet koken voor het eten"),
        ("sv", "Jag vet inte vad jag ska laga till middag i kväll"),
        ("pl", "Nie wiem, co dzisiaj ugotować na obiad dla rodziny"),
        ("fi", "En tiedä mitä tekisin tänään ruoaksi perheelle"),
        ("ro", "Nu știu ce să gătesc astăzi pentru familia mea"),
        ("hu", "Nem tudom, mit főzzek ma vacsorára a családnak"),
        ("cs", "Nevím, co mám dnes uvařit k večeři pro rodinu"),
        ("tl", "Hindi ko alam kung ano ang lulutuin ko para sa pamilya"),
        ("sw", "Sijui nipike nini leo kwa ajili ya familia yangu"),
        ("eu", "Ez dakit zer prestatu gaur familiarentzat afaltzeko"),
    ],
)
def test_languages_that_were_not_asked_for_are_not_called_english(language: str, text: str) -> None:
    for wanted in (DEFAULT_LANGUAGES, DEFAULT_LANGUAGES[:16], ("en", "zh")):
        assert found(Detector(wanted), text)[0][0] in (language, "und")


@pytest.mark.parametrize(
    "text",
    ["mujhe tumse bahut pyaar hai yaar", "aap kaise ho, sab theek hai na", "kya baat hai bhai, main ghar ja raha hoon"],
)
def test_romanised_hindi(detector: Detector, text: str) -> None:
    assert [language for language, _ in found(detector, text)] == ["hi-Latn"]


@pytest.mark.parametrize("word", ["fine", "nice", "love", "hello", "last", "yes", "shit", "vibe", "girl"])
def test_short_english_words_are_not_taken_for_another_language(detector: Detector, word: str) -> None:
    assert found(detector, word)[0][0] in ("en", "und")


def test_the_parts_of_a_run_do_not_depend_on_what_else_is_read(detector: Detector) -> None:
    texts = [
        "b2b .com", "vxhello .com", "hello my friend, je ne sais pas quoi dire aujourd'hui", "你好 merci beaucoup 再见",
        "", "u1s1 hola", "Ik weet het niet, but I know you do, und das ist gut so",
    ]  # fmt: skip
    together = detector.detect(Batch.of(texts))
    for row, text in enumerate(texts):
        columns = (together.start, together.end, together.language)
        mine = [tuple(int(column[at]) for column in columns) for at in np.flatnonzero(together.row == row)]
        alone = detector.detect(Batch.of([text]))
        assert mine == list(zip(alone.start.tolist(), alone.end.tolist(), alone.language.tolist(), strict=True))


def test_confidence_is_high_where_it_is_plain_and_low_where_not(detector: Detector) -> None:
    texts = [
        "this is plainly written in English by somebody",
        "今天天气很好",
        "taxi",
        "sale",
        "Привет, как дела у тебя",
    ]
    batch = Batch.of(texts)
    segments = detector.detect(batch)
    sure = confidences(detector, batch, segments)
    assert ((sure >= 0) & (sure <= 1)).all()
    assert sure[0] > 0.95 and sure[1] == 1 and sure[4] > 0.9
    assert all(sure[at] == 0 for at in np.flatnonzero(segments.language == 0))


@pytest.mark.parametrize(
    ("text", "variety"),
    [
        ("今天的天气真好，我们去公园", "zh-Hans"),
        ("今天的天氣真好，我們去公園", "zh-Hant"),
        ("你喺邊度呀，我唔知佢哋去咗邊", "yue"),
        ("大家好", "zh"),
        ("", "zh"),
        ("皇后", "zh"),
        ("臺灣的雲很美，裡面有很多水", "zh-Hant"),
    ],
)
def test_varieties_of_chinese(text: str, variety: str) -> None:
    assert variety_of(text) == variety


def test_few_glyphs_are_read_whole_as_many_are_in_part(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "今天天气很好，我们一起去公园散步吧，好不好？hello my friend 然后再回家吃饭，晚上看电影",
        "nothing but English",
    ]
    expected = [found(detector, text) for text in texts]
    assert ("en", "hello my friend") in expected[0]
    monkeypatch.setattr(ngrams, "_FEW", 0)
    assert [found(detector, text) for text in texts] == expected
