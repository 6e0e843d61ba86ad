"""Serving a linear classifier: every head of every post by one gather of integer weights, exact for any batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.packs.models import LIMIT, ModelError, ModelFile
from moderation.signals.features import MOST, VERSION, Layer, Text, layers, text_of

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Scores = NDArray[np.float64]

BLOCK = 1 << 16
"""Code points that are looked at in one go: what fits the processor's cache."""

DECIMALS = 4
_LANES, _BITS = 3, 21
_LANE = np.uint64((1 << _BITS) - 1)
_SHIFTS = np.arange(_LANES, dtype=np.uint64) * np.uint64(_BITS)
_PIECE = ((1 << _BITS) // (2 * LIMIT) - 1) // MOST
"""No lane runs over within so many code points, at each of which MOST n-grams may start."""
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
        self._table = _packed(model.weights)

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
        bounds = _blocks(starts)
        lanes = [self._lanes(text_of(codes, starts[start : end + 1])) for start, end in pairwise(bounds)]
        heads = len(self.model.heads)
        found = np.concatenate(lanes) if lanes else np.zeros((0, heads + 1), np.int64)
        counts = found[:, heads]
        return Sums(found[:, :heads] - counts[:, None] * LIMIT, counts)

    def _lanes(self, text: Text) -> Index:
        """By row, the sum of each lane of the table."""
        cuts, first = _pieces(text.opens)
        packed = np.zeros((len(cuts) - 1, self._table.shape[1]), np.uint64)
        for layer in layers(text, self.model.bits):
            bounds = cuts if layer.at is None else layer.at.searchsorted(cuts)
            held = (bounds[1:] > bounds[:-1]).nonzero()[0]
            packed[held] += np.add.reduceat(self._gathered(layer, int(bounds[-1])), bounds[held], axis=0)
        lanes: Index = ((packed[:, :, None] >> _SHIFTS) & _LANE).reshape(len(packed), -1).astype(np.int64)
        lanes = lanes[:, : len(self.model.heads) + 1]
        return lanes if first is None else np.add.reduceat(lanes, first, axis=0)

    def _gathered(self, layer: Layer, end: int) -> NDArray[np.uint64]:
        """By place, the weights of all n-grams that start there."""
        first, *others = (kind.bucket[:end] for kind in layer.kinds)
        gathered: NDArray[np.uint64] = self._table.take(first, axis=0, mode="clip")
        for bucket in others:
            gathered += self._table.take(bucket, axis=0, mode="clip")
        return gathered


def _packed(weights: NDArray[np.int16]) -> NDArray[np.uint64]:
    """A row by bucket, three lanes of 21 bits in each 64: a lane a head, weights moved up to be positive, and one that
    counts. The last row is for what is no n-gram.
    """
    lanes = np.ones((len(weights) + 1, weights.shape[1]), np.uint64)
    lanes[:-1] = (weights.astype(np.int64) + LIMIT).astype(np.uint64)
    table = np.zeros((weights.shape[1] + 1, -(-len(lanes) // _LANES)), np.uint64)
    for number, lane in enumerate(lanes):
        table[:-1, number // _LANES] |= lane << _SHIFTS[number % _LANES]
    return table


def _pieces(opens: Index) -> tuple[Index, Index | None]:
    """Where rows begin, long ones in pieces, and the end; and which piece each row begins with, if any is in pieces."""
    lengths = opens[1:] - opens[:-1]
    if int(lengths.max(initial=0)) <= _PIECE:
        return opens, None
    pieces = -(-lengths // _PIECE)
    first = pieces.cumsum() - pieces
    order = np.arange(int(pieces.sum())) - first.repeat(pieces)
    return np.append(opens[:-1].repeat(pieces) + order * _PIECE, opens[-1]), first


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
