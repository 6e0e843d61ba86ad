"""Script classes."""

from __future__ import annotations

import pytest

from moderation.text import scripts
from moderation.text.scripts import kind_of, names, script_of, writes_spaces


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        ("azAZéßªⅣＡ", "LATIN"),
        ("汉漢々〇⾨\u3400\U00020000", "HAN"),
        ("かカーｶｰゔㇰ", "KANA"),
        ("가ㄱ\u1100\u1161ﾡ", "HANGUL"),
        ("жЁїҐ", "CYRILLIC"),
        ("αΩἀ", "GREEK"),
        ("ابڤﷺ", "ARABIC"),
        ("אש", "HEBREW"),
        ("कि\u093cँ", "DEVANAGARI"),
        ("กำ่", "THAI"),
        ("অো", "BENGALI"),
        ("தமி", "TAMIL"),
        ("Աև", "ARMENIAN"),
        ("აჯᲐ", "GEORGIAN"),
        ("አማ", "ETHIOPIC"),
        ("ᏣᎳꭰ", "CHEROKEE"),
        ("ກຳ", "LAO"),
        ("កិ", "KHMER"),
        ("မြ", "MYANMAR"),
        ("བོ", "TIBETAN"),
        ("ㄅㄆ", "BOPOMOFO"),
        ("𐌰", "GOTHIC"),
        ("𐎀𓀀", "OTHER"),
        ("0 .,!?、。「」·⁉🙂❤\u200d\ufe0f\u0301\u064b־፡\ud800\ue000\0$+~", "COMMON"),
    ],
)
def test_class_of_characters(characters: str, name: str) -> None:
    found = {one: names[script_of[ord(one)]] for one in characters}
    assert found == dict.fromkeys(characters, name)


def test_every_class_fits_in_a_bit_and_has_its_constant() -> None:
    assert names[0] == "COMMON" and len(names) < 64
    assert all(getattr(scripts, name) == number for number, name in enumerate(names))
    assert script_of.shape == kind_of.shape == (0x110000,)
    assert script_of.max() < len(names) == len(writes_spaces)


def test_which_scripts_write_spaces() -> None:
    spaced = {name for name, spaces in zip(names, writes_spaces, strict=True) if spaces}
    assert spaced >= {
        "LATIN",
        "HANGUL",
        "CYRILLIC",
        "ARABIC",
        "DEVANAGARI",
        "ARMENIAN",
        "GEORGIAN",
        "ETHIOPIC",
        "OTHER",
    }
    assert spaced.isdisjoint({"COMMON", "HAN", "KANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"})


def test_kinds() -> None:
    assert {kind_of[ord(one)] for one in "\u0301\ufe0f\u20e3\u3099ُ\U000e0100"} == {scripts.MARK}
    assert {kind_of[ord(one)] for one in "09٣९９"} == {scripts.DIGIT}
    assert {kind_of[ord(one)] for one in "aी汉 Ⅳ"} == {scripts.PLAIN}
