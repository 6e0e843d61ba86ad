"""Serving a linear classifier: every head of every post by one gather of integer weights, exact for any batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.packs.models import LIMIT, ModelError, ModelFile
from moderation.signals.features import VERSION, Text, places_of, text_of, words_of
from moderation.text.lists import lengths_of, steps

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Scores = NDArray[np.float64]

BLOCK = 1 << 16
"""Code points that are looked at in one go: what fits the processor's cache."""

DECIMALS = 4
_LANES, _BITS = 3, np.uint64(21)
_LANE = np.uint64((1 << 21) - 1)
_LONGEST = (1 << 21) // (2 * LIMIT) // 3 - 1  # two n-grams a place, and two a word, which takes two places
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
        self._line = model.numbers[:, 2].copy(), model.numbers[:, 3].copy()
        self._curves = [
            (head, knots[:, 0].copy(), knots[:, 1] - knots[:, 0])
            for head, knots in enumerate(model.knots)
            if len(knots)
        ]
        heads = np.arange(len(model.heads))
        self._lanes = heads // _LANES, _BITS * (heads % _LANES).astype(np.uint64)

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
        decisions: Scores = sums * scale
        decisions /= np.sqrt(np.maximum(counts, 1))[:, None]
        decisions += intercept
        return decisions

    def scores(self, codes: Codes, starts: Index, first: Index | None = None) -> Scores:
        """Calibrated probabilities, posts × heads, to four decimals."""
        logits = self.decisions(codes, starts, first)
        logits *= self._line[0]
        logits += self._line[1]
        for head, at, moved in self._curves:
            logits[:, head] += np.interp(logits[:, head], at, moved)
        logits *= _STEPS
        np.rint(logits, out=logits)
        logits += _REACH * _STEPS
        np.maximum(logits, 0, out=logits)
        np.minimum(logits, 2 * _REACH * _STEPS, out=logits)
        return _probabilities().take(logits.astype(np.intp))

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
        words = words_of(text, places, self.model.bits)
        lengths, bounds, first = steps(text.opens), words.bounds, None
        starts = text.opens[:-1]
        if lengths.size and int(lengths.max()) > _LONGEST:
            starts, first = _parts(text.opens, lengths)
            lengths = lengths_of(starts, int(text.opens[-1]))
            bounds = words.start.searchsorted(np.concatenate((starts, text.opens[-1:])))
        counts = 2 * (lengths + steps(bounds))
        packed = []
        for table in self._columns:
            summed = _sums_of(table, (places.single, places.several), starts)
            _add_between(summed, table, (words.alone, words.paired), bounds)
            packed.append(summed)
        sums = self._unpacked(packed[0] if len(packed) == 1 else np.concatenate(packed, axis=1), counts)
        if first is not None:
            sums, counts = np.add.reduceat(sums, first, axis=0), np.add.reduceat(counts, first)
        return Sums(sums, counts)

    def _unpacked(self, packed: NDArray[np.uint64], counts: Index) -> Index:
        word, shift = self._lanes
        lanes = packed[:, word]
        lanes >>= shift
        lanes &= _LANE
        sums = lanes.view(np.int64)
        sums -= (counts * LIMIT)[:, None]
        return sums


def _parts(opens: Index, lengths: Index) -> tuple[Index, Index]:
    """Where parts of rows begin, none so long that a lane could run over, and the first part of each row."""
    number = -(-lengths // _LONGEST)
    first: Index = np.cumsum(number) - number
    within = np.arange(int(number.sum())) - first.repeat(number)
    return opens[:-1].repeat(number) + within * _LONGEST, first


def _sums_of(table: NDArray[np.generic], buckets: tuple[Index, Index], starts: Index) -> NDArray[np.uint64]:
    """The sums of both buckets' elements from each start to the next."""
    summed = _both(table, *buckets)
    sums: NDArray[np.uint64] = np.add.reduceat(summed, starts, axis=0)
    return sums


def _add_between(
    sums: NDArray[np.uint64], table: NDArray[np.generic], buckets: tuple[Index, Index], bounds: Index
) -> None:
    """Add the same between bounds, of which two may be one: nothing then, where `reduceat` gives the element there."""
    held = (bounds[1:] > bounds[:-1]).nonzero()[0]
    if held.size == len(sums):
        sums += _sums_of(table, buckets, bounds[:-1])
    elif held.size:
        sums[held] += _sums_of(table, buckets, bounds[held])


def _both(table: NDArray[np.generic], one: Index, other: Index) -> NDArray[np.uint64]:
    first = table.take(one, mode="wrap").view(np.uint64)
    first += table.take(other, mode="wrap").view(np.uint64)
    return first.reshape(len(one), -1)


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
    """Row numbers between which there are about BLOCK code points, as evenly as rows can be parted."""
    rows, length = len(starts) - 1, int(starts[-1] - starts[0])
    number = round(length / BLOCK)
    if number < 2 or rows < 2:
        return [0, rows] if rows else [0]
    cuts = starts.searchsorted(starts[0] + length * np.arange(1, number) // number)
    return sorted({0, *cuts.tolist(), rows})


@cache
def _probabilities() -> Scores:
    """Sigmoids of evenly spaced logits, to four decimals: a table, so that no library's exponential decides a digit."""
    logits = range(-_REACH * _STEPS, _REACH * _STEPS + 1)
    return np.array([round(1 / (1 + math.exp(-place / _STEPS)), DECIMALS) for place in logits])
