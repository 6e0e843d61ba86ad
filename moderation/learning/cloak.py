"""Posts as evaders would write them: a model that is trained on both reads both."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from moderation.evasion import sounds
from moderation.evasion.sounds import syllable_of
from moderation.evasion.tables import read_table

SHARES = (0.5, 1.0)
_COMMON = 6000


def by_sound(texts: Sequence[str], seed: int = 0) -> list[str]:
    """Each text with a part of its Chinese characters written as others of the same sound that stand in `texts`.

    The part is half or all, in turn; the same texts and seed give the same result.
    """
    draw = random.Random(seed)
    counted = Counter(character for text in texts for character in text)
    same: dict[int, list[str]] = {}
    for character, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_COMMON]:
        sound = int(syllable_of[ord(character)])
        if sound:
            same.setdefault(sound, []).append(character)
    return [_cloaked(text, same, SHARES[at % 2], draw) for at, text in enumerate(texts)]


def in_pinyin(texts: Sequence[str], seed: int = 0) -> list[str]:
    """Each text with half or all of its Chinese characters in letters: apart, or joined in every word."""
    draw = random.Random(seed)
    return [_in_letters(text, SHARES[at % 2], " " if at % 3 else "", draw) for at, text in enumerate(texts)]


def _in_letters(text: str, share: float, between: str, draw: random.Random) -> str:
    spelled = [
        f"{between}{sounds.names[sound]}{between}"
        if (sound := int(syllable_of[ord(each)])) and draw.random() < share
        else each
        for each in text
    ]
    return " ".join("".join(spelled).split())


def taken_apart(texts: Sequence[str], seed: int = 0) -> list[str]:
    """Each text with half or all of the characters that fall into two parts written as these: 强奸 as 弓虽女干."""
    draw = random.Random(seed)
    table = read_table("shapes")
    parts = {
        character: found[0]
        for character, splits in zip(table["characters"].tolist(), table["splits"].tolist(), strict=True)
        if (found := [each for each in splits.split() if len(each) == 2])
    }
    return [
        "".join(parts[each] if each in parts and draw.random() < share else each for each in text)
        for share, text in ((SHARES[at % 2], text) for at, text in enumerate(texts))
    ]


def _cloaked(text: str, same: dict[int, list[str]], share: float, draw: random.Random) -> str:
    return "".join(
        draw.choice([other for other in alike if other != each] or [each])
        if (alike := same.get(int(syllable_of[ord(each)]))) and draw.random() < share
        else each
        for each in text
    )


CLOAKS: tuple[tuple[Callable[[Sequence[str]], list[str]], float], ...] = (
    (by_sound, 0.12),
    (in_pinyin, 0.2),
    (taken_apart, 0.06),
)
"""Tricks, and what a copy that is cloaked by each weighs beside its post: more costs the plain ones."""
