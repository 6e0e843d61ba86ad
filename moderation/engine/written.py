"""Decisions as lines of JSON, straight from columns where there is nothing to weigh: most posts of a feed are allowed
without a word, and to make an object of each, only to write it down, takes as long as to find its language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, encode
from moderation.post import PostId
from moderation.signals.classifier import DECIMALS
from moderation.text.lists import Index, ends_of, openings

_UNIT = 10**DECIMALS
_SPELLED = [msgspec.json.encode(round(place / _UNIT, DECIMALS)).decode() for place in range(_UNIT + 1)]
# These stand for a post's own values in the line that those of its kind are made from; nothing else there is like them.
_ID, _START, _END, _SCORE = (7_310_000_000_000_000_000 + place for place in range(4))


@dataclass(frozen=True, slots=True)
class Written:
    """Decisions as lines of JSON, in order.

    `told` are those that were made as objects: all with a reason, in shadow, unknown or uncovered, and some others. The
    rest are allowed, each in one language that is served: `plain` counts them by it.
    """

    lines: bytes
    told: Sequence[Decision]
    plain: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Plain:
    """Posts, all of each in one `language` (index into `names`), of which nothing is said, as columns; `scores` are
    posts × `categories`, NaN where there is none.
    """

    names: Sequence[str]
    categories: Sequence[str]
    ids: Sequence[PostId]
    language: Index
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    scores: NDArray[np.float64]

    def counted(self) -> Mapping[str, int]:
        """Posts by language."""
        counts = np.bincount(self.language, minlength=len(self.names)).tolist()
        return {name: count for name, count in zip(self.names, counts, strict=True) if count}

    def lines(self, engine: str) -> list[str]:
        """Their decisions, each as `Decision.to_json` would write it; `engine` is the fingerprint."""
        lines = [""] * len(self.ids)
        for members, line, scored in self._kinds(engine):
            ids = [_id(self.ids[post]) for post in members.tolist()]
            spans = (self.start[members].tolist(), self.end[members].tolist())
            places = np.rint(self.scores[members][:, scored] * _UNIT).astype(np.int64)
            scores = [[_SPELLED[place] for place in column] for column in places.T.tolist()]
            for post, values in zip(members.tolist(), zip(ids, *spans, *scores, strict=True), strict=True):
                lines[post] = line % values
        return lines

    def _kinds(self, engine: str) -> Iterator[tuple[Index, str, list[int]]]:
        """Posts of one language and with scores for the same categories, the line that theirs are made from, and these
        categories.
        """
        known = ~np.isnan(self.scores)
        key = (self.language << len(self.categories)) + (known << np.arange(len(self.categories))).sum(axis=1)
        order = key.argsort(kind="stable")
        opens = openings(key[order])
        for start, end in zip(opens.tolist(), ends_of(opens, len(order)).tolist(), strict=True):
            members = order[start:end]
            scored: list[int] = known[members[0]].nonzero()[0].tolist()
            name = self.names[self.language[members[0]]]
            yield members, _line(name, tuple(self.categories[each] for each in scored), engine), scored


@lru_cache(maxsize=1 << 10)
def _line(language: str, categories: tuple[str, ...], engine: str) -> str:
    """The line of a decision, with a place for each of a post's own values."""
    scores: Mapping[str, float] = dict.fromkeys(categories, _SCORE)
    segments = ((_START, _END, language),)
    decision = Decision(_ID, "allowed", 0, (), (), (), {language: 1.0}, segments, (), scores, {}, (), engine)
    line = encode(decision).decode().replace("%", "%%")
    for own in (_ID, _START, _END, _SCORE):
        line = line.replace(str(own), "%s")
    return line


def _id(value: PostId) -> str:
    if type(value) is int:
        return str(value)
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value)
