"""What emoji stand for in Chinese: what they show, or what that sounds like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from moderation.evasion.tables import read_lines
from moderation.text.tables import CODE_POINTS

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EmojiSyllables:
    """`number_of[c]` is the emoji's number, 0 for none; emoji i stands for `characters[i]`."""

    number_of: NDArray[np.uint16]
    characters: tuple[str, ...]

    def replaced(self, codes: Codes, at: Index) -> tuple[Codes, Index]:
        """Codes with emoji replaced by their characters, and where each then comes from."""
        numbers = self.number_of.take(codes)
        emoji = numbers.astype(np.bool_)
        places = emoji.nonzero()[0]
        if not len(places):
            return codes, at
        texts = [self.characters[number] for number in numbers[places].tolist()]
        sizes = np.ones(len(codes), np.int64)
        sizes[places] = [len(text) for text in texts]
        source = np.arange(len(codes)).repeat(sizes)
        found = codes.take(source)
        found[emoji.take(source)] = [ord(character) for text in texts for character in text]
        return found, at.take(source)


@cache
def emoji_syllables() -> EmojiSyllables:
    """The shipped list."""
    number_of = np.zeros(CODE_POINTS, np.uint16)
    characters = [""]
    for line in read_lines("emoji.txt"):
        emoji, text = line.split()
        for each in emoji:
            number_of[ord(each)] = len(characters)
        characters.append(text)
    return EmojiSyllables(number_of, tuple(characters))
