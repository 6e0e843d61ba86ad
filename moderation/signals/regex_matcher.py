"""The matcher that needs nothing native: `str.find` for terms, the `regex` package for regexes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from moderation.signals.confirm import BaseMatcher
from moderation.signals.matcher import Columns, Pairs, Wanted, within_rows
from moderation.text.views import View


class RegexMatcher(BaseMatcher):
    """Looks for one pattern after the other: slow with many, right by construction."""

    def ready(self) -> None:
        """Everything is, when it is made."""

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row: all but those on demand."""
        known = len(self._regexes.compiled)
        return tuple(index for index in range(known) if self._first + index not in self._arguments[4])

    def terms(self, view: View) -> Columns:
        """Every occurrence of every term that is not on demand: all rows are searched as one string."""
        return self._occurrences(view, late=False)

    def terms_in(self, view: View, rows: NDArray[np.int64], wanted: Wanted | None = None) -> Columns:
        """Every occurrence of every term on demand in these rows, or those of them that are wanted."""
        found = self._occurrences(view, late=True)
        kept = np.isin(found[0], rows)
        return found[:, kept if wanted is None else kept & wanted.are(found[0], found[1])]

    def _occurrences(self, view: View, late: bool) -> Columns:
        text = view.utf8.decode()
        letters = set(text)
        terms, demanded = self._arguments[0], self._arguments[4]
        sought = [(pattern, term) for pattern, term in enumerate(terms) if (pattern in demanded) == late]
        found = [
            (pattern, at, at + len(term))
            for pattern, term in sought
            if term[0] in letters
            for at in _occurrences(text, term)
        ]
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
