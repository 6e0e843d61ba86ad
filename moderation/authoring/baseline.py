"""What one writes by hand without an engine: detect the language, then search with one regex a text condition."""

from __future__ import annotations

from collections.abc import Iterator

import regex
from langdetect import DetectorFactory, detect
from langdetect.lang_detect_exception import LangDetectException

from moderation.packs.load import Pack, RuleBook
from moderation.packs.walk import conditions_of, terms_of


class Baseline:
    """A hand-written pipeline over the same terms and regexes: no folding, no edges by script, no logic, no spans.

    It does less than the engine does, so that comparing speeds is generous to it.
    """

    def __init__(self, book: RuleBook) -> None:
        DetectorFactory.seed = 0
        self._patterns = [
            (pack.file.languages, regex.compile(pattern, regex.IGNORECASE))
            for pack in book.packs
            for pattern in _patterns(pack)
        ]

    def judge(self, text: str) -> tuple[str, int]:
        """The detected language, and how many patterns of packs that serve it were found."""
        try:
            language = detect(text)
        except LangDetectException:
            language = "und"
        short = language.partition("-")[0]
        served = (pattern for languages, pattern in self._patterns if "*" in languages or short in languages)
        return language, sum(pattern.search(text) is not None for pattern in served)


def _patterns(pack: Pack) -> Iterator[str]:
    for rule in pack.rules:
        for _, condition in conditions_of(rule):
            if condition.regex is not None:
                yield condition.regex
            if terms := terms_of(condition, pack):
                yield "|".join(map(regex.escape, terms))
