"""A batch's languages as they stand in decisions: shares and segments by post."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.decision import Segment
from moderation.engine.gather import Rows
from moderation.language.segments import Segments
from moderation.text.lists import Index, constant, openings, ranges, steps

T = TypeVar("T")
_NAMES = 1 << 10  # more than there are languages, and than hundredths of a share
_NO_SEGMENT: Segment = (0, 0, "")
_ONE = constant(1, np.float64)
_NOTHING_SHARED = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


class Speech(msgspec.Struct, frozen=True, eq=False, gc=False):
    """By post: whether any of its languages is not covered, and the weight of its letters, at least 1. `found` are the
    segments as the detector found them, `owner` the post of each; `bounds` tell where those of a post begin and end.
    """

    uncovered: NDArray[np.bool_]
    letters: NDArray[np.float64]
    found: Segments
    owner: Index
    bounds: Index
    rows: Rows

    def held(self, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        """By post, the share that some of the detector's languages hold together, not rounded; 0 without letters."""
        weight = self.found.weight * wanted[self.found.language]
        return np.bincount(self.owner, weight, len(self.letters)) / self.letters

    def of(self, posts: Index | None = None) -> Said:
        """What posts are written in: all, or some, ascending."""
        if posts is None:
            return Said.of(self.found, self.owner, self.bounds, self.rows)
        return _said(self.found, self.bounds, self.rows, posts)


class Said(msgspec.Struct, frozen=True, eq=False, dict=True):
    """Some posts' segments in reading order: those of post i are `found` from `bounds[i]` to `bounds[i + 1]`, `owner`
    is the post of each. `others` are the posts that are not one segment.
    """

    found: Segments
    owner: Index
    bounds: Index
    rows: Rows
    others: list[int]

    @classmethod
    def of(cls, found: Segments, owner: Index, bounds: Index, rows: Rows) -> Said:
        """With which posts are not one segment."""
        return cls(found, owner, bounds, rows, (steps(bounds) != 1).nonzero()[0].tolist())

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def at(self, posts: Index) -> Said:
        """Some of the posts, ascending."""
        return _said(self.found, self.bounds, self.rows, posts)

    def languages(self) -> list[dict[str, float]]:
        """By post: the share of each language, the largest first, in two decimals. Most posts are one segment."""
        names = self.found.names
        result = [{names[language]: 1.0} for language in self._firsts(self.found.language.tolist(), 0)]
        if not self.others:
            return result
        for post in self.others:
            result[post] = {}
        for post, language, share in zip(*(column.tolist() for column in self.shares), strict=True):
            result[post][names[language]] = share
        return result

    def _firsts(self, column: list[T], nothing: T) -> list[T]:
        """By post, what stands in a column of segments for its first; for one without segments, anything."""
        return list(map([*column, nothing].__getitem__, self.bounds[:-1].tolist())) if self.others else column

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
        return post, self.found.language[self.bounds[post]]

    @cached_property
    def shares(self) -> tuple[Index, Index, NDArray[np.float64]]:
        """(post, language, share) of posts of several segments, in that order: most posts are one, in one language."""
        if not self.others:
            return _NOTHING_SHARED
        several = (steps(self.bounds) > 1)[self.owner].nonzero()[0]
        found = self.found
        return _shares(self.owner[several], found.language[several], found.weight[several])

    def segments(self) -> list[tuple[Segment, ...]]:
        """By post: (start, end, language), with the field behind it where the post has several."""
        found, names = self.found, self.found.names
        languages = [names[number] for number in found.language.tolist()]
        plain: list[Segment] = list(zip(found.start.tolist(), found.end.tolist(), languages, strict=True))
        for at, field in self.fields():
            plain[at] = (*plain[at][:3], field)
        result: list[tuple[Segment, ...]] = list(zip(self._firsts(plain, _NO_SEGMENT), strict=False))
        bounds = self.bounds.tolist()
        for post in self.others:
            result[post] = tuple(plain[bounds[post] : bounds[post + 1]])
        return result

    @property
    def has_fields(self) -> bool:
        """Whether posts of several text fields may be among them."""
        return len(self.rows.fields) > len(self.rows)

    def fields(self) -> Iterator[tuple[int, str]]:
        """The numbers of segments of posts with several fields, and the field of each."""
        rows = self.rows
        if self.has_fields:
            several = (steps(rows.first) > 1)[rows.owner[self.found.row]].nonzero()[0].tolist()
            for at in several:
                yield at, rows.fields[self.found.row[at]]


def _said(found: Segments, bounds: Index, rows: Rows, posts: Index) -> Said:
    opens, closes = bounds[posts], bounds[posts + 1]
    count = closes - opens
    ends = np.zeros(len(posts) + 1, np.int64)
    np.add.accumulate(count, out=ends[1:])
    return Said.of(found.at(ranges(opens, closes)), np.arange(len(posts)).repeat(count), ends, rows)


def speech_of(found: Segments, rows: Rows, beyond: NDArray[np.bool_]) -> Speech:
    """Group a batch's segments by post; `beyond` tells which languages are not covered."""
    owner = rows.owner[found.row]
    uncovered = np.zeros(len(rows), np.bool_)
    uncovered[owner[beyond[found.language]]] = True
    letters = np.maximum(np.bincount(owner, found.weight, len(rows)), _ONE)
    bounds = np.zeros(len(rows) + 1, np.int64)
    np.add.accumulate(np.bincount(owner, minlength=len(rows)), out=bounds[1:])
    return Speech(uncovered, letters, found, owner, bounds, rows)


def _shares(post: Index, language: Index, weight: Index) -> tuple[Index, Index, NDArray[np.float64]]:
    """(post, language, share) out of segments, sorted by post; by share, the largest first; and by language."""
    if not len(post):
        return _NOTHING_SHARED
    # By post and language first, then by post, share and language: the keys tell all of it.
    key = post * _NAMES + language
    order = key.argsort()
    key = key[order]
    first = openings(key)
    key, held = key[first], np.add.reduceat(weight[order], first)
    of = key // _NAMES
    hundredths = np.rint(held / np.bincount(post, weight)[of] * 100)
    order = (key + of * (_NAMES * _NAMES) - hundredths.astype(np.int64) * _NAMES).argsort()
    return of[order], key[order] % _NAMES, hundredths[order] / 100
