"""The words that people use most in a language: for reports, which look for words that tell more."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_MOST = 120


@cache
def common_words(language: str) -> frozenset[str]:
    """The first words of the language's list in `words/`, which is by frequency; none where it has no list."""
    path = files("moderation.language") / "words" / f"{language}.txt"
    return frozenset(path.read_text("utf-8").split()[:_MOST]) if path.is_file() else frozenset()
