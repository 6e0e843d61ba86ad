"""Judging a model, or a whole engine, by labelled posts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from moderation.errors import DumpError
from moderation.learning.labelled import Labelled, is_neutral, which_positive
from moderation.learning.languages import main_languages
from moderation.learning.metrics import Measures, Truth, Values, measure
from moderation.packs.models import ModelError, ModelFile, load_model
from moderation.signals.classifier import Classifier
from moderation.text.batch import Batch
from moderation.text.folding import fold_batch

if TYPE_CHECKING:
    from moderation.engine.engine import Engine


_PORTION = 4096
_SHOWN = 10
_LEAST = 5


@dataclass(frozen=True)
class Mistake:
    """A post that was judged wrongly, by a lot."""

    text: str
    label: str
    score: float


@dataclass(frozen=True)
class Evaluation:
    """How a category was judged, over all posts and by language and group; the worst mistakes of both kinds.

    `scores` and `truth` are by post. `judges` are the same figures for other judges of the same posts: of the rules
    alone, and of rules and model together.
    """

    category: str
    whole: Measures
    by_language: Mapping[str, Measures]
    by_group: Mapping[str, Mapping[str, Measures]]
    wrongly_flagged: tuple[Mistake, ...]
    missed: tuple[Mistake, ...]
    truth: Truth
    scores: Values
    judges: Mapping[str, Measures]
    judges_by_group: Mapping[str, Mapping[str, Mapping[str, Measures]]]


def score_texts(model: ModelFile, texts: Sequence[str]) -> Values:
    """Every head's score of every text: texts × heads."""
    classifier = Classifier(model)
    parts = []
    for at in range(0, len(texts), _PORTION):
        folded = fold_batch(Batch.of(texts[at : at + _PORTION])).codes
        parts.append(classifier.scores(folded, np.concatenate(([0], np.flatnonzero(folded == 0) + 1))))
    return np.concatenate(parts) if parts else np.zeros((0, len(model.heads)))


def category_scores(model: ModelFile, category: str, texts: Sequence[str], languages: NDArray[np.str_]) -> Values:
    """The category's score by text: of the head in the text's main language, or the highest of all where none is."""
    heads = [at for at, head in enumerate(model.heads) if head.category == category]
    found = score_texts(model, texts)[:, heads]
    scores: Values = found.max(axis=1)
    for column, at in enumerate(heads):
        own = _written_in(model.heads[at].language, languages)
        scores[own] = found[own, column]
    return scores


def _written_in(language: str, languages: NDArray[np.str_]) -> Truth:
    """Which texts are in a language, whatever its script: heads for Chinese read pinyin too."""
    return np.array([name == language or name.startswith(f"{language}-") for name in languages.tolist()], np.bool_)


def truth_of(data: Labelled, positive: Sequence[str]) -> Truth:
    """Which posts are positive: those with these labels, or with any that is not neutral. Raises DumpError."""
    labels = set(data.labels)
    wanted = frozenset(positive) if positive else frozenset(label for label in labels if not is_neutral(label))
    if not wanted & labels or wanted >= labels:
        raise which_positive(data)
    return np.array([label in wanted for label in data.labels], np.bool_)


def evaluate(
    data: Labelled,
    truth: Truth,
    category: str,
    scores: Values,
    threshold: float = 0.5,
    judges: Mapping[str, Truth] | None = None,
    languages: NDArray[np.str_] | None = None,
) -> Evaluation:
    """All figures of one category's scores. `judges` are others' verdicts on the same posts, by name."""
    languages = main_languages(data.texts) if languages is None else languages
    columns = {name: np.array(values) for name, values in data.groups.items()}

    def figures(keep: Truth) -> Measures:
        return measure(truth[keep], scores[keep], threshold)

    verdicts = {name: verdict.astype(np.float64) for name, verdict in (judges or {}).items()}
    return Evaluation(
        category,
        measure(truth, scores, threshold),
        _parts(languages, figures, 20),
        {name: _parts(values, figures, _LEAST) for name, values in columns.items()},
        _mistakes(data, scores, ~truth & (scores > threshold), -scores),
        _mistakes(data, scores, truth & (scores <= threshold), scores),
        truth,
        scores,
        {name: measure(truth, verdict) for name, verdict in verdicts.items()},
        {
            name: {judge: _parts(values, _figures_of(truth, verdict), _LEAST) for judge, verdict in verdicts.items()}
            for name, values in columns.items()
        },
    )


def _figures_of(truth: Truth, verdict: Values) -> Callable[[Truth], Measures]:
    return lambda keep: measure(truth[keep], verdict[keep])


def _parts(values: NDArray[np.str_], figures: Callable[[Truth], Measures], least: int) -> dict[str, Measures]:
    names, number = np.unique(values, return_counts=True)
    return {str(name): figures(values == name) for name, count in zip(names, number, strict=True) if count >= least}


def _mistakes(data: Labelled, scores: Values, wrong: Truth, order: Values) -> tuple[Mistake, ...]:
    at = np.flatnonzero(wrong)
    worst = at[np.argsort(order[at], kind="stable")][:_SHOWN]
    return tuple(Mistake(data.texts[post], data.labels[post], float(scores[post])) for post in worst.tolist())


def read_model(content: bytes, name: str) -> ModelFile:
    """A verified model. Raises DumpError naming the file."""
    try:
        model = load_model(content)
        Classifier(model)
    except ModelError as error:
        raise DumpError(f"{name}: {error}") from None
    return model


def measure_tests(content: bytes, tests: Iterable[Labelled], positive: Sequence[str] = ()) -> dict[str, Measures]:
    """Every category's figures on every test file."""
    model = load_model(content)
    found = {}
    for data in tests:
        truth, languages = truth_of(data, positive), main_languages(data.texts)
        for category in model.categories:
            found[f"{category} on {data.name}"] = measure(
                truth, category_scores(model, category, data.texts, languages)
            )
    return found


def engine_verdicts(
    engine: Engine, texts: Sequence[str], by_model: Truth, reasons: Sequence[str] = ()
) -> dict[str, Truth]:
    """Which posts rules flag or block without asking the classifier; which they do with it; and which either those or
    the model itself find. The engine's own reasons (limits, coverage) say nothing of a post's content and don't count;
    with `reasons`, only those of these categories do.
    """
    asking = engine.asking_classifier
    alone, whole = np.zeros(len(texts), np.bool_), np.zeros(len(texts), np.bool_)
    for at, decision in enumerate(engine.decide_many(texts)):
        against = [
            reason.rule
            for reason in decision.reasons
            if reason.verdict != "allow" and (reason.category in reasons if reasons else reason.category != "engine")
        ]
        whole[at] = bool(against)
        alone[at] = any(rule not in asking for rule in against)
    return {"rules alone": alone, "the engine": whole, "rules or model": alone | by_model}


def plain_of(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as it stands in JSON, without the posts."""
    plain = asdict(evaluation)
    for name in ("truth", "scores"):
        del plain[name]
    return plain
