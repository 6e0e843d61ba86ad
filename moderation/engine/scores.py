"""The classifier's scores of a batch, as columns: by post and category, unknown where no head reads the language."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
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


class Scores(msgspec.Struct, frozen=True, eq=False, gc=False):
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


class Scorer(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A classifier among a detector's languages.

    Languages are in groups, all of one group read by the same heads: `group` is that of each, `reads` tells by group
    how much a letter counts for each head, and, last, for a language having been told at all: at least one for a letter
    in all is enough. `first` is the first head of each category, `more` are (category, head) of all the others.
    """

    classifier: Classifier
    group: Index
    reads: NDArray[np.float64]
    first: Index
    more: list[tuple[int, int]]

    @classmethod
    def of(cls, classifier: Classifier, names: Sequence[str]) -> Scorer:
        """A head for `zh` reads zh-Hant and pinyin (zh-Latn) too."""
        model = classifier.model
        wanted, categories = [head.language for head in model.heads], [head.category for head in model.heads]
        reads = [
            [*(name == head or name.startswith(f"{head}-") for head in wanted), name != UNDETERMINED] for name in names
        ]
        groups, group = np.unique(np.array(reads, np.float64), axis=0, return_inverse=True)
        first = [categories.index(category) for category in model.categories]
        more = [(model.categories.index(each), at) for at, each in enumerate(categories) if at not in first]
        return cls(classifier, group.reshape(-1), groups / SERVED, np.array(first, np.int64), more)

    def scores(self, folded: View, rows: Rows, speech: Speech) -> Scores:
        """Score a batch: all fields of a post together."""
        scores = self.classifier.scores(folded.codes, folded.starts, rows.first)
        scores[self._unserved(speech)] = np.nan
        table = scores.take(self.first, 1)
        for category, head in self.more:
            np.fmax(table[:, category], scores[:, head], out=table[:, category])
        return Scores(self.classifier.model.categories, table, scores)

    def _unserved(self, speech: Speech) -> NDArray[np.bool_]:
        """Which heads, by their languages, do not read which posts: posts × heads."""
        groups, posts = len(self.reads), len(speech.letters)
        at = speech.owner * groups
        at += self.group[speech.found.language]
        weight = np.bincount(at, speech.found.weight, posts * groups).reshape(posts, groups)
        few: NDArray[np.bool_] = weight.dot(self.reads) < speech.letters[:, None]
        few[:, :-1] &= ~few[:, -1:]
        return few[:, :-1]
