"""The fast matcher: Hyperscan finds the terms of a whole batch in one call and rules out most rows for most regexes."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import hyperscan
import numpy as np
import numpy.typing as npt
import regex

from moderation.signals.confirm import BaseMatcher, checked_terms
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
    ) -> None:
        aside = ThreadPoolExecutor(1)
        # Hyperscan compiles without Python's lock. One thread aside: each has a heap of its own.
        self._compiling = aside.submit(_databases, checked_terms(terms), demanded)
        aside.shutdown(wait=False)
        super().__init__(terms, regexes, ignore_case, timeout_ms, demanded)
        self._lengths = np.array([len(term) for term in terms], dtype=np.int64)
        self._hold_separators = any("\0" in term for term in terms)
        compiled = dict(enumerate(self._regexes.compiled))
        # Those on demand are tried where all else that their rules need stands: on so few rows that to compile
        # filters for them would take longer than they save.
        early = {index: each for index, each in compiled.items() if len(terms) + index not in demanded}
        self._filters = _Filters(early)

    def ready(self) -> None:
        """Wait until all is compiled."""
        self._compiling.result()

    @cached_property
    def _terms(self) -> _Database:
        return self._compiling.result()[0]

    @cached_property
    def _late_terms(self) -> _Database:
        return self._compiling.result()[1]

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
        opens, closes = view.byte_of[view.starts[rows]], view.byte_of[view.starts[rows + 1]]
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

    def _scan(self, database: _Database, data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
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
        self._database = _Database([each.encode() for each in expressions], [*found, *self._blind], _FLAGS)

    def candidates(self, view: View, rows: Sequence[int]) -> list[tuple[int, int]]:
        """(row, regex) in order: all that cannot be ruled out in these rows."""
        offsets = view.byte_of[view.starts].tolist()
        pairs = self._scan(view.utf8, [(offsets[row], offsets[row + 1]) for row in rows])
        found = {(rows[at], index) for at, identity in pairs for index in self._blind.get(identity, (identity,))}
        found.update((row, index) for row in rows for index in self.missing)
        return sorted(found)

    def candidates_anywhere(self, view: View) -> list[tuple[int, int]]:
        """(row, regex) in order: all that cannot be ruled out. Most rows hold nothing, and are scanned by the dozen."""
        rows = len(view.starts) - 1
        if self.missing:
            return self.candidates(view, range(rows))
        offsets = [*view.byte_of[view.starts[:rows:_DOZEN]].tolist(), len(view.utf8)] if rows else []
        promising = sorted({at for at, _ in self._scan(view.utf8, list(pairwise(offsets)))})
        likely = [row for at in promising for row in range(rows)[at * _DOZEN : (at + 1) * _DOZEN]]
        return self.candidates(view, likely) if likely else []

    def _scan(self, data: bytes, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """(index of the span, id) of every match.

        The separator stands behind each row. Vectorscan 5.4.12, which the hyperscan wheels hold, can miss a match that
        ends with the last byte of what it scans: https://github.com/VectorCamp/vectorscan/issues/358
        """
        return self._database.scan_each([data[start:end] for start, end in spans]) if self._database and spans else []


class _Database:
    """Compiled expressions, or literals, and a scratch space for each thread that scans with them."""

    def __init__(self, expressions: Sequence[bytes], ids: Sequence[int], flags: int = 0, literal: bool = False) -> None:
        self._native = _compiled(expressions, ids, flags, literal) if expressions else None
        self._local = threading.local()

    @classmethod
    def of_terms(cls, terms: Mapping[int, bytes]) -> _Database:
        """Terms, in UTF-8, by number. Literals compile three times as fast as expressions do, but hold no NUL."""
        if any(b"\0" in term for term in terms.values()):
            return cls([_escaped(term) for term in terms.values()], [*terms])
        return cls([*terms.values()], [*terms], literal=True)

    def __bool__(self) -> bool:
        return self._native is not None

    def scan(self, data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Id and end offset of every match."""
        if self._native is None or not data:
            return NO_PAIRS[0], NO_PAIRS[1]
        found = array("I")
        append = found.append

        def note(identity: int, start: int, end: int, flags: int, context: object) -> None:
            append(identity)
            append(end)

        self._native.scan(data, note, 0, None, self._scratch())
        plain = np.array(found, np.int64)
        return plain[::2], plain[1::2]

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


def _databases(terms: Sequence[str], demanded: frozenset[int]) -> tuple[_Database, _Database]:
    """The terms that are looked for everywhere, and those on demand."""
    found: tuple[dict[int, bytes], dict[int, bytes]] = ({}, {})
    for index, term in enumerate(terms):
        found[index in demanded][index] = term.encode("utf-8", "surrogatepass")
    return _Database.of_terms(found[0]), _Database.of_terms(found[1])


def _compiled(expressions: Sequence[bytes], ids: Sequence[int], flags: int, literal: bool = False) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(expressions)
    database.compile(
        expressions=list(expressions), ids=list(ids), elements=count, flags=[flags] * count, literal=literal
    )
    return database


def _escaped(term: bytes) -> bytes:
    """The term's bytes, each written so that nothing in it means anything."""
    return "".join(f"\\x{byte:02x}" for byte in term).encode()


def _accepted(pattern: regex.Pattern[str]) -> Prefilter | None:
    """The tightest prefilter that Hyperscan takes."""
    for anchors in (True, False):
        found = prefilter_of(pattern, anchors)
        if found is None:
            return None
        try:
            _compiled([found.expression.encode()], [0], _FLAGS)
        except hyperscan.error:
            continue
        return found
    return None


def _none(pattern: regex.Pattern[str]) -> None:
    """The last resort, should all together be more than Hyperscan takes."""
