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
            sums[start:end], counts[start:end] = self._block(text)
        return Sums(sums, counts)

    def _block(self, text: Text) -> tuple[Index, Index]:
        places = places_of(text, self.model.bits)
        words = words_of(text, places, self.model.bits)
        parts, first = _parts(text.opens)
        bounds = words.start.searchsorted(np.concatenate((parts, text.opens[-1:])))
        counts = 2 * (lengths_of(parts, int(text.opens[-1])) + steps(bounds))
        packed = [
            _sums_of(table, (places.single, places.several), parts)
            + _sums_between(table, (words.alone, words.paired), bounds)
            for table in self._columns
        ]
        sums = self._unpacked(np.concatenate(packed, axis=1), counts)
        if first is not None:
            sums, counts = np.add.reduceat(sums, first, axis=0), np.add.reduceat(counts, first)
        return sums, counts

    def _unpacked(self, packed: NDArray[np.uint64], counts: Index) -> Index:
        sums = np.empty((len(packed), len(self.model.heads)), np.int64)
        for head in range(sums.shape[1]):
            word, lane = divmod(head, _LANES)
            sums[:, head] = (packed[:, word] >> (_BITS * np.uint64(lane))) & _LANE
            sums[:, head] -= counts * LIMIT
        return sums


def _parts(opens: Index) -> tuple[Index, Index | None]:
    """Where parts of rows begin, none so long that a lane could run over, and the first part of each row where these
    are not the rows themselves.
    """
    lengths = steps(opens)
    if not lengths.size or int(lengths.max()) <= _LONGEST:
        return opens[:-1], None
    number = -(-lengths // _LONGEST)
    first: Index = np.cumsum(number) - number
    within = np.arange(int(number.sum())) - first.repeat(number)
    return opens[:-1].repeat(number) + within * _LONGEST, first


def _sums_of(table: NDArray[np.generic], buckets: tuple[Index, Index], starts: Index) -> NDArray[np.uint64]:
    """The sums of both buckets' elements from each start to the next."""
    summed = _both(table, *buckets)
    sums: NDArray[np.uint64] = np.add.reduceat(summed, starts, axis=0)
    return sums


def _sums_between(table: NDArray[np.generic], buckets: tuple[Index, Index], bounds: Index) -> NDArray[np.uint64]:
    """The same between bounds, of which two may be one: zero then, where `reduceat` gives the element there."""
    sums = np.zeros((len(bounds) - 1, 2 if table.dtype == np.complex128 else 1), np.uint64)
    held = (bounds[1:] > bounds[:-1]).nonzero()[0]
    if held.size:
        sums[held] = _sums_of(table, buckets, bounds[held])
    return sums


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
