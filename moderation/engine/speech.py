"""A batch's languages as they stand in decisions: shares and segments by post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from moderation.decision import Segment
from moderation.engine.gather import Rows
from moderation.language.segments import Segments


@dataclass(frozen=True, slots=True)
class Speech:
    """By post: the share of each language (largest first, two decimals), and the segments in reading order."""

    languages: Sequence[dict[str, float]]
    segments: Sequence[tuple[Segment, ...]]


def speech_of(found: Segments, rows: Rows) -> Speech:
    """Group a batch's segments by post."""
    return Speech(_languages(found, rows), _segments(found, rows))


def _languages(found: Segments, rows: Rows) -> list[dict[str, float]]:
    shares = found.shares(rows.owner, len(rows))
    post, language = np.nonzero(shares)
    share = np.round(shares[post, language], 2)
    order = np.lexsort((language, -share, post))
    result: list[dict[str, float]] = [{} for _ in range(len(rows))]
    names = [found.names[number] for number in language[order].tolist()]
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
