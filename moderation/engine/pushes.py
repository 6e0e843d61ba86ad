"""What pushed the classifier's scores of a post up and down, n-gram by n-gram, in the author's own text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.engine.look import Look
from moderation.signals.classifier import Classifier
from moderation.signals.features import Text, grams, text_of
from moderation.text.views import View

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Push:
    """An n-gram: what it adds to the score's logit wherever it stands, and its first place in the original text.

    `kind` is letters, word, words, character, pair or sound (a pair of characters taken by how they sound).
    """

    field: str
    start: int
    end: int
    text: str
    kind: str
    weight: float
    times: int


@dataclass(frozen=True, slots=True)
class ScoreTrace:
    """A category's score by the head that gave it, and the n-grams that pushed hardest, up and down."""

    category: str
    head: str
    score: float
    up: tuple[Push, ...]
    down: tuple[Push, ...]


def score_traces(look: Look) -> tuple[ScoreTrace, ...]:
    """The scores of a look at exactly one post; none where no rule asks the classifier."""
    scorer, scores = look.compiled.scorer, look.scores
    if scorer is None or scores is None:
        return ()
    classifier = scorer.classifier
    view, heads = look.views["folded"], scores.heads[0]
    text = text_of(view.codes, view.starts, traced=True)
    found = []
    for category, score in look.told(0).scores.items():
        own = [at for at, head in enumerate(classifier.model.heads) if head.category == category]
        best = max(own, key=lambda at: -1.0 if np.isnan(heads[at]) else float(heads[at]))
        pushes = _pushes(classifier, best, text, view, look)
        up = tuple(push for push in pushes[:SHOWN] if push.weight > 0)
        down = tuple(push for push in pushes[: -SHOWN - 1 : -1] if push.weight < 0)
        found.append(ScoreTrace(category, classifier.model.heads[best].name, score, up, down))
    return tuple(found)


def _pushes(classifier: Classifier, head: int, text: Text, view: View, look: Look) -> list[Push]:
    """All n-grams of the post, those that push up most first."""
    scale, _, slope, _ = classifier.model.numbers[head].tolist()
    weights, kinds = classifier.model.weights[head], grams(text, classifier.model.bits)
    number = sum(len(each.start) for each in kinds)
    found = []
    for each in kinds:
        bucket, first, times = np.unique(each.bucket, return_index=True, return_counts=True)
        logit = weights[bucket] * times * scale * slope / np.sqrt(number)
        strongest = np.argsort(np.abs(logit), kind="stable")[::-1][: 4 * SHOWN]
        for at in strongest.tolist():
            place = int(first[at])
            span = (int(each.start[place]), int(each.end[place]))
            found.append(_push(span, each.kind, round(float(logit[at]), 3), int(times[at]), text, view, look))
    # The edge of a text alone is nothing to show: all texts have it.
    found = [push for push in found if push.end > push.start]
    return sorted(found, key=lambda push: (-push.weight, push.start, push.end, push.kind))


def _push(span: tuple[int, int], kind: str, weight: float, times: int, text: Text, view: View, look: Look) -> Push:
    """Tell of an n-gram in terms of what the author wrote; the edges of the text are no part of it."""
    row = int(np.searchsorted(text.opens, span[0], side="right")) - 1
    start, end = max(span[0], int(text.opens[row]) + 1), min(span[1], int(text.opens[row + 1]))
    base = view.starts[row]
    inside = (_one(row), _one(int(text.origin[start] - base)), _one(int(text.last[end - 1] - base) + 1))
    opens, closes = (int(each[0]) for each in view.original_spans(*inside))
    shown = look.rows.batch.texts[row][opens:closes]
    return Push(look.rows.fields[row], opens, closes, shown, kind, weight, times)


def _one(value: int) -> NDArray[np.int64]:
    return np.array([value], np.int64)
