"""What is known of one post when its rules are decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Hit(NamedTuple):
    """One hit of a signal: where in its view, where in the original field text, and which pattern it was.

    All positions are code points, [start, end), relative to the row (one text field of the post).
    """

    row: int
    start: int
    end: int
    original_start: int
    original_end: int
    pattern: int


class SignalHit(NamedTuple):
    """A hit and the signal that it belongs to."""

    signal: int
    hit: Hit


@dataclass(frozen=True, slots=True)
class Evidence:
    """One post's signals: `hits` by signal id, the signals that ran out of time, attributes and language shares.

    `matched(found)` gives the text of a hit in its view.
    """

    hits: Mapping[int, list[Hit]]
    unknown: frozenset[int]
    attributes: Mapping[str, Any]
    languages: Mapping[str, float]
    matched: Callable[[SignalHit], str]
