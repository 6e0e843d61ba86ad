"""What both matchers share: which terms are possible, and exact regex matching with a time limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np
import regex

from moderation.signals.matcher import Columns
from moderation.text.views import View

Candidate = tuple[int, int]  # row, index of the regex

LONGEST_TERM: Final = 1000  # code points; Hyperscan refuses expressions of more than 16,000 bytes


def checked_terms(terms: Sequence[str]) -> tuple[str, ...]:
    """The terms as they are. Raises `ValueError` for an empty one, which would hit everywhere, and an endless one."""
    for index, term in enumerate(terms):
        if not 0 < len(term) <= LONGEST_TERM:
            raise ValueError(f"term {index} {term[:20]!r} has {len(term)} characters; 1 to {LONGEST_TERM} are possible")
    return tuple(terms)


class Regexes:
    """Compiled regexes of the `regex` package, version 0 behaviour, and how they are confirmed.

    `first` is the pattern id of the first of them. Raises `ValueError` naming a regex that does not compile.
    """

    def __init__(self, patterns: Sequence[str], ignore_case: bool, timeout_ms: float, first: int) -> None:
        flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
        self.compiled = tuple(_compile(index, pattern, flags) for index, pattern in enumerate(patterns))
        self._first = first
        self._timeout = timeout_ms / 1000

    def confirm(self, view: View, candidates: Iterable[Candidate]) -> tuple[Columns, list[Candidate]]:
        """The hits of candidates, and the (row, pattern) whose time ran out; candidates are sorted by row."""
        found: list[tuple[int, int, int, int]] = []
        timeouts: list[Candidate] = []
        for row, those in groupby(candidates, key=itemgetter(0)):
            text = view.row_text(row)
            for _, index in those:
                spans = _spans(self.compiled[index], text, self._timeout)
                if spans is None:
                    timeouts.append((row, self._first + index))
                else:
                    found += [(row, self._first + index, start, end) for start, end in spans]
        return np.array(found, dtype=np.int64).reshape(-1, 4).T, timeouts


def _compile(index: int, pattern: str, flags: int) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, flags)
    except (regex.error, ValueError) as error:
        raise ValueError(f"regex {index} {pattern!r} does not compile: {error}") from error


def _spans(pattern: regex.Pattern[str], text: str, timeout: float) -> list[tuple[int, int]] | None:
    """All non-empty matches in code points; None where `timeout` seconds did not suffice to find them all."""
    try:
        return [span for match in pattern.finditer(text, timeout=timeout) if (span := match.span())[0] < span[1]]
    except TimeoutError:
        return None
