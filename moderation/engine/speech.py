"""A batch's languages as they stand in decisions: shares and segments by post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moderation.decision import Segment
from moderation.engine.gather import Rows
from moderation.language.segments import Segments


@dataclass(frozen=True, slots=True)
class Speech:
    """By post: the share of each language (largest first, two decimals), the segments in reading order, and whether
    all its languages are covered.
    """

    languages: Sequence[dict[str, float]]
    segments: Sequence[tuple[Segment, ...]]
    covered: NDArray[np.bool_]


def speech_of(found: Segments, rows: Rows, covered: frozenset[str]) -> Speech:
    """Group a batch's segments by post."""
    shares = found.shares(rows.owner, len(rows))
    beyond = np.array([name not in covered for name in found.names])
    served = np.ones(len(rows), np.bool_)
    served[rows.owner[found.row[beyond[found.language]]]] = False
    return Speech(_languages(shares, found.names), _segments(found, rows), served)


def _languages(shares: NDArray[np.float64], languages: Sequence[str]) -> list[dict[str, float]]:
    post, language = np.nonzero(shares)
    share = np.round(shares[post, language], 2)
    order = np.lexsort((language, -share, post))
    result: list[dict[str, float]] = [{} for _ in range(len(shares))]
    names = [languages[number] for number in language[order].tolist()]
    for number, name, value in zip(post[order].tolist(), names, share[order].tolist(), strict=True):
        result[number][name] = value
    return result


def _segments(found: Segments, rows: Rows) -> list[tuple[Segment, ...]]:
    names = [found.names[number] for number in found.language.tolist()]
    plain: list[Segment] = list(zip(found.start.tolist(), found.end.tolist(), names, strict=True))
    if len(rows.fields) > len(rows):
        fields = [rows.fields[row] for row in found.row.tolist()]
        several = (np.diff(rows.first) > 1)[rows.owner[found.row]].tolist()
        plain = [
            (*segment[:3], field) if many else segment
            for segment, field, many in zip(plain, fields, several, strict=True)
        ]
    bounds = np.searchsorted(rows.owner[found.row], np.arange(len(rows) + 1)).tolist()
    return [tuple(plain[start:end]) for start, end in pairwise(bounds)]
