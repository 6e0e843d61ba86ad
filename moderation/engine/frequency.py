"""How often a signal is expected to fire: what is rare is looked for everywhere, the rest where that stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from math import prod

from moderation.engine.signals import Look, Signal
from moderation.packs.regex_limits import digits_of, size_of

_MANY_DIGITS = 7
# From where on characters are Chinese, and others of which there are as many.
_WIDE = "\u2e80"
# How much likelier a common word is beside the one that it is said with.
_TOGETHER = 4
# The commonest characters of Chinese, in order: 我 stands in every third post.
_CHARACTERS = {
    character: rank
    for rank, character in enumerate(
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多"
        "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
    )
}
# How often a word of every day stands in a post.
_EVERY_DAY = 2.0**-6


def cost(signal: Signal) -> float:
    """How often a signal is expected to fire: only the order matters. A regex costs more than terms do, because it is
    also slow, and a long one less than a short one; but less than they, where it needs more digits than posts hold:
    words like `call` stand in every tenth post, eleven digits in few.
    """
    return sum(_frequency(look) for look in signal.looks)


def _frequency(look: Look) -> float:
    if look.kind == "regex":
        digits = digits_of(look.text)
        return 2.0 ** (-5 * digits) if digits >= _MANY_DIGITS else 1 + 1 / max(size_of(look.text)[0], 1)
    by_letters = prod(map(_of_letter, look.text))
    if max(look.text) >= _WIDE:
        common = sum(letter in _CHARACTERS for letter in look.text)
        return max(by_letters * float(_TOGETHER ** max(common - 1, 0)), _EVERY_DAY * (look.text in _words()))
    ranks = [_ranks().get(word) for word in look.text.split()]
    known = [1 / (rank + 3) for rank in ranks if rank is not None]
    # A word is as frequent as its rank is low (Zipf's law): `you` stands in every tenth post.
    return max(by_letters, prod(known) * _TOGETHER ** (len(known) - 1)) if len(known) == len(ranks) else by_letters


def _of_letter(letter: str) -> float:
    rank = _CHARACTERS.get(letter)
    if rank is not None:
        return 1 / (rank + 3)
    return 2.0**-9 if letter >= _WIDE else 2.0**-4


@cache
def _words() -> frozenset[str]:
    """Chinese words of every day."""
    return frozenset(_listed(resources.files("moderation.engine") / "common_words.txt"))


@cache
def _ranks() -> Mapping[str, int]:
    """English words by how common they are."""
    words = _listed(resources.files("moderation.language") / "words" / "en.txt")
    return {word: rank for rank, word in enumerate(dict.fromkeys(words))}


def _listed(file: Traversable) -> list[str]:
    lines = file.read_text("utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]
