"""Tells the scripts and varieties of Chinese apart: zh-Hans, zh-Hant, and Cantonese as it is written (yue)."""

from __future__ import annotations

import unicodedata
from functools import cache

from moderation.text.folding import fold_all

HANS, HANT, CANTONESE, PLAIN = "zh-Hans", "zh-Hant", "yue", "zh"

# Characters and words that are written in Cantonese and not in Mandarin.
_CANTONESE = frozenset("嘅咗唔冇喺哋嚟啲咁嘢嗰噉攞諗瞓俾畀嗌啱嘥佢乜咩嘞囉喎咪")
# One character of these in so many is not by chance.
_ONE_IN = 12

# Simplified forms that are traditional characters too: 皇后, 里長, 雲/云, 台灣.
_BOTH = frozenset(
    "后里台云面干发只系才丑出回了准制谷困范松几斗千秋向舍丰冬家借据卷克胡致咸曲伙征郁余御愿岳云症姜叶吁布托游佣蔑杰蒙"
)
_HAN = range(0x4E00, 0xA000)


def variety_of(text: str) -> str:
    """The variety of a Chinese text: `zh-Hans`, `zh-Hant` or `yue`; `zh` where its characters are common to all."""
    letters = [letter for letter in text if ord(letter) in _HAN or ord(letter) > 0x20000]
    cantonese = sum(letter in _CANTONESE for letter in letters)
    if cantonese and cantonese * _ONE_IN >= len(letters):
        return CANTONESE
    traditional, simplified = _forms()
    old = sum(letter in traditional for letter in letters)
    new = sum(letter in simplified for letter in letters)
    if old == new:
        return PLAIN
    return HANT if old > new else HANS


@cache
def _forms() -> tuple[frozenset[str], frozenset[str]]:
    """Characters that only traditional text has, and those that only simplified text has."""
    every = [chr(code) for code in _HAN if unicodedata.normalize("NFKC", chr(code)) == chr(code)]
    pairs = [(old, new) for old, new in zip(every, fold_all(every), strict=True) if old != new and len(new) == 1]
    traditional = frozenset(old for old, _ in pairs)
    return traditional - _BOTH, frozenset(new for _, new in pairs) - _BOTH - traditional
