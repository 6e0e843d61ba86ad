"""The matcher that needs nothing native: `str.find` for terms, the `regex` package for regexes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from moderation.signals.confirm import BaseMatcher
from moderation.signals.matcher import Columns, Pairs, within_rows
from moderation.text.views import View


class RegexMatcher(BaseMatcher):
    """Looks for one pattern after the other: slow with many, right by construction."""

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row: all but those on demand."""
        return tuple(index for index in range(len(self._regexes.compiled)) if index not in self._demanded)

    def terms(self, view: View) -> Columns:
        """Every occurrence of every term: all rows are searched as one string."""
        text = view.utf8.decode()
        letters = set(text)
        sought = [(pattern, term) for pattern, term in enumerate(self._arguments[0]) if term[0] in letters]
        found = [(pattern, at, at + len(term)) for pattern, term in sought for at in _occurrences(text, term)]
        pattern, start, end = np.array(found, dtype=np.int64).reshape(-1, 3).T
        return within_rows(view, pattern, start, end)

    def possible(self, view: View) -> Pairs:
        """Every row for every regex that is not on demand."""
        rows, patterns = np.arange(len(view.starts) - 1), np.array(self.unfiltered, np.int64) + self._first
        return np.stack((np.repeat(rows, len(patterns)), np.tile(patterns, len(rows))))


def _occurrences(text: str, term: str) -> Iterator[int]:
    at = text.find(term)
    while at >= 0:
        yield at
        at = text.find(term, at + 1)
