"""A batch's languages as they stand in decisions: shares and segments by post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.decision import Segment
from moderation.engine.conditions import is_one_of
from moderation.engine.gather import Rows
from moderation.language.segments import Segments
from moderation.text.lists import Index

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Speech:
    """By post: the share of each language (largest first, two decimals), the segments in reading order, and whether
    all its languages are covered. `shares` are those in columns, in the order of `names`, not rounded.
    """

    languages: Sequence[dict[str, float]]
    segments: Sequence[tuple[Segment, ...]]
    covered: NDArray[np.bool_]
    names: tuple[str, ...]
    shares: NDArray[np.float64]

    def held(self, codes: Sequence[str]) -> NDArray[np.float64]:
        """By post, the share that languages of these codes hold together."""
        own = [at for at, name in enumerate(self.names) if is_one_of(name, codes)]
        held: NDArray[np.float64] = self.shares[:, own].sum(axis=1)
        return held


def speech_of(found: Segments, rows: Rows, covered: frozenset[str]) -> Speech:
    """Group a batch's segments by post."""
    owner = rows.owner[found.row]
    beyond = np.array([name not in covered for name in found.names])
    served = np.ones(len(rows), np.bool_)
    served[owner[beyond[found.language]]] = False
    names = [found.names[number] for number in found.language.tolist()]
    bounds = np.searchsorted(owner, np.arange(len(rows) + 1))
    shares = found.shares(rows.owner, len(rows))
    return Speech(
        _languages(found, names, bounds, shares), _segments(found, rows, names, bounds), served, found.names, shares
    )


def _languages(found: Segments, names: Sequence[str], bounds: Index, shares: Shares) -> list[dict[str, float]]:
    """Most posts are one segment, and all of it is in that language."""
    opens, many = bounds[:-1].tolist(), np.diff(bounds)
    result = [{names[at]: 1.0} if count == 1 else {} for at, count in zip(opens, many.tolist(), strict=True)]
    several = np.flatnonzero(many > 1)
    held = shares[several]
    post, language = np.nonzero(held > 0)
    share = np.round(held[post, language], 2)
    order = np.lexsort((language, -share, post))
    columns = (several[post[order]].tolist(), language[order].tolist(), share[order].tolist())
    for number, tongue, value in zip(*columns, strict=True):
        result[number][found.names[tongue]] = value
    return result


def _segments(found: Segments, rows: Rows, names: Sequence[str], bounds: Index) -> list[tuple[Segment, ...]]:
    plain: list[Segment] = list(zip(found.start.tolist(), found.end.tolist(), names, strict=True))
    if len(rows.fields) > len(rows):
        fields = [rows.fields[row] for row in found.row.tolist()]
        several = (np.diff(rows.first) > 1)[rows.owner[found.row]].tolist()
        plain = [
            (*segment[:3], field) if many else segment
            for segment, field, many in zip(plain, fields, several, strict=True)
        ]
    return [tuple(plain[start:end]) for start, end in pairwise(bounds.tolist())]
