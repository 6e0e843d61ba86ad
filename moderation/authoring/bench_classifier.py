"""How fast the classifier is beside scikit-learn's own pipelines, over the same posts in one run on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from moderation.authoring import generate
from moderation.errors import DumpError
from moderation.packs.models import ModelError, ModelFile, load_model
from moderation.signals.classifier import Classifier
from moderation.text.batch import Batch
from moderation.text.folding import fold_batch

BATCHES = (1_000, 10_000)
BASELINE_POSTS = 5_000
_ROUNDS = 7
_TRAINED_ON = 2_000


@dataclass(frozen=True, slots=True)
class ClassifierBench:
    """Rates in posts a second: of the heads alone, and of folding and heads, by batch; of scikit-learn's vectorisers
    with a logistic regression of one head, by name. `load_seconds` is reading and verifying the model.
    """

    posts: int
    characters: float
    heads: int
    load_seconds: float
    heads_alone: dict[int, float]
    with_folding: dict[int, float]
    pipelines: dict[str, float]


def bench_classifier(model: Path, posts: int, seed: int = 0, baseline: bool = True) -> ClassifierBench:
    """Measure a model on generated posts; of several rounds the best counts. Raises DumpError for no model."""
    try:
        content = model.read_bytes()
    except OSError as error:
        raise DumpError(f"cannot read {model}: {(error.strerror or str(error)).lower()}") from None
    try:
        load_seconds = _seconds(lambda: load_model.__wrapped__(content), 3)
        found = load_model(content)
        classifier = Classifier(found)
    except ModelError as error:
        raise DumpError(f"{model}: {error}") from None
    texts = [str(post["text"]) for post in generate.posts(posts, seed)]
    alone, folding = {}, {}
    for size in BATCHES:
        alone[size], folding[size] = _rates(classifier, texts, size)
    return ClassifierBench(
        len(texts),
        sum(map(len, texts)) / len(texts),
        len(found.heads),
        load_seconds,
        alone,
        folding,
        _pipelines(texts, found) if baseline else {},
    )


def _rates(classifier: Classifier, texts: Sequence[str], size: int) -> tuple[float, float]:
    batches = [Batch.of(texts[at : at + size]) for at in range(0, len(texts), size)]
    folded = [fold_batch(batch).codes for batch in batches]
    rows = [_starts(codes) for codes in folded]

    def alone() -> None:
        for codes, starts in zip(folded, rows, strict=True):
            classifier.scores(codes, starts)

    def whole() -> None:
        for batch in batches:
            codes = fold_batch(batch).codes
            classifier.scores(codes, _starts(codes))

    return len(texts) / _seconds(alone), len(texts) / _seconds(whole)


def _starts(codes: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.concatenate(([0], np.flatnonzero(codes == 0) + 1))


def _pipelines(texts: Sequence[str], model: ModelFile) -> dict[str, float]:
    """scikit-learn's own way to do the same, one head only: its features are those of published baselines."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    measured = list(texts[:BASELINE_POSTS])
    learned = measured[:_TRAINED_ON]
    labels = [at % 2 for at in range(len(learned))]
    features = {"analyzer": "char", "ngram_range": (1, 4)}
    vectorisers = {
        "HashingVectorizer": HashingVectorizer(n_features=1 << model.bits, **features),
        "TfidfVectorizer": TfidfVectorizer(**features),
    }
    rates = {}
    for name, vectoriser in vectorisers.items():
        pipeline = make_pipeline(vectoriser, LogisticRegression(solver="liblinear")).fit(learned, labels)
        rates[name] = len(measured) / _seconds(partial(pipeline.predict_proba, measured), 2)
    return rates


def _seconds(work: Callable[[], object], rounds: int = _ROUNDS) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
