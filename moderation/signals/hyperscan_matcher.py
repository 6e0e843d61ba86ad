"""The fast matcher: automata find the terms of a whole batch, Hyperscan rules out most rows for most regexes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import hyperscan
import numpy as np
import regex
from numpy.typing import NDArray

from moderation.signals.confirm import BaseMatcher
from moderation.signals.matcher import NO_PAIRS, Columns, Pairs, Wanted
from moderation.signals.prefilter import Prefilter, prefilter_of, rare, set_of
from moderation.signals.terms import Terms
from moderation.text.lists import ends_of, numbers_to
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
        super().__init__(terms, regexes, ignore_case, timeout_ms, demanded, edged)
        early, late = (
            {index: term for index, term in enumerate(terms) if (index in demanded) == asked} for asked in (False, True)
        )
        self._terms, self._late_terms = Terms(early, edged), Terms(late, edged, densely=True)
        # Those on demand are tried where all else that their rules need stands: on so few rows that to compile filters
        # for them would take longer than they save.
        self._filters = _Filters(
            {at: each for at, each in enumerate(self._regexes.compiled) if len(terms) + at not in demanded}
        )

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row because nothing cheap can rule a row out."""
        return self._filters.missing

    def terms(self, view: View) -> Columns:
        """Every occurrence of every term that is not on demand, overlapping ones too."""
        return self._terms.everywhere(view)

    def terms_in(self, view: View, rows: NDArray[np.int64], wanted: Wanted | None = None) -> Columns:
        """Every occurrence of every term on demand in these rows, or those that are wanted."""
        return self._late_terms.inside(view, rows, wanted)

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
        self._database = _Database(expressions, [*found, *self._blind])

    def candidates(self, view: View, rows: NDArray[np.int64]) -> list[tuple[int, int]]:
        """(row, regex) in order: all that cannot be ruled out in these rows."""
        numbers = rows.tolist()
        pairs = self._scan(view, view.starts[rows], view.starts[rows + 1])
        found = {(numbers[at], index) for at, identity in pairs for index in self._blind.get(identity, (identity,))}
        found.update((row, index) for row in numbers for index in self.missing)
        return sorted(found)

    def candidates_anywhere(self, view: View) -> list[tuple[int, int]]:
        """(row, regex) in order: all that cannot be ruled out. Most rows hold nothing, and are scanned by the dozen."""
        rows = numbers_to(len(view.starts) - 1)
        if self.missing:
            return self.candidates(view, rows)
        opens = view.starts[:-1:_DOZEN]
        found = self._scan(view, opens, ends_of(opens, len(view.codes)))
        promising = np.zeros(len(opens), np.bool_)
        promising[[at for at, _ in found]] = True
        return self.candidates(view, rows[promising.repeat(_DOZEN)[: len(rows)]]) if found else []

    def _scan(self, view: View, opens: NDArray[np.int64], closes: NDArray[np.int64]) -> list[tuple[int, int]]:
        """(index of the stretch, id) of every match.

        The separator stands behind each row. Vectorscan 5.4.12, which the hyperscan wheels hold, can miss a match that
        ends with the last byte of what it scans: https://github.com/VectorCamp/vectorscan/issues/358
        """
        if not self._database:
            return []
        text, spans = view.text, zip(opens.tolist(), closes.tolist(), strict=True)
        return self._database.scan_each([text[start:end].encode() for start, end in spans])


class _Database:
    """Compiled expressions, and a scratch space for each thread that scans with them."""

    def __init__(self, expressions: Sequence[str], ids: Sequence[int]) -> None:
        self._native = _compiled(expressions, ids) if expressions else None
        self._local = threading.local()

    def __bool__(self) -> bool:
        return self._native is not None

    def scan_each(self, parts: Sequence[bytes]) -> list[tuple[int, int]]:
        """(index into `parts`, id) of every match."""
        found: list[tuple[int, int]] = []
        append = found.append

        def note(identity: int, start: int, end: int, flags: int, at: int) -> None:
            append((at, identity))

        native: Any = self._native
        scan, scratch = native.scan, self._scratch()
        for at, part in enumerate(parts):
            scan(part, note, 0, at, scratch)
        return found

    def _scratch(self) -> Any:
        if not hasattr(self._local, "scratch"):
            self._local.scratch = hyperscan.Scratch(self._native)
        return self._local.scratch


def _compiled(expressions: Sequence[str], ids: Sequence[int]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(expressions)
    encoded = [each.encode() for each in expressions]
    database.compile(expressions=encoded, ids=list(ids), elements=count, flags=[_FLAGS] * count)
    return database


def _accepted(pattern: regex.Pattern[str]) -> Prefilter | None:
    """The tightest prefilter that Hyperscan takes."""
    for anchors in (True, False):
        found = prefilter_of(pattern, anchors)
        if found is None:
            return None
        try:
            _compiled([found.expression], [0])
        except hyperscan.error:
            continue
        return found
    return None


def _none(pattern: regex.Pattern[str]) -> None:
    """The last resort, should all together be more than Hyperscan takes."""
