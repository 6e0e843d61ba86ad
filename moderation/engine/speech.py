"""A batch's languages as they stand in decisions: shares and segments by post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.decision import Segment
from moderation.engine.gather import Rows
from moderation.language.runs import openings as changes
from moderation.language.segments import Segments
from moderation.text.lists import Index, ends_of, openings, ranges, steps


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

    def told(self, posts: Index) -> tuple[list[dict[str, float]], list[tuple[Segment, ...]]]:
        """Of these posts, ascending: the share of each language (largest first, two decimals), and the segments in
        reading order.
        """
        opens, closes = self.owner.searchsorted(posts), self.owner.searchsorted(posts, side="right")
        count = closes - opens
        at = ranges(opens, closes)
        found = self.found.at(at)
        owner = np.arange(len(posts)).repeat(count)
        names = [found.names[number] for number in found.language.tolist()]
        bounds = np.concatenate(([0], count.cumsum()))
        return _languages(found, owner, names, bounds), _segments(found, self.rows, names, bounds)

    def alone(self) -> tuple[Index, Index]:
        """The posts that are one segment, ascending, and the numbers of these."""
        opens = openings(self.owner)
        posts, number = self.owner[opens], ends_of(opens, len(self.owner)) - opens
        single = (number == 1).nonzero()[0]
        return posts[single], opens[single]


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


def _languages(found: Segments, owner: Index, names: Sequence[str], bounds: Index) -> list[dict[str, float]]:
    """Most posts are one segment, and all of it is in that language."""
    opens, many = bounds[:-1].tolist(), steps(bounds)
    result = [{names[at]: 1.0} if count == 1 else {} for at, count in zip(opens, many.tolist(), strict=True)]
    several = (many > 1)[owner].nonzero()[0]
    post, language, share = _shares(
        owner[several], found.language[several].astype(np.int64), found.weight[several].astype(np.int64)
    )
    for number, tongue, value in zip(post.tolist(), language.tolist(), share.tolist(), strict=True):
        result[number][found.names[tongue]] = value
    return result


def _shares(post: Index, language: Index, weight: Index) -> tuple[Index, Index, NDArray[np.float64]]:
    """(post, language, share) out of segments, sorted by post; by share, the largest first; and by language."""
    if not len(post):
        return post, language, np.zeros(0)
    order = np.lexsort((language, post))
    post, language, weight = post[order], language[order], weight[order]
    first = changes(post, language)
    held, of, language = np.add.reduceat(weight, first), post[first], language[first]
    share = np.round(held / np.bincount(post, weight)[of], 2)
    order = np.lexsort((language, -share, of))
    return of[order], language[order], share[order]


def _segments(found: Segments, rows: Rows, names: Sequence[str], bounds: Index) -> list[tuple[Segment, ...]]:
    plain: list[Segment] = list(zip(found.start.tolist(), found.end.tolist(), names, strict=True))
    if len(rows.fields) > len(rows):
        fields = [rows.fields[row] for row in found.row.tolist()]
        several = (steps(rows.first) > 1)[rows.owner[found.row]].tolist()
        plain = [
            (*segment[:3], field) if many else segment
            for segment, field, many in zip(plain, fields, several, strict=True)
        ]
    return [
        (plain[start],) if end - start == 1 else tuple(plain[start:end]) for start, end in pairwise(bounds.tolist())
    ]
