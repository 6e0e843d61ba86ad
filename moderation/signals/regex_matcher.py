"""The matcher that needs nothing native: `str.find` for terms, the `regex` package for regexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from moderation.signals.confirm import Regexes, checked_terms
from moderation.signals.matcher import Columns, Hits, within_rows
from moderation.text.views import View


class RegexMatcher:
    """Looks for one pattern after the other: slow with many, right by construction."""

    def __init__(self, terms: Sequence[str], regexes: Sequence[str], ignore_case: bool, timeout_ms: float) -> None:
        self._arguments = (checked_terms(terms), tuple(regexes), ignore_case, timeout_ms)
        self._terms = checked_terms(terms)
        self._regexes = Regexes(regexes, ignore_case, timeout_ms, first=len(terms))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row: all."""
        return tuple(range(len(self._regexes.compiled)))

    def scan(self, view: View) -> Hits:
        """Every occurrence of every term, overlapping ones too, and every non-empty match of every regex."""
        pairs = ((row, index) for row in range(len(view.starts) - 1) for index in self.unfiltered)
        confirmed, timeouts = self._regexes.confirm(view, pairs)
        return Hits.of(np.concatenate((self._term_hits(view), confirmed), axis=1), timeouts)

    def _term_hits(self, view: View) -> Columns:
        """All rows are searched as one string."""
        text = view.utf8.decode()
        letters = set(text)
        sought = [(pattern, term) for pattern, term in enumerate(self._terms) if term[0] in letters]
        found = [(pattern, at, at + len(term)) for pattern, term in sought for at in _occurrences(text, term)]
        pattern, start, end = np.array(found, dtype=np.int64).reshape(-1, 3).T
        return within_rows(view, pattern, start, end)


def _occurrences(text: str, term: str) -> Iterator[int]:
    at = text.find(term)
    while at >= 0:
        yield at
        at = text.find(term, at + 1)
