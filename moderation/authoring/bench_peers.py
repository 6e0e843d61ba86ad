"""Other ways to judge posts, in the same run: what one writes by hand, and packages that filter words or find patterns.

None of them does what the engine does; they get its terms where they take terms, and only their speed is measured.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from moderation.authoring.baseline import Baseline
from moderation.packs.load import RuleBook
from moderation.packs.walk import conditions_of, terms_of

SECONDS = 5.0
_FEWEST = 20
Judge = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another way, its posts a second, None where its package is not installed."""

    name: str
    rate: float | None


def bench_peers(book: RuleBook, texts: Sequence[str], seconds: float = SECONDS) -> list[Peer]:
    """Each on as many of the texts as it manages in about so many seconds, one by one, warmed up."""
    makers: dict[str, Callable[[RuleBook, Sequence[str]], Judge]] = {
        "langdetect + regex + TfidfVectorizer": _by_hand,
        "presidio-analyzer": _presidio,
        "better-profanity": _better_profanity,
        "alt-profanity-check": _alt_profanity_check,
    }
    return [Peer(name, _rate(make, book, texts, seconds)) for name, make in makers.items()]


def terms_in(book: RuleBook) -> list[str]:
    """All terms of all rules, each once, in order."""
    conditions = (
        (condition, pack) for pack in book.packs for rule in pack.rules for _, condition in conditions_of(rule)
    )
    return list(dict.fromkeys(term for condition, pack in conditions for term in terms_of(condition, pack) or ()))


def _rate(
    make: Callable[[RuleBook, Sequence[str]], Judge], book: RuleBook, texts: Sequence[str], seconds: float
) -> float | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            judge = make(book, texts)
        except ImportError:
            return None
        judge(texts[0])
        return _timed(judge, texts, seconds)


def _timed(judge: Judge, texts: Iterable[str], seconds: float) -> float:
    started, done = time.perf_counter(), 0
    for done, text in enumerate(texts, 1):
        judge(text)
        if done >= _FEWEST and time.perf_counter() - started > seconds:
            break
    return done / (time.perf_counter() - started)


def _by_hand(book: RuleBook, texts: Sequence[str]) -> Judge:
    """Language, patterns, and a linear classifier over words and character n-grams, post after post."""
    text = import_module("sklearn.feature_extraction.text")
    linear = import_module("sklearn.linear_model")
    pipeline = import_module("sklearn.pipeline")
    vectors = text.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), max_features=1 << 18, sublinear_tf=True)
    model: Any = pipeline.make_pipeline(vectors, linear.SGDClassifier(loss="log_loss", random_state=0))
    # What the labels are changes no speed.
    model.fit(list(texts[:4000]), np.arange(len(texts[:4000])) % 2)
    baseline = Baseline(book)
    return lambda text: (baseline.judge(text), model.predict_proba([text]))


def _presidio(book: RuleBook, texts: Sequence[str]) -> Judge:
    """A recogniser of as many patterns; without its language models, which find names of people and places."""
    presidio: Any = import_module("presidio_analyzer")
    patterns = [presidio.Pattern(f"term {at}", re.escape(term), 0.5) for at, term in enumerate(terms_in(book))]
    recogniser = presidio.PatternRecognizer(supported_entity="TERM", patterns=patterns)
    return lambda text: recogniser.analyze(text, ["TERM"])


def _better_profanity(book: RuleBook, texts: Sequence[str]) -> Judge:
    profanity: Any = import_module("better_profanity").profanity
    profanity.load_censor_words(terms_in(book))
    return lambda text: profanity.contains_profanity(text)


def _alt_profanity_check(book: RuleBook, texts: Sequence[str]) -> Judge:
    predict: Any = import_module("profanity_check").predict_prob
    return lambda text: predict([text])
