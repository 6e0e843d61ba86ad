"""Other ways to judge posts, in the same run: what one writes by hand, and packages that filter words or find patterns.

None of them does what the engine does; they get its terms where they take terms, and only their speed is measured.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from moderation.authoring.baseline import Baseline
from moderation.packs.load import RuleBook
from moderation.packs.walk import conditions_of, terms_of

SECONDS = 5.0
_FEW, _MANY = 10, 1000
Judge = Callable[[Sequence[str]], object]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another way, its posts a second, None where its package is not installed."""

    name: str
    rate: float | None


def bench_peers(book: RuleBook, texts: Sequence[str], seconds: float = SECONDS) -> list[Peer]:
    """Each on as many of the texts as it manages in about so many seconds, warmed up; in batches where it takes any."""
    makers: dict[str, tuple[Callable[[RuleBook, Sequence[str]], Judge], int]] = {
        "langdetect + regex + TfidfVectorizer": (_by_hand, _FEW),
        "presidio-analyzer": (_presidio, _FEW),
        "better-profanity": (_better_profanity, _FEW),
        "alt-profanity-check": (_alt_profanity_check, _MANY),
    }
    return [Peer(name, _rate(make, book, texts, size, seconds)) for name, (make, size) in makers.items()]


def terms_in(book: RuleBook) -> list[str]:
    """All terms of all rules, each once, in order."""
    conditions = (
        (condition, pack) for pack in book.packs for rule in pack.rules for _, condition in conditions_of(rule)
    )
    return list(dict.fromkeys(term for condition, pack in conditions for term in terms_of(condition, pack) or ()))


def _rate(
    make: Callable[[RuleBook, Sequence[str]], Judge], book: RuleBook, texts: Sequence[str], size: int, seconds: float
) -> float | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            judge = make(book, texts)
        except ImportError:
            return None
        judge(texts[:1])
        return _timed(judge, texts, size, seconds)


def _timed(judge: Judge, texts: Sequence[str], size: int, seconds: float) -> float:
    started, done = time.perf_counter(), 0
    while done < len(texts) and time.perf_counter() - started < seconds:
        batch = texts[done : done + size]
        judge(batch)
        done += len(batch)
    return done / (time.perf_counter() - started)


def _by_hand(book: RuleBook, texts: Sequence[str]) -> Judge:
    """Language, patterns, and a linear classifier over character n-grams."""
    text = import_module("sklearn.feature_extraction.text")
    linear = import_module("sklearn.linear_model")
    pipeline = import_module("sklearn.pipeline")
    vectors = text.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), max_features=1 << 18, sublinear_tf=True)
    model: Any = pipeline.make_pipeline(vectors, linear.SGDClassifier(loss="log_loss", random_state=0))
    # What the labels are changes no speed.
    model.fit(list(texts[:4000]), np.arange(len(texts[:4000])) % 2)
    baseline = Baseline(book)
    return lambda texts: ([baseline.judge(text) for text in texts], model.predict_proba(texts))


def _presidio(book: RuleBook, texts: Sequence[str]) -> Judge:
    """A recogniser of as many patterns; without its language models, which find names of people and places."""
    presidio: Any = import_module("presidio_analyzer")
    patterns = [presidio.Pattern(f"term {at}", re.escape(term), 0.5) for at, term in enumerate(terms_in(book))]
    recogniser = presidio.PatternRecognizer(supported_entity="TERM", patterns=patterns)
    return lambda texts: [recogniser.analyze(text, ["TERM"]) for text in texts]


def _better_profanity(book: RuleBook, texts: Sequence[str]) -> Judge:
    profanity: Any = import_module("better_profanity").profanity
    profanity.load_censor_words(terms_in(book))
    return lambda texts: [profanity.contains_profanity(text) for text in texts]


def _alt_profanity_check(book: RuleBook, texts: Sequence[str]) -> Judge:
    predict: Any = import_module("profanity_check").predict_prob
    return lambda texts: predict(texts)
