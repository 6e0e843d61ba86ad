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

    def plain(self, posts: Index) -> list[dict[str, float]]:
        """Of these posts, the scores that are known."""
        table = self.table[posts]
        found: list[dict[str, float]] = [{} for _ in range(len(table))]
        for name, column in zip(self.categories, table.T, strict=True):
            known = (column == column).nonzero()[0]
            for post, score in zip(known.tolist(), column[known].tolist(), strict=True):
                found[post][name] = score
        return found


def scores_of(classifier: Classifier, folded: View, rows: Rows, speech: Speech) -> Scores:
    """Score a batch: all fields of a post together."""
    scores = classifier.scores(folded.codes, folded.starts, rows.first)
    heads = np.where(_served(classifier, speech), scores, np.nan)
    model = classifier.model
    of = [model.categories.index(head.category) for head in model.heads]
    if of == list(range(len(model.categories))):
        return Scores(model.categories, heads, heads)
    table = np.full((len(heads), len(model.categories)), np.nan)
    for at, category in enumerate(of):
        np.fmax(table[:, category], heads[:, at], out=table[:, category])
    return Scores(model.categories, table, heads)


def _served(classifier: Classifier, speech: Speech) -> NDArray[np.bool_]:
    """Which heads read which posts: posts × heads."""
    languages = [head.language for head in classifier.model.heads]
    columns = {each: speech.held(_read_by(each, speech.found.names)) >= SERVED for each in dict.fromkeys(languages)}
    untold = speech.held(_read_by(None, speech.found.names)) < SERVED
    return np.stack([columns[language] | untold for language in languages], axis=1)


@lru_cache(maxsize=1 << 8)
def _read_by(head: str | None, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """The languages that a head for a language reads: one for `zh` reads zh-Hant and pinyin (zh-Latn) too. Without a
    head, all that have been told.
    """
    if head is None:
        return np.array([name != UNDETERMINED for name in names])
    return np.array([name == head or name.startswith(f"{head}-") for name in names])
