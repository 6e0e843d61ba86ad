"""A batch's languages as they stand in decisions: shares and segments by post."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.decision import Segment
from moderation.engine.gather import Rows
from moderation.language.runs import openings
from moderation.language.segments import Segments
from moderation.text.lists import Index, ranges, steps


@dataclass(frozen=True, slots=True)
class Speech:
    """By post: whether all its languages are covered, and the weight of its letters, at least 1. `found` are the
    segments as the detector found them, `owner` the post of each.
    """

    covered: NDArray[np.bool_]
    letters: NDArray[np.float64]
    found: Segments
    owner: Index
    rows: Rows

    def held(self, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        """By post, the share that some of the detector's languages hold together, not rounded; 0 without letters."""
        weight = self.found.weight * wanted[self.found.language]
        return np.bincount(self.owner, weight, len(self.letters)) / self.letters

    def of(self, posts: Index) -> Said:
        """What some posts, ascending, are written in."""
        opens, closes = self.owner.searchsorted(posts), self.owner.searchsorted(posts, side="right")
        count = closes - opens
        bounds = np.concatenate(([0], count.cumsum()))
        return Said(self.found.at(ranges(opens, closes)), np.arange(len(posts)).repeat(count), bounds, self.rows)


@dataclass(frozen=True)
class Said:
    """Some posts' segments in reading order: those of post i are `found` from `bounds[i]` to `bounds[i + 1]`, `owner`
    is the post of each.
    """

    found: Segments
    owner: Index
    bounds: Index
    rows: Rows

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def languages(self) -> list[dict[str, float]]:
        """By post: the share of each language, the largest first, in two decimals."""
        names = self.found.names
        result: list[dict[str, float]] = [{} for _ in range(len(self))]
        for number, tongue, value in zip(*(column.tolist() for column in self.spoken()), strict=True):
            result[number][names[tongue]] = value
        return result

    def spoken(self) -> tuple[Index, Index, NDArray[np.float64]]:
        """(post, language, share) of all posts, in that order."""
        (single, only), (several, language, share) = self.single(), self.shares
        post = np.concatenate((single, several))
        order = post.argsort(kind="stable")
        shares = np.concatenate((np.ones(len(single)), share))
        return post[order], np.concatenate((only, language))[order], shares[order]

    def main(self) -> Index:
        """By post: its main language, 0 (`und`) where nothing can be told."""
        main = np.zeros(len(self), np.int64)
        (single, only), (several, language, _) = self.single(), self.shares
        main[single] = only
        main[several[::-1]] = language[::-1]  # the first of a post last, which is what stays
        return main

    def single(self) -> tuple[Index, Index]:
        """(post, language) of posts of one segment."""
        post = (steps(self.bounds) == 1).nonzero()[0]
        return post, self.found.language[self.bounds[post]].astype(np.int64)

    @cached_property
    def shares(self) -> tuple[Index, Index, NDArray[np.float64]]:
        """(post, language, share) of posts of several segments, in that order: most posts are one, in one language."""
        several = (steps(self.bounds) > 1)[self.owner].nonzero()[0]
        found = self.found
        return _shares(
            self.owner[several], found.language[several].astype(np.int64), found.weight[several].astype(np.int64)
        )

    def segments(self) -> list[tuple[Segment, ...]]:
        """By post: (start, end, language), with the field behind it where the post has several."""
        found, names = self.found, self.found.names
        languages = [names[number] for number in found.language.tolist()]
        plain: list[Segment] = list(zip(found.start.tolist(), found.end.tolist(), languages, strict=True))
        for at, field in self.fields():
            plain[at] = (*plain[at][:3], field)
        bounds = pairwise(self.bounds.tolist())
        return [(plain[start],) if end - start == 1 else tuple(plain[start:end]) for start, end in bounds]

    def fields(self) -> Iterator[tuple[int, str]]:
        """The numbers of segments of posts with several fields, and the field of each."""
        rows = self.rows
        if len(rows.fields) > len(rows):
            several = (steps(rows.first) > 1)[rows.owner[self.found.row]].nonzero()[0].tolist()
            for at in several:
                yield at, rows.fields[self.found.row[at]]


def speech_of(found: Segments, rows: Rows, covered: frozenset[str]) -> Speech:
    """Group a batch's segments by post."""
    owner = rows.owner[found.row]
    served = np.ones(len(rows), np.bool_)
    served[owner[_beyond(covered, found.names)[found.language].nonzero()[0]]] = False
    letters = np.maximum(np.bincount(owner, found.weight, len(rows)), 1)
    return Speech(served, letters, found, owner, rows)


@lru_cache(maxsize=1 << 8)
def _beyond(covered: frozenset[str], names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which languages are not covered."""
    return np.array([name not in covered for name in names])


def _shares(post: Index, language: Index, weight: Index) -> tuple[Index, Index, NDArray[np.float64]]:
    """(post, language, share) out of segments, sorted by post; by share, the largest first; and by language."""
    if not len(post):
        return post, language, np.zeros(0)
    order = np.lexsort((language, post))
    post, language, weight = post[order], language[order], weight[order]
    first = openings(post, language)
    held, of, language = np.add.reduceat(weight, first), post[first], language[first]
    share = np.round(held / np.bincount(post, weight)[of], 2)
    order = np.lexsort((language, -share, of))
    return of[order], language[order], share[order]
