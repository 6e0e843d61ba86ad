"""What both matchers share: which terms are possible, and exact regex matching with a time limit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from moderation.packs.lists import LONGEST_TERM
from moderation.packs.regex_speed import is_quick
from moderation.signals.matcher import Columns, Hits, Pairs, Wanted
from moderation.text.views import View

_HUNDRED, _SHORT = 100, 300


class BaseMatcher(ABC):
    """What both matchers share. Patterns in `demanded` are never looked for unless `terms_in` or `confirm` is asked to.
    Of terms in `edged` those occurrences count that stand on edges: others may be left out.

    Safe to share between threads; pickles as its arguments and compiles anew where it arrives. Raises `ValueError` for
    an empty term or a regex that does not compile.
    """

    def __init__(
        self,
        terms: Sequence[str],
        regexes: Sequence[str],
        ignore_case: bool,
        timeout_ms: float,
        demanded: frozenset[int] = frozenset(),
        edged: frozenset[int] = frozenset(),
    ) -> None:
        self._arguments = (checked_terms(terms), tuple(regexes), ignore_case, timeout_ms, demanded, edged)
        self._first = len(terms)
        self._demanded = np.array(sorted(pattern for pattern in demanded if pattern >= len(terms)), np.int64)
        self._regexes = Regexes(regexes, ignore_case, timeout_ms, first=self._first)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments

    @property
    @abstractmethod
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row because nothing cheap can rule a row out."""

    @abstractmethod
    def terms(self, view: View) -> Columns:
        """Every occurrence of every term that is not on demand, overlapping ones too, in any order."""

    @abstractmethod
    def terms_in(self, view: View, rows: NDArray[np.int64], wanted: Wanted | None = None) -> Columns:
        """Every occurrence of every term on demand in these rows, or those of them that are wanted."""

    @abstractmethod
    def possible(self, view: View) -> Pairs:
        """(row, pattern) of all regexes that may match there, those on demand left out."""

    @property
    def compiled(self) -> tuple[regex.Pattern[str], ...]:
        """The regexes, in their order."""
        return self._regexes.compiled

    def confirm(self, view: View, pairs: Pairs) -> tuple[Columns, list[tuple[int, int]]]:
        """Every non-empty match of these (row, pattern) pairs, and the pairs whose time ran out."""
        return self._regexes.confirm(view, pairs)

    def scan(self, view: View) -> Hits:
        """All terms and all regexes, those on demand too."""
        rows = np.arange(len(view.starts) - 1)
        demanded = np.stack((np.repeat(rows, len(self._demanded)), np.tile(self._demanded, len(rows))))
        found, timeouts = self.confirm(view, np.concatenate((self.possible(view), demanded), axis=1))
        return Hits.of(np.concatenate((self.terms(view), self.terms_in(view, rows), found), axis=1), timeouts)


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

    def confirm(self, view: View, pairs: Pairs) -> tuple[Columns, list[tuple[int, int]]]:
        """The matches in (row, pattern) pairs, and the pairs whose time ran out."""
        found: list[tuple[int, int, int, int]] = []
        timeouts: list[tuple[int, int]] = []
        for row, those in groupby(pairs[:, np.argsort(pairs[0], kind="stable")].T.tolist(), key=itemgetter(0)):
            text = view.row_text(row)
            for _, pattern in those:
                spans = _spans(self.compiled[pattern - self._first], text, self._timeout)
                if spans is None:
                    timeouts.append((row, pattern))
                else:
                    found += [(row, pattern, start, end) for start, end in spans]
        return np.array(found, dtype=np.int64).reshape(-1, 4).T, timeouts


def _compile(index: int, pattern: str, flags: int) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, flags)
    except (regex.error, ValueError) as error:
        raise ValueError(f"regex {index} {pattern!r} does not compile: {error}") from error


def _spans(pattern: regex.Pattern[str], text: str, timeout: float) -> list[tuple[int, int]] | None:
    """All non-empty matches in code points; None where `timeout` seconds did not suffice to find them all. To look at
    the clock takes longer than most searches: where there is no need, nobody does.
    """
    length = -(-len(text) // _HUNDRED) * _HUNDRED
    limit = None if length <= _SHORT and is_quick(pattern.pattern, length, timeout) else timeout
    try:
        return [span for match in pattern.finditer(text, timeout=limit) if (span := match.span())[0] < span[1]]
    except TimeoutError:
        return None
