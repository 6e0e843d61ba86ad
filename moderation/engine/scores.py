"""The classifier's scores of a batch, as columns: by post and category, unknown where no head reads the language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.engine.gather import Rows
from moderation.language.segments import Segments
from moderation.signals.classifier import Classifier
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

    def plain(self) -> list[dict[str, float]]:
        """By post, the scores that are known."""
        return [
            {name: score for name, score in zip(self.categories, row, strict=True) if score == score}
            for row in self.table.tolist()
        ]


def scores_of(classifier: Classifier, folded: View, rows: Rows, found: Segments) -> Scores:
    """Score a batch: all fields of a post together."""
    scores = classifier.scores(folded.codes, folded.starts, rows.first)
    served = _served(classifier, found, rows)
    heads = np.where(served, scores, np.nan)
    model = classifier.model
    columns = []
    for category in model.categories:
        own = [at for at, head in enumerate(model.heads) if head.category == category]
        best = np.where(served[:, own], scores[:, own], -1.0).max(axis=1)
        columns.append(np.where(best < 0, np.nan, best))
    return Scores(model.categories, np.stack(columns, axis=1), heads)


def _served(classifier: Classifier, found: Segments, rows: Rows) -> NDArray[np.bool_]:
    """Which heads read which posts: posts × heads."""
    shares = found.shares(rows.owner, len(rows))
    told = shares[:, [at for at, name in enumerate(found.names) if name != "und"]].sum(axis=1) >= SERVED
    columns = []
    for head in classifier.model.heads:
        own = [at for at, name in enumerate(found.names) if _reads(head.language, name)]
        columns.append((shares[:, own].sum(axis=1) >= SERVED) | ~told)
    return np.stack(columns, axis=1)


def _reads(head: str, language: str) -> bool:
    """A head for `zh` reads zh-Hant too, and no pinyin."""
    return language == head or (language.startswith(f"{head}-") and not language.endswith("-Latn"))
