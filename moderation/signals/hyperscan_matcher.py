"""The fast matcher: Hyperscan finds the terms of a whole batch in one call and rules out most rows for most regexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import hyperscan
import numpy as np
import numpy.typing as npt
import regex

from moderation.signals.confirm import BaseMatcher, checked_terms
from moderation.signals.databases import Database, TermDatabase
from moderation.signals.matcher import NO_HITS, NO_PAIRS, Columns, Pairs, Wanted
from moderation.signals.prefilter import Prefilter, prefilter_of, rare, set_of
from moderation.text.views import View

_DOZEN: Final = 12
_FLAGS: Final = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH


class HyperscanMatcher(BaseMatcher):
    """Terms are found in the rows joined, regexes in one row after the other, each confirmed by the `regex` package."""

    def __init__(
        self,
        terms: Sequence[str],
        regexes: Sequence[str],
        ignore_case: bool,
        timeout_ms: float,
        demanded: frozenset[int] = frozenset(),
        edged: frozenset[int] = frozenset(),
    ) -> None:
        with ThreadPoolExecutor(1) as aside:
            # Hyperscan compiles without Python's lock.
            databases = aside.submit(_databases, checked_terms(terms), demanded, edged)
            super().__init__(terms, regexes, ignore_case, timeout_ms, demanded, edged)
            self._lengths = np.array([len(term) for term in terms], dtype=np.int64)
            self._hold_separators = any("\0" in term for term in terms)
            compiled = dict(enumerate(self._regexes.compiled))
            # Those on demand are tried where all else that their rules need stands: on so few rows that to compile
            # filters for them would take longer than they save.
            early = {index: each for index, each in compiled.items() if len(terms) + index not in demanded}
            self._filters = _Filters(early)
        self._terms, self._late_terms = databases.result()

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row because nothing cheap can rule a row out."""
        return self._filters.missing

    def terms(self, view: View) -> Columns:
        """Every occurrence of every term that is not on demand, overlapping ones too."""
        pattern, end = self._scan(self._terms, view.utf8)
        if not len(pattern):
            return NO_HITS
        end = view.byte_of.searchsorted(end)
        return self._hits(view, view.starts.searchsorted(end) - 1, pattern, end)

    def terms_in(self, view: View, rows: npt.NDArray[np.int64], wanted: Wanted | None = None) -> Columns:
        """Every occurrence of every term on demand in these rows, or those that are wanted. Rows are scanned joined."""
        if not self._late_terms:
            return NO_HITS
        opens, closes = view.row_byte_of[rows], view.row_byte_of[rows + 1]
        bounds = zip(opens.tolist(), closes.tolist(), strict=True)
        pattern, end = self._scan(self._late_terms, b"".join([view.utf8[start:stop] for start, stop in bounds]))
        if not len(pattern):
            return NO_HITS
        moved = np.add.accumulate(closes - opens) - closes
        part = (moved + opens).searchsorted(end) - 1
        row = rows[part]
        if wanted is not None:
            kept = wanted.are(row, pattern).nonzero()[0]
            row, pattern, end, part = row[kept], pattern[kept], end[kept], part[kept]
        return self._hits(view, row, pattern, view.byte_of.searchsorted(end - moved[part]))

    def _scan(self, database: TermDatabase, data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Pattern and end (in bytes) of every match. No term may end with the last byte, see `_Filters._scan`: none
        does that holds no separator.
        """
        if not self._hold_separators:
            return database.scan(data)
        pattern, end = database.scan(data + b"\0")
        inside = end <= len(data)
        return pattern[inside], end[inside]

    def _hits(
        self,
        view: View,
        row: npt.NDArray[np.int64],
        pattern: npt.NDArray[np.int64],
        end: npt.NDArray[np.int64],
    ) -> Columns:
        """Hits that end in some rows, counted from these; what reaches over a separator is no hit."""
        found = np.empty((4, len(row)), np.int64)
        found[0], found[1] = row, pattern
        np.subtract(end, view.starts[row], out=found[3])
        np.subtract(found[3], self._lengths[pattern], out=found[2])
        return found.compress((found[2] >= 0) & (end < view.starts[row + 1]), 1) if self._hold_separators else found

    def possible(self, view: View) -> Pairs:
        """(row, pattern) of the regexes that the prefilters could not rule out."""
        return self._pairs(self._filters.candidates_anywhere(view))

    def _pairs(self, found: list[tuple[int, int]]) -> Pairs:
        if not found:
            return NO_PAIRS
        pairs = np.array(found, np.int64).reshape(-1, 2).T
        pairs[1] += self._first
        return pairs


class _Filters:
    """Rules regexes out, row by row. Ids: index of the regex; beyond them, the rare kinds that filters are blind to."""

    def __init__(self, patterns: Mapping[int, regex.Pattern[str]]) -> None:
        self._patterns = patterns
        self._count = max(patterns, default=0) + 1
        for choose in (prefilter_of, _accepted, _none):
            try:
                self._compile({index: each for index, pattern in patterns.items() if (each := choose(pattern))})
            except hyperscan.error:
                continue
            break

    def _compile(self, found: Mapping[int, Prefilter]) -> None:
        self.missing = tuple(index for index in self._patterns if index not in found)
        kinds = sorted(frozenset[str]().union(*(each.blind for each in found.values())))
        self._blind = {
            self._count + i: tuple(index for index, each in found.items() if kind in each.blind)
            for i, kind in enumerate(kinds)
        }
        expressions = [each.expression for each in found.values()] + [set_of(rare()[kind]) for kind in kinds]
        self._database = Database([each.encode() for each in expressions], [*found, *self._blind], _FLAGS)

    def candidates(self, view: View, rows: Sequence[int]) -> list[tuple[int, int]]:
        """(row, regex) in order: all that cannot be ruled out in these rows."""
        offsets = view.row_byte_of.tolist()
        pairs = self._scan(view.utf8, [(offsets[row], offsets[row + 1]) for row in rows])
        found = {(rows[at], index) for at, identity in pairs for index in self._blind.get(identity, (identity,))}
        found.update((row, index) for row in rows for index in self.missing)
        return sorted(found)

    def candidates_anywhere(self, view: View) -> list[tuple[int, int]]:
        """(row, regex) in order: all that cannot be ruled out. Most rows hold nothing, and are scanned by the dozen."""
        rows = len(view.starts) - 1
        if self.missing:
            return self.candidates(view, range(rows))
        offsets = [*view.row_byte_of[:rows:_DOZEN].tolist(), len(view.utf8)] if rows else []
        promising = sorted({at for at, _ in self._scan(view.utf8, list(pairwise(offsets)))})
        likely = [row for at in promising for row in range(rows)[at * _DOZEN : (at + 1) * _DOZEN]]
        return self.candidates(view, likely) if likely else []

    def _scan(self, data: bytes, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """(index of the span, id) of every match.

        The separator stands behind each row. Vectorscan 5.4.12, which the hyperscan wheels hold, can miss a match that
        ends with the last byte of what it scans: https://github.com/VectorCamp/vectorscan/issues/358
        """
        return self._database.scan_each([data[start:end] for start, end in spans]) if self._database and spans else []


def _accepted(pattern: regex.Pattern[str]) -> Prefilter | None:
    """The tightest prefilter that Hyperscan takes."""
    for anchors in (True, False):
        found = prefilter_of(pattern, anchors)
        if found is None:
            return None
        try:
            Database([found.expression.encode()], [0], _FLAGS)
        except hyperscan.error:
            continue
        return found
    return None


def _none(pattern: regex.Pattern[str]) -> None:
    """The last resort, should all together be more than Hyperscan takes."""


def _databases(
    terms: Sequence[str], demanded: frozenset[int], edged: frozenset[int]
) -> tuple[TermDatabase, TermDatabase]:
    """The terms that are looked for everywhere, and those on demand."""
    found: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for index, term in enumerate(terms):
        found[index in demanded][index] = term
    return TermDatabase(found[0], edged), TermDatabase(found[1], edged)
