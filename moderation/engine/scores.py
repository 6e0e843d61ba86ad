"""The classifier's scores of a batch, as columns: by post and category, unknown where no head reads the language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from moderation.engine.coverage import UNDETERMINED
from moderation.engine.gather import Rows
from moderation.engine.speech import Speech
from moderation.signals.classifier import Classifier
from moderation.text.lists import Index
from moderation.text.views import View

SERVED = 0.2
"""A head judges the posts of which its language holds at least this share, and those whose language nobody can tell."""


@dataclass(frozen=True, slots=True)
class Scores:
    """`table[post, number]` is the score for `categories[number]`: that of its highest head, NaN where it has none."""

    categories: tuple[str, ...]
    table: NDArray[np.float64]
    heads: NDArray[np.float64]

    def column(self, category: str) -> NDArray[np.float64]:
        """The scores of all posts for one category."""
        return self.table[:, self.categories.index(category)]

    def plain(self, posts: Index | None = None) -> list[dict[str, float]]:
        """Of all posts, or some, the scores that are known."""
        table = self.table if posts is None else self.table[posts]
        found: list[dict[str, float]] = [{} for _ in range(len(table))]
        for name, column in zip(self.categories, table.T.tolist(), strict=True):
            for scores, score in zip(found, column, strict=True):
                if score == score:
                    scores[name] = score
        return found


def scores_of(classifier: Classifier, folded: View, rows: Rows, speech: Speech) -> Scores:
    """Score a batch: all fields of a post together."""
    scores = classifier.scores(folded.codes, folded.starts, rows.first)
    model = classifier.model
    heads = np.where(_served(tuple(head.language for head in model.heads), speech), scores, np.nan)
    first, more = _columns(tuple(head.category for head in model.heads), model.categories)
    table = heads[:, first]
    for category, head in more:
        np.fmax(table[:, category], heads[:, head], out=table[:, category])
    return Scores(model.categories, table, heads)


@lru_cache(maxsize=1 << 6)
def _columns(heads: tuple[str, ...], categories: tuple[str, ...]) -> tuple[list[int], list[tuple[int, int]]]:
    """The first head of each category, and (category, head) of all the others."""
    first = [heads.index(category) for category in categories]
    return first, [(categories.index(each), at) for at, each in enumerate(heads) if at not in first]


def _served(heads: tuple[str, ...], speech: Speech) -> NDArray[np.bool_]:
    """Which heads, by their languages, read which posts: posts × heads."""
    group, reads = _readers(heads, speech.found.names)
    groups, posts = len(reads), len(speech.letters)
    at = speech.owner * groups
    at += group[speech.found.language]
    weight = np.bincount(at, speech.found.weight, posts * groups).reshape(posts, groups)
    held = weight @ reads / speech.letters[:, None] >= SERVED
    return held[:, :-1] | ~held[:, -1:]


@lru_cache(maxsize=1 << 8)
def _readers(heads: tuple[str, ...], names: tuple[str, ...]) -> tuple[Index, NDArray[np.float64]]:
    """Languages in groups, all of one group read by the same heads: the group of each, and which heads read which.

    A head for `zh` reads zh-Hant and pinyin (zh-Latn) too. The last column says which have been told at all.
    """
    reads = np.array(
        [[*(name == head or name.startswith(f"{head}-") for head in heads), name != UNDETERMINED] for name in names],
        np.float64,
    )
    groups, group = np.unique(reads, axis=0, return_inverse=True)
    return group.reshape(-1), groups
