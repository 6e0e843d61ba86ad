"""Posts as evaders would write them: a model that is trained on both reads both."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from moderation.evasion.sounds import syllable_of

SHARES = (0.3, 0.6, 1.0)
_COMMON = 3000


def by_sound(texts: Sequence[str], seed: int = 0) -> list[str]:
    """Each text with a part of its Chinese characters written as others of the same sound, common ones in `texts`.

    The part is a third, two thirds, or all, in turn; the same texts and seed give the same result.
    """
    draw = random.Random(seed)
    counted = Counter(character for text in texts for character in text)
    same: dict[int, list[str]] = {}
    for character, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_COMMON]:
        sound = int(syllable_of[ord(character)])
        if sound:
            same.setdefault(sound, []).append(character)
    return [_cloaked(text, same, SHARES[at % len(SHARES)], draw) for at, text in enumerate(texts)]


def _cloaked(text: str, same: dict[int, list[str]], share: float, draw: random.Random) -> str:
    return "".join(
        draw.choice(same[sound]) if (sound := int(syllable_of[ord(each)])) in same and draw.random() < share else each
        for each in text
    )
