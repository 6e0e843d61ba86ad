"""What is known of one post when its rules are decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from moderation.engine.hits import Hit, Hits


class Evidence(msgspec.Struct, frozen=True):
    """One post's signals: `hits` by signal, the signals that ran out of time, attributes and language shares.

    `matched(found)` gives the text of a hit in its view; `scores` are the classifier's, by category.
    """

    hits: Hits
    unknown: frozenset[int]
    attributes: Mapping[str, Any]
    languages: Mapping[str, float]
    matched: Callable[[Hit], str]
    scores: Mapping[str, float] = {}
