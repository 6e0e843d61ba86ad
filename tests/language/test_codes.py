"""Language tags."""

from __future__ import annotations

import pytest

from moderation.language.detect import Detector
from moderation.text import classes
from moderation.text.codes import (
    DEFAULT_LANGUAGES,
    LANGUAGES,
    can_be_said,
    is_language_tag,
    nearest_tags,
    scripts_of,
)


@pytest.mark.parametrize("tag", [*LANGUAGES, "yue", "fil", "ceb", "zh-Hant", "zh-Hans", "sr-Cyrl", "hi-Latn", "nan"])
def test_tags(tag: str) -> None:
    assert is_language_tag(tag)


@pytest.mark.parametrize(
    "tag",
    ["", "eng", "zho", "English", "ZH", "zh_CN", "zh-CN", "zh-", "-Hans", "Hans", "zh-hans", "xx", "*", "zh-Hans-CN"],
)
def test_what_is_no_tag(tag: str) -> None:
    assert not is_language_tag(tag)


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("english", ("en",)), ("English", ("en",)), ("eng", ("en",)), ("ZH", ("zh",)), ("cn", ("zh",)), ("jp", ("ja",)),
        ("zh_CN", ("zh-Hans",)), ("zh-tw", ("zh-Hant",)), ("zh-hant", ("zh-Hant",)), ("pt-BR", ("pt",)),
        ("zho", ("zh",)), ("englsh", ("en",)), ("kr", ("kr",)), ("q", ()),
    ],
)  # fmt: skip
def test_nearest_tags(tag: str, meant: tuple[str, ...]) -> None:
    assert nearest_tags(tag) == meant


def test_scripts() -> None:
    assert scripts_of("en") == {classes.LATIN}
    assert scripts_of("zh") == {classes.HAN, classes.BOPOMOFO, classes.LATIN}
    assert scripts_of("ja") == {classes.HAN, classes.KANA, classes.LATIN}
    assert scripts_of("ru") == {classes.CYRILLIC, classes.LATIN}
    assert scripts_of("zh-Latn") == {classes.LATIN}
    assert scripts_of("sr-Cyrl") == {classes.CYRILLIC, classes.LATIN}
    assert scripts_of("chr") == set(range(len(classes.names)))


def test_defaults_can_be_detected() -> None:
    assert set(DEFAULT_LANGUAGES) <= set(LANGUAGES)
    assert DEFAULT_LANGUAGES[:16] == tuple("en zh ja ko es pt fr de it ru ar hi id vi th tr".split())  # noqa: SIM905


def test_who_reads_closely_can_say_every_language() -> None:
    assert set(LANGUAGES) <= set(Detector(["en"]).names)
    assert all(can_be_said(tag, ["en"], closely=True) for tag in LANGUAGES)


def test_a_first_look_says_other_latin_languages_only_if_asked() -> None:
    told = {tag for tag in LANGUAGES if can_be_said(tag, ["en", "zh"], closely=False)}
    assert {"en", "zh", "zh-Latn", "uk", "ja", "th"} <= told
    assert told.isdisjoint({"fr", "sw", "hi-Latn", "nl"})
