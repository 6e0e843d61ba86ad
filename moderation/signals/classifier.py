"""Serving a linear classifier: every head of every post by one gather of integer weights, exact for any batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.packs.models import LIMIT, ModelError, ModelFile
from moderation.signals.features import VERSION, Grams, Text, grams, text_of

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Scores = NDArray[np.float64]

BLOCK = 1 << 15
"""Code points that are looked at in one go: what fits the processor's cache."""

DECIMALS = 4
_LANES, _BITS = 3, np.uint64(21)
_LANE = np.uint64((1 << 21) - 1)
_MOST = (1 << 21) // (2 * LIMIT) - 1
_STEPS, _REACH = 4096, 10


@dataclass(frozen=True)
class Sums:
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
        scale, intercept = self.model.numbers[:, 0], self.model.numbers[:, 1]
        decisions: Scores = sums * scale / np.sqrt(np.maximum(counts, 1))[:, None] + intercept
        return decisions

    def scores(self, codes: Codes, starts: Index, first: Index | None = None) -> Scores:
        """Calibrated probabilities, posts × heads, to four decimals."""
        slope, offset = self.model.numbers[:, 2], self.model.numbers[:, 3]
        logits = self.decisions(codes, starts, first) * slope + offset
        place = np.clip(np.rint(logits * _STEPS), -_REACH * _STEPS, _REACH * _STEPS).astype(np.int64)
        return _probabilities().take(place + _REACH * _STEPS)

    def sums(self, codes: Codes, starts: Index) -> Sums:
        """The sums of weights by row, block by block."""
        rows = len(starts) - 1
        sums = np.zeros((rows, len(self.model.heads)), np.int64)
        counts = np.zeros(rows, np.int64)
        for start, end in pairwise(_blocks(starts)):
            text = text_of(codes, starts[start : end + 1])
            self._block(text, sums[start:end], counts[start:end])
        return Sums(sums, counts)

    def _block(self, text: Text, sums: Index, counts: Index) -> None:
        found = grams(text, self.model.bits)
        bounds = [np.searchsorted(each.start, text.opens) for each in found]
        for bound in bounds:
            counts += np.diff(bound)
        if counts.size and int(counts.max()) > _MOST:
            self._add_plainly(found, bounds, sums)
            return
        for column, table in enumerate(self._columns):
            width = 2 if table.dtype == np.complex128 else 1
            packed = np.zeros((len(counts), width), np.uint64)
            for each, bound in zip(found, bounds, strict=True):
                packed += _sum_between(table, each.bucket, bound).view(np.uint64).reshape(-1, width)
            self._unpack(packed, column * 2 * _LANES, sums, counts)

    def _unpack(self, packed: NDArray[np.uint64], first: int, sums: Index, counts: Index) -> None:
        for head in range(first, min(first + packed.shape[1] * _LANES, sums.shape[1])):
            word, lane = divmod(head - first, _LANES)
            sums[:, head] = ((packed[:, word] >> (_BITS * np.uint64(lane))) & _LANE).astype(np.int64) - counts * LIMIT

    def _add_plainly(self, found: Sequence[Grams], bounds: Sequence[Index], sums: Index) -> None:
        """The same sums without packing, for posts with so many n-grams that a lane could run over."""
        for head, weights in enumerate(self.model.weights):
            for each, bound in zip(found, bounds, strict=True):
                running = np.concatenate((_ZERO, np.cumsum(weights.take(each.bucket), dtype=np.int64)))
                sums[:, head] += np.diff(running[bound])


def _sum_between(table: NDArray[np.generic], bucket: Codes, bound: Index) -> NDArray[np.generic]:
    gathered = np.empty(len(bucket) + 1, table.dtype)
    table.take(bucket.astype(np.intp), out=gathered[:-1], mode="wrap")
    gathered[-1] = 0
    packed = gathered.view(np.uint64).reshape(len(gathered), -1)
    # Column by column: over both at once, numpy goes pair by pair.
    summed = np.stack([np.add.reduceat(column, bound[:-1]) for column in packed.T], axis=1)
    # An empty stretch has no sum: `reduceat` gives the element that stands there.
    summed[bound[1:] == bound[:-1]] = 0
    return summed


def _packed(weights: NDArray[np.int16]) -> tuple[NDArray[np.generic], ...]:
    """Three heads in 64 bits, six in one element of a table: 21 bits a head, weights moved up to be positive."""
    shifted = (weights.astype(np.int64) + LIMIT).astype(np.uint64)
    words = np.zeros((-(-len(weights) // _LANES), weights.shape[1]), np.uint64)
    for head, row in enumerate(shifted):
        words[head // _LANES] |= row << (_BITS * np.uint64(head % _LANES))
    columns: list[NDArray[np.generic]] = []
    for at in range(0, len(words), 2):
        pair = words[at : at + 2]
        columns.append(np.ascontiguousarray(pair.T).view(np.complex128).ravel() if len(pair) == 2 else pair[0].copy())
    return tuple(columns)


def _blocks(starts: Index) -> list[int]:
    """Row numbers between which there are about BLOCK code points."""
    bounds = [0]
    while bounds[-1] < len(starts) - 1:
        end = int(np.searchsorted(starts, starts[bounds[-1]] + BLOCK, side="right")) - 1
        bounds.append(min(max(end, bounds[-1] + 1), len(starts) - 1))
    return bounds


@cache
def _probabilities() -> Scores:
    """Sigmoids of evenly spaced logits, to four decimals: a table, so that no library's exponential decides a digit."""
    logits = range(-_REACH * _STEPS, _REACH * _STEPS + 1)
    return np.array([round(1 / (1 + math.exp(-place / _STEPS)), DECIMALS) for place in logits])


_ZERO = np.zeros(1, np.int64)
