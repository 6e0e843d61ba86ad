"""The fast matcher: one pass of Hyperscan over each row finds all terms and rules out most regexes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import hyperscan
import numpy as np

from moderation.signals.confirm import checked_terms, compile_regexes, confirm
from moderation.signals.matcher import Hits

if TYPE_CHECKING:
    from moderation.text.views import View


class HyperscanMatcher:
    """Terms by Hyperscan, regexes confirmed by the `regex` package."""

    def __init__(self, terms: Sequence[str], regexes: Sequence[str], ignore_case: bool, timeout_ms: float) -> None:
        self._arguments = (tuple(terms), tuple(regexes), ignore_case, timeout_ms)
        self._terms = checked_terms(terms)
        self._regexes = compile_regexes(regexes, ignore_case)
        self._timeout = timeout_ms / 1000
        self._lengths = np.array([len(term) for term in self._terms], dtype=np.int64)
        self._database = _compile(self._terms) if self._terms else None
        self._local = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row."""
        return tuple(range(len(self._regexes)))

    def scan(self, view: View) -> Hits:
        """Every occurrence of every term and every non-empty match of every regex."""
        rows, patterns, starts, ends = self._term_hits(view)
        found: list[tuple[int, int, int, int]] = []
        timeouts: list[tuple[int, int]] = []
        for row in range(len(view.starts) - 1) if self._regexes else ():
            text = view.row_text(row)
            for pattern, compiled in enumerate(self._regexes, len(self._terms)):
                spans = confirm(compiled, text, self._timeout)
                if spans is None:
                    timeouts.append((row, pattern))
                else:
                    found += [(row, pattern, start, end) for start, end in spans]
        extra = np.array(found, dtype=np.int64).reshape(-1, 4).T
        columns = [np.concatenate(pair) for pair in zip((rows, patterns, starts, ends), extra, strict=True)]
        return Hits.of(*columns, timeouts=timeouts)

    def _term_hits(self, view: View) -> tuple[np.ndarray[Any, Any], ...]:
        found: list[tuple[int, int]] = []
        append = found.append
        if self._database is not None:
            self._database.scan(
                view.utf8, lambda i, start, end, flags, context: append((i, end)), 0, None, self._scratch()
            )
        patterns, byte_ends = np.array(found, dtype=np.int64).reshape(-1, 2).T
        ends = np.searchsorted(view.byte_of, byte_ends)
        starts = ends - self._lengths[patterns]
        rows = np.searchsorted(view.starts, starts, side="right") - 1
        inside = ends < view.starts[rows + 1]
        rows, patterns, starts, ends = rows[inside], patterns[inside], starts[inside], ends[inside]
        return rows, patterns, starts - view.starts[rows], ends - view.starts[rows]

    def _scratch(self) -> Any:
        if not hasattr(self._local, "scratch"):
            self._local.scratch = hyperscan.Scratch(self._database)
        return self._local.scratch


def _compile(terms: Sequence[str]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    escaped = ["".join(f"\\x{byte:02x}" for byte in term.encode("utf-8", "surrogatepass")).encode() for term in terms]
    database.compile(expressions=escaped, ids=list(range(len(terms))), elements=len(terms), flags=[0] * len(terms))
    return database
