"""Serving a linear classifier: every head of every post by one gather of integer weights, exact for any batch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.packs.models import LIMIT, ModelError, ModelFile
from moderation.signals.features import VERSION, Text, places_of, text_of
from moderation.text.lists import constant, lengths_of, steps

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Scores = NDArray[np.float64]

BLOCK = 1 << 17
"""Code points that are looked at in one go: what fits the processor's cache."""

DECIMALS = 4
_UNIT, _LOWEST = constant(10**DECIMALS, np.float64), constant(0, np.float64)
_LANES, _BITS = 3, 17
_GRAMS = constant(2, np.int64)
"""N-grams at each place."""

_LONGEST = (1 << _BITS) // (2 * LIMIT) // int(_GRAMS)
_LANE, _MIDDLE = constant((1 << _BITS) - 1, np.int64), constant(LIMIT, np.int64)
_STEPS = 8192
"""Of a logit: so many that what lies between two of them changes no score by a ten thousandth."""

_REACH, _FARTHEST = 10, 60
"""Logits beyond which a score is 0 or 1, as calibrated; and before, however strange the calibration."""


class Sums(msgspec.Struct, frozen=True, eq=False, gc=False):
    """By row: the sum of integer weights for each head (rows × heads), and how many n-grams were summed."""

    sums: Index
    counts: Index


class Classifier:
    """A model ready to score. Immutable, safe to use from many threads; the same scores however posts are batched.

    Raises ModelError for a model that was trained on other features than these.
    """

    def __init__(self, model: ModelFile) -> None:
        if model.features != VERSION:
            raise ModelError(f"it was trained on features {model.features}, and these are {VERSION}: train it again")
        self.model = model
        self._columns = _packed(model.weights)
        first, curves = zip(*map(_curve, model.knots), strict=True)
        self._line = _STEPS * model.numbers[:, 2], _STEPS * model.numbers[:, 3] - first
        self._curves = np.concatenate(curves)
        ends = np.cumsum([len(curve) for curve in curves])
        self._opens, self._last = np.append(0, ends[:-1]), np.diff(ends, prepend=0) - 1
        heads = np.arange(len(model.heads))
        self._lanes = heads // _LANES, _BITS * (heads % _LANES)
        self._scale, self._intercept = model.numbers[:, 0].copy(), model.numbers[:, 1].copy()

    def decisions(self, codes: Codes, starts: Index, first: Index | None = None) -> Scores:
        """The trained models' decision values, posts × heads, for the rows of a folded view.

        Row i is `codes[starts[i] : starts[i + 1] - 1]`, a separator behind it; post p has the rows [first[p],
        first[p + 1]), each row being a post where `first` is not given.
        """
        found = self.sums(codes, starts)
        sums, counts = found.sums, found.counts
        if first is not None and len(first) != len(starts):
            sums = np.add.reduceat(sums, first[:-1], axis=0)
            counts = np.add.reduceat(counts, first[:-1])
        decisions: Scores = sums * self._scale
        decisions /= np.sqrt(counts)[:, None]
        decisions += self._intercept
        return decisions

    def scores(self, codes: Codes, starts: Index, first: Index | None = None) -> Scores:
        """Calibrated probabilities, posts × heads, to four decimals."""
        logits = self.decisions(codes, starts, first)
        logits *= self._line[0]
        logits += self._line[1]
        np.rint(logits, out=logits)
        np.maximum(logits, _LOWEST, out=logits)
        np.minimum(logits, self._last, out=logits)
        places = logits.astype(np.intp)
        places += self._opens
        scores: Scores = self._curves.take(places, mode="wrap") / _UNIT
        return scores

    def sums(self, codes: Codes, starts: Index) -> Sums:
        """The sums of weights by row, block by block."""
        bounds = _blocks(starts)
        if len(bounds) == 2:
            return self._block(text_of(codes, starts))
        sums = np.zeros((len(starts) - 1, len(self.model.heads)), np.int64)
        counts = np.zeros(len(sums), np.int64)
        for start, end in pairwise(bounds):
            found = self._block(text_of(codes, starts[start : end + 1]))
            sums[start:end], counts[start:end] = found.sums, found.counts
        return Sums(sums, counts)

    def _block(self, text: Text) -> Sums:
        places = places_of(text, self.model.bits)
        starts, lengths, first = text.opens[:-1], steps(text.opens), None
        if len(text.codes) > _LONGEST and np.maximum.reduce(lengths) > _LONGEST:
            starts, first = _parts(text.opens, lengths)
            lengths = lengths_of(starts, int(text.opens[-1]))
        counts = lengths * _GRAMS
        packed = []
        for table in self._columns:
            weights: NDArray[Any] = table.take(places.one, mode="wrap")
            weights += table.take(places.other, mode="wrap")
            packed.append(np.add.reduceat(weights, starts).view(np.float64).reshape(len(starts), -1))
        sums = self._unpacked(packed[0] if len(packed) == 1 else np.concatenate(packed, axis=1), counts)
        if first is not None:
            sums, counts = np.add.reduceat(sums, first, axis=0), np.add.reduceat(counts, first)
        return Sums(sums, counts)

    def _unpacked(self, packed: Scores, counts: Index) -> Index:
        word, shift = self._lanes
        sums: Index = packed.astype(np.int64).take(word, 1)
        sums >>= shift
        sums &= _LANE
        sums -= (counts * _MIDDLE)[:, None]
        return sums


def _parts(opens: Index, lengths: Index) -> tuple[Index, Index]:
    """Where parts of rows begin, none so long that a lane could run over, and the first part of each row."""
    number = -(-lengths // _LONGEST)
    first: Index = np.cumsum(number) - number
    within = np.arange(int(number.sum())) - first.repeat(number)
    return opens[:-1].repeat(number) + within * _LONGEST, first


def _packed(weights: NDArray[np.int16]) -> tuple[NDArray[np.generic], ...]:
    """Three heads in a float64, six in a complex element of a table, weights moved up to be positive.

    They are integers all the same: 17 bits a head, which are summed exactly, and complex numbers are what NumPy can
    gather, add and sum by two.
    """
    shifted = (weights + LIMIT).astype(np.int64)
    words = np.zeros((-(-len(weights) // _LANES), weights.shape[1]), np.int64)
    for head, row in enumerate(shifted):
        words[head // _LANES] |= row << (_BITS * (head % _LANES))
    columns: list[NDArray[np.generic]] = []
    for at in range(0, len(words), 2):
        pair = words[at : at + 2].T.astype(np.float64, order="C")
        columns.append(pair.view(np.complex128).ravel() if pair.shape[1] == 2 else pair.ravel())
    return tuple(columns)


def _blocks(starts: Index) -> list[int]:
    """Row numbers between which there are about BLOCK code points, as evenly as rows can be parted."""
    rows, length = len(starts) - 1, int(starts[-1] - starts[0])
    number = round(length / BLOCK)
    if number < 2 or rows < 2:
        return [0, rows] if rows else [0]
    cuts = starts.searchsorted(starts[0] + length * np.arange(1, number) // number)
    return sorted({0, *cuts.tolist(), rows})


def _curve(knots: Scores) -> tuple[int, NDArray[np.uint16]]:
    """The first step of a logit that a score hangs on, and from there on the scores by step, in ten thousandths.

    Rounded here, so that no library's exponential decides a digit.
    """
    knots = knots if len(knots) else np.zeros((1, 2))
    moved = knots[:, 1] - knots[:, 0]
    ends = np.array([-_REACH, _REACH], np.float64)
    ends = (ends - np.interp(ends, knots[:, 1], moved)).clip(-_FARTHEST, _FARTHEST)
    first, last = (int(end) for end in np.rint(_STEPS * ends))
    logits = np.arange(first, last + 1) / _STEPS
    logits += np.interp(logits, knots[:, 0], moved)
    return first, np.rint(10**DECIMALS / (1 + np.exp(-logits))).astype(np.uint16)
