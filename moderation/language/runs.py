"""Runs: letters of one script in one row with only neutral characters between them."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import SYMBOL_BITS, SYMBOLS, WEAK, Glyphs
from moderation.text.classes import HAN, HANGUL, KANA
from moderation.text.lists import constant, ends_of, ranges

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ONE, _THREE = constant(1, np.int64), constant(3, np.int64)
_TO_SCRIPT, _KANA = constant(SYMBOL_BITS, np.uint16), constant(KANA, np.uint8)

# Scripts whose letters say nothing when they stand alone, and those of which only weak ones do not; kana are asked of
# before.
_LETTERS, _SYLLABLES = np.ones(64, np.bool_), np.zeros(64, np.bool_)
_LETTERS[[HAN, HANGUL, KANA]], _SYLLABLES[[HAN, HANGUL]] = False, True


class Runs(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Columns by run, in reading order: row, script class, positions of the first and the last letter, letters."""

    row: Ints
    script: Ints
    first: Ints
    last: Ints
    letters: Ints

    def __len__(self) -> int:
        return len(self.row)

    def scripts(self) -> set[int]:
        """The scripts that there are runs of."""
        return set(np.bincount(self.script).nonzero()[0].tolist())

    def where(self, keep: Bools) -> Runs:
        """The runs for which `keep` is true, those that then follow one another in one row and script made one."""
        return _merged(self.row[keep], self.script[keep], self.first[keep], self.last[keep], self.letters[keep])

    def relabelled(self, script: Ints) -> Runs:
        """The runs with other scripts, those that then follow one another in one row and script made one."""
        return _merged(self.row, script, self.first, self.last, self.letters)

    def with_parts(self, parts: Parts, label: Ints, labels: Ints) -> tuple[Runs, Ints]:
        """The runs, some in parts; and labels of runs, for parts their own `labels`."""
        count = np.bincount(parts.of, minlength=len(self))
        of = np.arange(len(self)).repeat(np.maximum(count, 1))
        at = count[of].nonzero()[0]
        first, last, letters, label = self.first[of], self.last[of], self.letters[of], label[of]
        first[at], last[at], letters[at], label[at] = parts.first, parts.last, parts.letters, labels
        return Runs(self.row[of], self.script[of], first, last, letters), label


class Parts(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Parts that some runs fall into, in order: `of` is the number of the run."""

    of: Ints
    first: Ints
    last: Ints
    letters: Ints


def _merged(row: Ints, script: Ints, first: Ints, last: Ints, letters: Ints) -> Runs:
    starts = openings(row, script)
    if len(starts) == len(row):
        return Runs(row, script, first, last, letters)
    ends = ends_of(starts, len(row)) - 1
    return Runs(row[starts], script[starts], first[starts], last[ends], np.add.reduceat(letters, starts))


def openings(row: Ints, label: Ints) -> Ints:
    """Where row or label are others than before."""
    opens = np.empty(len(row), np.bool_)
    opens[:1] = True
    np.not_equal(row[1:], row[:-1], out=opens[1:])
    opens[1:] |= label[1:] != label[:-1]
    return opens.nonzero()[0]


def find_runs(glyphs: Glyphs, starts: Ints) -> Runs:
    """The runs of a buffer of glyphs whose row i begins at `starts[i]`; Han and kana are not yet told from Japanese.

    Letters that stand alone are drawings (kaomoji) or abbreviations: they are left out, and their glyphs made neutral.
    """
    scripts = (glyphs >> _TO_SCRIPT).astype(np.uint8)
    _drop_lone_kana(glyphs, scripts)
    at = scripts.astype(np.bool_).nonzero()[0]  # asked of truth values, several times as fast
    if not len(at):
        return Runs(at, at, at, at, at)
    script = scripts.take(at)
    row_starts = at.searchsorted(starts)
    opens = np.empty(len(at) + 1, np.bool_)
    np.not_equal(script[1:], script[:-1], out=opens[1:-1])
    opens[row_starts] = opens[-1] = True
    bounds = opens.nonzero()[0]
    first, end = bounds[:-1], bounds[1:]
    row = row_starts.searchsorted(first, side="right") - _ONE
    runs = Runs(row, script[first].astype(np.int64), at[first], at[end - _ONE], end - first)
    lone = _lone(glyphs, runs, at, first)
    if not np.count_nonzero(lone):
        return runs
    glyphs[at[lone.repeat(runs.letters)]] = 0
    return runs.where(~lone)


def _drop_lone_kana(glyphs: Glyphs, scripts: NDArray[np.uint8]) -> None:
    """Make kana neutral that stand neither beside other kana nor, if they are more than a drawing, beside Han."""
    at = (scripts == _KANA).nonzero()[0]
    if not len(at):
        return
    weak = (glyphs[at] & (SYMBOLS - 1)) >= WEAK
    backed = np.zeros(len(at), np.bool_)
    for beside in (at - 1, at + 1):
        kana = (scripts[beside] == KANA) & (~weak | (glyphs[beside] != glyphs[at]))
        backed |= kana | (~weak & (scripts[beside] == HAN))
    glyphs[at[~backed]] = scripts[at[~backed]] = 0


def _lone(glyphs: Glyphs, runs: Runs, at: Ints, first: Ints) -> Bools:
    """Which runs hold no two letters side by side. One Han character or Hangul syllable is a word all the same."""
    lone = runs.last - runs.first > runs.letters + runs.letters - _THREE
    if not np.count_nonzero(lone):
        return lone
    weak = (glyphs[runs.first] & (SYMBOLS - 1)) >= WEAK
    lone &= _LETTERS[runs.script] | (_SYLLABLES[runs.script] & weak)
    several = (lone & (runs.letters > 1)).nonzero()[0]
    if len(several):
        lone[several] = ~_touching(at, first[several], runs.letters[several])
    return lone


def _touching(at: Ints, first: Ints, letters: Ints) -> Bools:
    """Which runs, whose letters are `at[first : first + letters]`, hold two letters side by side."""
    pairs = letters - 1
    starts, left = pairs.cumsum() - pairs, ranges(first, first + pairs)
    touching: Bools = np.logical_or.reduceat(at[left + 1] - at[left] == 1, starts)
    return touching
