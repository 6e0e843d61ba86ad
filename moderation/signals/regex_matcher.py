"""The matcher that needs nothing native: `str.find` for terms, the `regex` package for regexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from moderation.signals.confirm import checked_terms, compile_regexes, confirm
from moderation.signals.matcher import Hits

if TYPE_CHECKING:
    from moderation.text.views import View

Found = tuple[int, int, int, int]


class RegexMatcher:
    """Looks for one pattern after the other: slow with many, right by construction."""

    def __init__(self, terms: Sequence[str], regexes: Sequence[str], ignore_case: bool, timeout_ms: float) -> None:
        self._terms = checked_terms(terms)
        self._regexes = compile_regexes(regexes, ignore_case)
        self._timeout = timeout_ms / 1000

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(range(len(self._regexes)))

    def scan(self, view: View) -> Hits:
        """Every occurrence of every term and every non-empty match of every regex."""
        found = list(self._terms_in(view))
        timeouts: list[tuple[int, int]] = []
        for row in range(len(view.starts) - 1):
            found += self._regexes_in(view.row_text(row), row, timeouts)
        return Hits.of(np.array(found, dtype=np.int32).reshape(-1, 4).T, timeouts)

    def _terms_in(self, view: View) -> Iterator[Found]:
        """All rows are searched as one string; what reaches over a row's end is no hit."""
        text = view.utf8.decode()
        letters = set(text)
        for pattern, term in enumerate(self._terms):
            if term[0] in letters:
                yield from _occurrences(text, term, pattern, view)

    def _regexes_in(self, text: str, row: int, timeouts: list[tuple[int, int]]) -> Iterator[Found]:
        for pattern, compiled in enumerate(self._regexes, len(self._terms)):
            spans = confirm(compiled, text, self._timeout)
            if spans is None:
                timeouts.append((row, pattern))
            else:
                yield from ((row, pattern, start, end) for start, end in spans)


def _occurrences(text: str, term: str, pattern: int, view: View) -> Iterator[Found]:
    at = text.find(term)
    while at >= 0:
        row = int(np.searchsorted(view.starts, at, side="right")) - 1
        start = at - int(view.starts[row])
        if at + len(term) < view.starts[row + 1]:
            yield row, pattern, start, start + len(term)
        at = text.find(term, at + 1)
