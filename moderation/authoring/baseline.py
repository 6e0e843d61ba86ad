"""What one writes by hand without an engine: detect the language, then search with one regex a text condition."""

from __future__ import annotations

from collections.abc import Iterator

import regex
from langdetect import DetectorFactory, detect
from langdetect.lang_detect_exception import LangDetectException

from moderation.packs.load import Pack, RuleBook
from moderation.packs.schema import Condition


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
        for condition in filter(None, (rule.when, rule.unless)):
            yield from _of(condition, pack)


def _of(condition: Condition, pack: Pack) -> Iterator[str]:
    if condition.regex is not None:
        yield condition.regex
    names = [condition.list] if isinstance(condition.list, str) else condition.list or ()
    terms = [*(condition.terms or ()), *(term for name in names for term in pack.lists[name])]
    if terms:
        yield "|".join(map(regex.escape, terms))
    for child in _children(condition):
        yield from _of(child, pack)


def _children(condition: Condition) -> list[Condition]:
    single = [condition.not_, condition.count.of if condition.count else None]
    many = [*(condition.all_ or ()), *(condition.any_ or ()), *(condition.near.of if condition.near else ())]
    return [child for child in (*single, *many) if child is not None]
