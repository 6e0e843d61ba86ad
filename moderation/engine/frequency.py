"""How often a signal is expected to fire: what is rare is looked for everywhere, the rest where that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from math import prod

import numpy as np
from numpy.typing import NDArray

from moderation.engine.signals import Signal
from moderation.packs.regex_limits import digits_of, size_of
from moderation.text.batch import joined

_MANY_DIGITS = 7
# From where on characters are Chinese, and others of which there are as many.
_WIDE = "\u2e80"
# How much likelier a common word is beside the one that it is said with.
_TOGETHER = 4
# The commonest characters of Chinese, more or less in order: 我 stands in every third post.
_CHARACTERS = {
    character: rank
    for rank, character in enumerate(
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多"
        "经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性"
        "知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次"
        "度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建"
        "务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路"
        "记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运找吃喜欢爱谢吗吧呢啊哦喝玩买卖钱车朋友每快"
        "懂错待站坐笑哭累睡穿衣跟怎谁哪差连选坏假杀"
    )
}
# How often a word of every day stands in a post.
_EVERY_DAY = 2.0**-6


def costs_of(signals: Sequence[Signal]) -> tuple[float, ...]:
    """How often each signal is expected to fire: only the order matters. A regex costs more than terms do, because it
    is also slow, and a long one less than a short one; but less than they, where it needs more digits than posts hold:
    words like `call` stand in every tenth post, eleven digits in few.
    """
    looks = [look for signal in signals for look in signal.looks]
    terms = list(dict.fromkeys(look.text for look in looks if look.kind == "term"))
    of_term = dict(zip(terms, _of_terms(terms), strict=True))
    return tuple(
        sum(of_term[look.text] if look.kind == "term" else _of_regex(look.text) for look in signal.looks)
        for signal in signals
    )


def _of_regex(pattern: str) -> float:
    digits = digits_of(pattern)
    return 2.0 ** (-5 * digits) if digits >= _MANY_DIGITS else 1 + 1 / max(size_of(pattern)[0], 1)


def _of_terms(terms: Sequence[str]) -> list[float]:
    """The same for terms, none of them empty: all at once, as there are tens of thousands."""
    if not terms:
        return []
    codes, _, opens = joined(terms)
    common, of_letter = _letters(codes)
    by_letters = np.multiply.reduceat(of_letter, opens)
    together = float(_TOGETHER) ** np.maximum(np.add.reduceat(common.astype(np.int64), opens) - 1, 0)
    wide = (np.maximum.reduceat(codes, opens) >= ord(_WIDE)).tolist()
    words, ranks = _words(), _ranks()
    columns = zip(terms, wide, by_letters.tolist(), (by_letters * together).tolist(), strict=True)
    return [
        max(commoner, _EVERY_DAY * (term in words)) if is_wide else _of_english(term, plain, ranks)
        for term, is_wide, plain, commoner in columns
    ]


def _letters(codes: NDArray[np.uint32]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """By letter, whether it is one of the commonest, and how often it stands in a post."""
    ranked = np.array(sorted(map(ord, _CHARACTERS)), np.uint32)
    near = ranked.searchsorted(codes).clip(max=len(ranked) - 1)
    often = np.array([1 / (_CHARACTERS[chr(code)] + 3) for code in ranked.tolist()])
    common = ranked[near] == codes
    return common, np.where(common, often[near], np.where(codes >= ord(_WIDE), 2.0**-9, 2.0**-4))


def _of_english(term: str, by_letters: float, ranks: Mapping[str, int]) -> float:
    """A word is as frequent as its rank is low (Zipf's law): `you` stands in every tenth post."""
    words = term.split()
    if not all(word in ranks for word in words):
        return by_letters
    return max(by_letters, prod(1 / (ranks[word] + 3) for word in words) * float(_TOGETHER) ** (len(words) - 1))


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
