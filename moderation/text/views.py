"""Readings of a batch in which terms and regexes are looked for, with the way back to what the author wrote."""

from __future__ import annotations

from codecs import utf_32_le_decode
from functools import reduce
from operator import or_

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.text.batch import Batch
from moderation.text.folding import TABLE, Source, fold_batch
from moderation.text.lists import constant, numbers_to
from moderation.text.scripts import MARK, kind_of
from moderation.text.tables import CODE, COMPATIBILITY, COMPOSE, EXPAND, INVISIBLE, MARKED, TRADITIONAL, WIDTH

Indexes = NDArray[np.int64] | NDArray[np.int32]
Codes = NDArray[np.uint32]

_NUL = constant(0, np.uint32)
_TRICKS = (
    (WIDTH, "width"),
    (COMPATIBILITY, "compatibility"),
    (INVISIBLE, "invisibles"),
    (MARKED, "marks"),
    (TRADITIONAL, "traditional"),
)


class View(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One reading of every row of a batch: row i is `codes[starts[i] : starts[i + 1] - 1]`, then one separator (0).

    `source[j]` is the position in `batch.codes` that `codes[j]` comes from. `text` is the whole buffer as a text,
    separators included.
    """

    name: str
    batch: Batch
    codes: Codes
    starts: NDArray[np.int64]
    source: Source
    text: str

    def row_text(self, row: int) -> str:
        """A row as text."""
        return self.text[self.starts[row] : self.starts[row + 1] - 1]

    def original_spans(
        self, rows: Indexes, starts: Indexes, ends: Indexes
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where spans of this view lie in the original rows; all in code points relative to their row.

        An end takes in the marks, variation selectors and jamo that the author put directly behind the last character
        and that this view dropped or merged; other invisible characters there stay outside. An empty span stays empty.
        """
        base = self.starts[rows]
        opens = self.source[base + starts].astype(np.int64)
        closes = np.where(ends > starts, self._ends_of(base + np.maximum(ends - 1, starts), base + ends), opens)
        origin = self.batch.starts[rows]
        return opens - origin, closes - origin

    def _ends_of(self, last: NDArray[np.int64], following: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where characters of the view end in `batch.codes`, marks that were dropped or merged included."""
        sources = self.source[last].astype(np.int64)
        limits = np.maximum(self.source[following], sources + 1)
        ends = _over_marks(self.batch.codes, sources + 1, limits)
        torn = (ends < limits).nonzero()[0]
        merged = torn[self.codes[last[torn]] != _folded_alone(self.batch.codes[sources[torn]])]
        if merged.size:
            ends[merged] = _last_mark(self.batch.codes, ends[merged], limits[merged])
        return ends


def _over_marks(codes: Codes, ends: NDArray[np.int64], limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move ends over the marks that follow, as far as the limits."""
    if not _extends(codes[ends[ends < limits]]).any():
        return ends
    others = (~_extends(codes)).nonzero()[0]
    return np.minimum(others[np.minimum(np.searchsorted(others, ends), len(others) - 1)], limits)


def _last_mark(codes: Codes, ends: NDArray[np.int64], limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move ends behind the last mark before the limits, over whatever stands in between."""
    marks = (_extends(codes)).nonzero()[0]
    return np.maximum(ends, marks[np.searchsorted(marks, limits) - 1] + 1) if marks.size else ends


def _extends(codes: Codes) -> NDArray[np.bool_]:
    extends: NDArray[np.bool_] = (kind_of.take(codes) == MARK) | (TABLE.values.take(codes) >= COMPOSE)
    return extends


def _folded_alone(codes: Codes) -> Codes:
    """The last code point that each becomes where it merges with nothing."""
    values = TABLE.values.take(codes)
    several = (values & EXPAND) != 0
    values[several] = TABLE.expanded[TABLE.ends[values[several] & CODE] - 1]
    return values & CODE


def original_view(batch: Batch) -> View:
    """The text as written; lone surrogates, which UTF-8 can't hold, read U+FFFD."""
    codes, text = batch.codes, batch.joined
    if not text.isascii() and np.count_nonzero((codes & 0xFFFFF800) == 0xD800):
        codes = np.where((codes & 0xFFFFF800) == 0xD800, np.uint32(0xFFFD), codes)
        text = _text(codes)
    return View("original", batch, codes, batch.starts, numbers_to(len(codes), np.int32), text)


def folded_view(batch: Batch) -> View:
    """The text folded: see `moderation.text.folding`."""
    codes, source, moved = fold_batch(batch)
    starts = batch.starts
    if moved:
        starts = np.zeros(len(batch) + 1, np.int64)
        np.add((codes == _NUL).nonzero()[0], 1, out=starts[1:])
    return View("folded", batch, codes, starts, source, _text(codes))


def _text(codes: Codes) -> str:
    return utf_32_le_decode(codes.tobytes())[0]


def tricks(text: str) -> tuple[str, ...]:
    """Which folds a text went through as it was read: of width, compatibility, invisibles, marks, traditional.

    Letter case, white space and quotes that look alike are how people write and are not named.
    """
    kinds = reduce(or_, map(_KINDS.__getitem__, map(ord, text)), 0)
    return tuple([name for bit, name in _TRICKS if kinds & bit]) if kinds else ()


_KINDS = TABLE.kinds.data
