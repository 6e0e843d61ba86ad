"""Words of Chinese text, by jieba's dictionary."""

from __future__ import annotations

from functools import cache
from typing import Protocol

from moderation.errors import ModerationError


def cut(text: str) -> list[str]:
    """The words of a text, in order, without guessing at words that the dictionary does not hold.

    Raises ModerationError where the segmenter is not installed.
    """
    return _segmenter().cut(text, False)


class _Segmenter(Protocol):
    def cut(self, text: str, hmm: bool) -> list[str]: ...


@cache
def _segmenter() -> _Segmenter:
    """A segmenter of our own: words that other users of the package add to the shared one change no decision."""
    try:
        import rjieba
    except ImportError as error:
        raise ModerationError("Chinese words need the package rjieba: pip install rjieba") from error
    segmenter: _Segmenter = rjieba.Jieba()
    return segmenter
