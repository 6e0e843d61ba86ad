"""Decisions as lines of JSON, straight from columns where there is nothing to weigh: most posts of a feed are allowed
without a word, and to make an object of each, only to write it down, takes as long as to find its language.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, encode
from moderation.engine.coverage import UNDETERMINED
from moderation.engine.speech import Said
from moderation.post import PostId
from moderation.signals.classifier import DECIMALS
from moderation.text.lists import Index, distinct, ends_of, openings, steps

_UNIT, _HUNDRED = 10**DECIMALS, 100
_SPELLED, _SHARES = (
    [msgspec.json.encode(round(place / unit, DECIMALS)).decode() for place in range(unit + 1)]
    for unit in (_UNIT, _HUNDRED)
)
# These stand for a post's own values in the line that those of its kind are made from; nothing else there is like them.
_ID, _SCORE = 7_310_000_000_000_000_000, 7_310_000_000_000_000_001


@dataclass(frozen=True, slots=True)
class Written:
    """Decisions as lines of JSON, in order.

    `told` are those on posts that there may be anything to say of: all with a reason, in shadow, unknown or uncovered.
    The rest are allowed, in languages that are served: `plain` counts them by the main one.
    """

    lines: bytes
    told: Sequence[Decision]
    plain: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Plain:
    """Posts of which nothing is said but what they are written in, as columns; `scores` are posts × `categories`, NaN
    where there is none.
    """

    said: Said
    ids: Sequence[PostId]
    categories: Sequence[str]
    scores: NDArray[np.float64]

    def lines(self, engine: str) -> tuple[list[str], Mapping[str, int]]:
        """Their decisions, each as `Decision.to_json` would write it, and how many there are by main language; `engine`
        is the fingerprint.
        """
        lines = [""] * len(self.ids)
        languages, main = self._languages()
        ids, segments = list(map(_id, self.ids)), self._segments()
        for members, line, scored in self._kinds(engine):
            posts = members.tolist()
            places = np.rint(self.scores[members][:, scored] * _UNIT).astype(np.int64)
            scores = [[_SPELLED[place] for place in column] for column in places.T.tolist()]
            own = [[column[post] for post in posts] for column in (ids, languages, segments)]
            for post, values in zip(posts, zip(*own, *scores, strict=True), strict=True):
                lines[post] = line % values
        return lines, Counter(main)

    def _kinds(self, engine: str) -> Iterator[tuple[Index, str, list[int]]]:
        """Posts with scores for the same categories, the line that theirs are made from, and these categories."""
        known = ~np.isnan(self.scores)
        key = (known << np.arange(len(self.categories))).sum(axis=1)
        for each in distinct(key).tolist():
            members = (key == each).nonzero()[0]
            scored: list[int] = known[members[0]].nonzero()[0].tolist()
            yield members, _line(tuple(self.categories[at] for at in scored), engine), scored

    def _languages(self) -> tuple[list[str], list[str]]:
        """By post: its languages as JSON, and the main one."""
        said, names = self.said, self.said.found.names
        first, number = said.found.language.tolist(), steps(said.bounds).tolist()
        whole = [f"{{{_quoted(name)}:1.0}}" for name in names]
        opens = said.bounds[:-1].tolist()
        texts = [whole[first[at]] if count == 1 else "{}" for at, count in zip(opens, number, strict=True)]
        main = [names[first[at]] if count else UNDETERMINED for at, count in zip(opens, number, strict=True)]
        post, language, share = said.shares()
        places = np.rint(share * _HUNDRED).astype(np.int64).tolist()
        named = [f"{_quoted(names[at])}:{_SHARES[place]}" for at, place in zip(language.tolist(), places, strict=True)]
        starts = openings(post)
        for start, end in zip(starts.tolist(), ends_of(starts, len(post)).tolist(), strict=True):
            texts[post[start]] = f"{{{','.join(named[start:end])}}}"
            main[post[start]] = names[language[start]]
        return texts, main

    def _segments(self) -> list[str]:
        """By post: its segments as JSON."""
        said, found = self.said, self.said.found
        quoted = list(map(_quoted, found.names))
        columns = (found.start.tolist(), found.end.tolist(), found.language.tolist())
        texts = [f"[{start},{end},{quoted[at]}]" for start, end, at in zip(*columns, strict=True)]
        for at, field in said.fields():
            texts[at] = f"{texts[at][:-1]},{_quoted(field)}]"
        return [f"[{','.join(texts[start:end])}]" for start, end in pairwise(said.bounds.tolist())]


@lru_cache(maxsize=1 << 10)
def _line(categories: tuple[str, ...], engine: str) -> str:
    """The line of a decision, with places for a post's id, languages, segments and scores."""
    scores: Mapping[str, float] = dict.fromkeys(categories, _SCORE)
    decision = Decision(_ID, "allowed", 0, (), (), (), {}, (), (), scores, {}, (), engine)
    line = encode(decision).decode().replace("%", "%%")
    line = line.replace('"languages":{},"segments":[]', '"languages":%s,"segments":%s')
    return line.replace(str(_ID), "%s").replace(str(_SCORE), "%s")


@lru_cache(maxsize=1 << 10)
def _quoted(name: str) -> str:
    return _id(name)


def _id(value: PostId) -> str:
    if type(value) is int:
        return str(value)
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value)
