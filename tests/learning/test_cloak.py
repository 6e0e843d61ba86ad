"""Cloaked copies: what an evader would write reads otherwise and sounds alike."""

from __future__ import annotations

from moderation.evasion.sounds import syllable_of
from moderation.learning.cloak import by_sound, in_pinyin, taken_apart

TEXTS = ["他们是骗子", "她门市片紫, ok 12", "强奸", "hello"]


def sounds(text: str) -> list[int]:
    return [int(syllable_of[ord(each)]) for each in text]


def test_every_other_text_is_written_in_other_characters_of_the_same_sound() -> None:
    texts = [text for text in TEXTS for _ in range(2)]
    cloaked = by_sound(texts)
    assert [sounds(text) for text in cloaked] == [sounds(text) for text in texts]
    # 强 and 奸 have nobody that sounds like them here, nor has what is not Chinese.
    assert cloaked[1::2] == ["她门市片紫", "他们是骗子, ok 12", "强奸", "hello"]


def test_half_of_the_others_is_left() -> None:
    text = "他她" * 200
    left = sum(one == other for one, other in zip(text, by_sound([text])[0], strict=True))
    assert 160 < left < 240


def test_the_same_seed_gives_the_same_copies() -> None:
    for cloak in (by_sound, in_pinyin, taken_apart):
        assert cloak(TEXTS, 1) == cloak(TEXTS, 1)
    assert by_sound(TEXTS, 1) != by_sound(TEXTS, 2)
    assert taken_apart(["强奸"] * 2)[1] == "弓虽女干"
    assert in_pinyin(["骗子"] * 4)[1:4:2] == ["pian zi", "pianzi"]
