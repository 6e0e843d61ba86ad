"""Matching: which terms and regexes stand where in the rows of a view.

Two matchers give the same answers: `HyperscanMatcher` is fast, `RegexMatcher` needs no native database and is the
oracle that the fast one is tested against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import regex

from moderation.errors import ModerationError
from moderation.text.views import View

Ints = npt.NDArray[np.int32]
Columns = npt.NDArray[np.int64]  # four: row, pattern, start, end
Pairs = npt.NDArray[np.int64]  # two: row, pattern
NO_HITS: Columns = np.zeros((4, 0), np.int64)
NO_PAIRS: Pairs = np.zeros((2, 0), np.int64)
Bits = npt.NDArray[np.uint64]
Kind = Literal["auto", "hyperscan", "regex"]


@dataclass(frozen=True, slots=True)
class Hits:
    """Where patterns stand: four columns, sorted by row, pattern, start and end.

    `start` and `end` count code points of the view from the row's beginning. `timeouts` names every (row, pattern)
    that could not be looked for in time: such a pair has no hits, and its answer is unknown rather than "none".
    """

    row: Ints
    pattern: Ints
    start: Ints
    end: Ints
    timeouts: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(cls, columns: Columns, timeouts: Iterable[tuple[int, int]] = ()) -> Hits:
        """From columns in any order."""
        row, pattern, start, end = columns[:, np.lexsort(columns[::-1])].astype(np.int32)
        return cls(row, pattern, start, end, tuple(sorted(timeouts)))


class Wanted(NamedTuple):
    """Which hits are wanted: those where a bit of the pattern is one of the row."""

    patterns: Bits
    rows: Bits

    def are(self, row: npt.NDArray[np.int64], pattern: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether hits are."""
        met: npt.NDArray[np.bool_] = (self.patterns[pattern] & self.rows[row]) != 0
        return met


class Matcher(Protocol):
    """Finds all terms and regexes in a view. Pattern ids: index into the terms, then `len(terms)` + index into the
    regexes."""

    @property
    def unfiltered(self) -> tuple[int, ...]:
        """Indexes of the regexes that are tried on every row because nothing cheap can rule a row out."""
        ...

    @property
    def compiled(self) -> tuple[regex.Pattern[str], ...]:
        """The regexes, in their order."""
        ...

    def terms(self, view: View) -> Columns:
        """Every occurrence of every term that is not on demand, overlapping ones too, in any order."""
        ...

    def terms_in(self, view: View, rows: npt.NDArray[np.int64], wanted: Wanted | None = None) -> Columns:
        """Every occurrence of every term on demand in these rows, or those of them that are wanted."""
        ...

    def possible(self, view: View) -> Pairs:
        """(row, pattern) of all regexes that may match there, those on demand left out."""
        ...

    def confirm(self, view: View, pairs: Pairs) -> tuple[Columns, list[tuple[int, int]]]:
        """Every non-empty match of these (row, pattern) pairs, and the pairs whose time ran out."""
        ...

    def scan(self, view: View) -> Hits:
        """All terms and all regexes, those on demand too."""
        ...


def within_rows(
    view: View, pattern: npt.NDArray[np.int64], start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> Columns:
    """Hits in the whole of `view.codes`, counted from their rows; what reaches into a separator is no hit."""
    row = np.searchsorted(view.starts, start, side="right") - 1
    inside = end < view.starts[row + 1]
    offset = view.starts[row]
    return np.array((row, pattern, start - offset, end - offset))[:, inside]


def build_matcher(
    terms: Sequence[str],
    regexes: Sequence[str],
    ignore_case: bool = True,
    timeout_ms: float = 20.0,
    kind: Kind = "auto",
    demanded: frozenset[int] = frozenset(),
    edged: frozenset[int] = frozenset(),
) -> Matcher:
    """The fastest matcher that this machine has.

    `terms` are literals, folded like the view; `regexes` are patterns of the `regex` package (version 0 behaviour),
    which ignore case on request. Patterns in `demanded` are looked for only where `terms_in` or `confirm` is asked to;
    of terms in `edged` occurrences may be left out that stand on no edges, see `moderation.text.edges`. `timeout_ms`
    bounds the confirming of one regex in one row, in processor time of the whole process. Raises
    `ValueError` for an empty term or a regex that does not compile, `ModerationError` where `kind="hyperscan"` asks for
    a package that is not installed.
    """
    if kind == "auto":
        kind = "hyperscan" if _hyperscan_error() is None else "regex"
    if kind == "regex":
        from moderation.signals.regex_matcher import RegexMatcher

        return RegexMatcher(terms, regexes, ignore_case, timeout_ms, demanded, edged)
    if error := _hyperscan_error():
        raise ModerationError(
            f"matcher 'hyperscan' needs the package hyperscan, which cannot be imported here ({error}); "
            "pip install hyperscan, or choose the matcher 'regex' (same answers, slower)"
        )
    from moderation.signals.hyperscan_matcher import HyperscanMatcher

    return HyperscanMatcher(terms, regexes, ignore_case, timeout_ms, demanded, edged)


def _hyperscan_error() -> ImportError | None:
    try:
        import_module("hyperscan")
    except ImportError as error:
        return error
    return None
