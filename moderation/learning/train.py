"""From labelled posts to a model: one head a label definition, strength and calibration by folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from moderation.errors import DumpError
from moderation.learning.calibrate import CURVE_FROM, Calibration, calibration_of
from moderation.learning.cloak import CLOAKS
from moderation.learning.estimator import SMOOTHING, LinearTextClassifier, Loss, count_matrix
from moderation.learning.labelled import Labelled
from moderation.learning.languages import main_languages
from moderation.learning.metrics import PRECISIONS, Measures, Operating, Truth, Values, measure, operating_point
from moderation.packs.models import Head, dump_model
from moderation.signals.features import VERSION
from moderation.text.folding import fold_all

STRENGTHS: dict[Loss, tuple[float, ...]] = {"squared_hinge": (0.5, 1.0, 2.0), "logistic": (2.0, 4.0, 8.0, 16.0)}
FOLDS = 5
PREVALENCE = 0.05
BACKGROUND = 0.3
"""What a background post weighs beside one of the head's own: enough to be let pass, too little to blur the head."""

_FEWEST = 20

Progress = Callable[[str], None]
_Copies = Sequence[tuple[sparse.csr_matrix, float]]


@dataclass(frozen=True)
class Source:
    """Posts for a head: which of their labels are positive (none: all of them are negatives), and where they are
    from.
    """

    data: Labelled
    positive: frozenset[str]
    about: str = ""
    licence: str = ""

    @property
    def truth(self) -> Truth:
        return np.array([label in self.positive for label in self.data.labels], np.bool_)


@dataclass(frozen=True)
class Task:
    """A head to train. `sources` and `background` divide its data: figures are taken over the first alone. `talk` are
    words of those who speak about the harm: see `_evened`.
    """

    category: str
    language: str | None
    definition: str
    sources: tuple[Source, ...]
    background: tuple[Source, ...] = ()
    balanced: bool = False
    cloaked: bool = False
    loss: Loss = "squared_hinge"
    talk: tuple[str, ...] = ()
    background_weight: float = BACKGROUND
    smoothing: float = SMOOTHING


@dataclass(frozen=True)
class Trained:
    """A head and how it came about. `strengths` are the out-of-fold AUC by C; `out_of_fold` the figures over the folds
    with scores calibrated on the other folds, but order and thresholds as served; `feed` those at 5 % positives.
    """

    task: Task
    head: Head
    estimator: LinearTextClassifier
    calibration: Calibration
    strength: float
    strengths: dict[float, float]
    used: int
    positives: int
    repeated: int
    contradictory: int
    shared: int
    out_of_fold: Measures
    raw_calibration_error: float
    background_flagged: float | None
    by_language: dict[str, Measures]
    feed: dict[str, Operating] = field(default_factory=dict)


def train_model(
    tasks: Sequence[Task], test_texts: Sequence[str] = (), progress: Progress = lambda _: None
) -> tuple[bytes, str, list[Trained]]:
    """Train all heads. Gives the model's file, its digest, and what is known of each head.

    Posts that fold like one of `test_texts` are left out. The same data give the same bytes. Raises DumpError where a
    head has too few posts of either kind, or two heads are the same.
    """
    held = frozenset(fold_all(test_texts)) if test_texts else frozenset()
    tasks = [_in_language(task) for task in tasks]
    for name, number in Counter(_name(task) for task in tasks).items():
        if number > 1:
            raise DumpError(
                f"{number} heads would be {name}, and nobody could tell them apart: give their posts to one head of a "
                "recipe (--recipe), or train models of their own, with --category to name them"
            )
    trained = [_train_head(task, held, progress) for task in tasks]
    weights = np.stack([each.estimator.weights_ for each in trained])
    numbers = np.array(
        [
            [each.estimator.scale_, each.estimator.intercept_[0], each.calibration.slope, each.calibration.offset]
            for each in trained
        ]
    )
    knots = [each.calibration.knots for each in trained]
    content, digest = dump_model([each.head for each in trained], weights, numbers, VERSION, knots)
    return content, digest, trained


def _name(task: Task) -> str:
    return f"{task.category}/{task.language}"


def _in_language(task: Task) -> Task:
    """The task with the language of its posts, where it is not given."""
    texts = [text for source in task.sources for text in source.data.texts]
    return task if task.language else replace(task, language=_commonest(main_languages(texts)))


def _train_head(task: Task, held: frozenset[str], progress: Progress) -> Trained:
    name = _name(task)
    pool = _Pool.of(task, held)
    pool.check(name)
    progress(f"{name}: counting the n-grams of {len(pool.texts):,} posts")
    counts = count_matrix(pool.texts)
    cloaked = [(count_matrix(cloak(pool.texts)), weight) for cloak, weight in CLOAKS] if task.cloaked else []
    strengths: dict[float, float] = {}
    spreads: dict[float, float] = {}
    decided: dict[float, Values] = {}
    for strength in STRENGTHS[task.loss]:
        decided[strength], areas = _out_of_fold(counts, cloaked, pool, _estimator(task, strength))
        strengths[strength], spreads[strength] = float(np.mean(areas)), float(np.std(areas) / np.sqrt(len(areas)))
        progress(f"{name}: C = {strength:g}, AUC {strengths[strength]:.4f}")
    strength = _chosen(strengths, spreads)
    own = ~pool.background
    calibration = calibration_of(decided[strength][own], pool.truth[own], pool.curved)
    scores = _calibrated_across(decided[strength], pool)
    estimator = _fitted(counts, cloaked, pool, np.ones(len(pool.truth), np.bool_), _estimator(task, strength))
    progress(f"{name}: trained with C = {strength:g} on {len(pool.texts):,} posts")
    return _described(task, pool, estimator, calibration, (strength, strengths), scores, decided[strength])


def _described(
    task: Task,
    pool: _Pool,
    estimator: LinearTextClassifier,
    calibration: Calibration,
    choice: tuple[float, dict[float, float]],
    scores: Values,
    decided: Values,
) -> Trained:
    own = ~pool.background
    truth, found = pool.truth[own], scores[own]
    texts = [text for text, kept in zip(pool.texts, own.tolist(), strict=True) if kept]
    languages = main_languages(texts)
    # Each fold has a curve of its own: how posts rank, and above which scores, is told by that which is served.
    served = calibration(decided[own])
    ranked = measure(truth, served)
    figures = replace(
        measure(truth, found),
        roc_auc=ranked.roc_auc,
        average_precision=ranked.average_precision,
        operating=ranked.operating,
    )
    plain = estimator.probability(decided[own])
    by_language = {
        name: measure(truth[languages == name], found[languages == name])
        for name in sorted(set(languages.tolist()))
        if int((languages == name).sum()) >= 50
    }
    points = {f"{wanted:g}": operating_point(truth, served, wanted, PREVALENCE) for wanted in PRECISIONS}
    operating = {name: point.threshold for name, point in figures.operating.items()}
    return Trained(
        task,
        Head(task.category, str(task.language), task.definition, operating),
        estimator,
        calibration,
        *choice,
        len(pool.texts),
        int(pool.truth.sum()),
        pool.repeated,
        pool.contradictory,
        pool.shared,
        figures,
        measure(truth, plain).calibration_error,
        float((scores[pool.background] > 0.5).mean()) if pool.background.any() else None,
        by_language,
        {name: point for name, point in points.items() if point is not None},
    )


@dataclass(frozen=True)
class _Pool:
    """All posts of a head, each once: what repeats, contradicts itself or stands in a test is left out and counted."""

    texts: list[str]
    truth: Truth
    background: Truth
    weight: Values
    fold: NDArray[np.int64]
    repeated: int
    contradictory: int
    shared: int

    @classmethod
    def of(cls, task: Task, held: frozenset[str]) -> _Pool:
        texts = [text for source in (*task.sources, *task.background) for text in source.data.texts]
        truth = np.concatenate([source.truth for source in (*task.sources, *task.background)])
        own = sum(len(source.data) for source in task.sources)
        folded = fold_all(texts)
        said: dict[str, set[bool]] = {}
        for key, label in zip(folded, truth.tolist(), strict=True):
            said.setdefault(key, set()).add(label)
        seen: set[str] = set()
        keep: list[int] = []
        repeated = contradictory = shared = 0
        for at, key in enumerate(folded):
            if key in held:
                shared += 1
            elif len(said[key]) > 1:
                contradictory += 1
            elif key in seen:
                repeated += 1
            else:
                seen.add(key)
                keep.append(at)
        chosen = np.array(keep, np.int64)
        kept, background = truth[chosen], chosen >= own
        weight = np.where(
            background, task.background_weight, _evened([folded[at] for at in keep], kept, background, task.talk)
        )
        left = (repeated, contradictory, shared)
        return cls([texts[at] for at in keep], kept, background, weight, _folds(kept), *left)

    @property
    def curved(self) -> bool:
        """Whether there are enough labels for a curve."""
        return int((~self.background).sum()) >= CURVE_FROM

    def check(self, name: str) -> None:
        positives, negatives = int(self.truth.sum()), int((~self.truth).sum())
        if min(positives, negatives) < _FEWEST:
            raise DumpError(
                f"{name}: {positives:,} positive and {negatives:,} negative posts are too few: {_FEWEST} of each are "
                f"needed; if the labels have other names, say which are positive with --positive{self._left()}"
            )

    def _left(self) -> str:
        """What was left out, as a part of a message."""
        counted = {
            "repeat others": self.repeated,
            "have both labels": self.contradictory,
            "stand in a test": self.shared,
        }
        said = ", ".join(f"{number:,} {why}" for why, number in counted.items() if number)
        return f" (left out: {said})" if said else ""


def _folds(truth: Truth) -> NDArray[np.int64]:
    fold = np.zeros(len(truth), np.int64)
    if min(int(truth.sum()), int((~truth).sum())) >= FOLDS:
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        for number, (_, test) in enumerate(splitter.split(np.zeros(len(truth)), truth)):
            fold[test] = number
    return fold


def _evened(folded: Sequence[str], truth: Truth, background: Truth, talk: Sequence[str]) -> Values:
    """Weights of posts: those in which a word of `talk` stands count as if they were positive less unusually often.

    Who gathers posts by such words (歧视) labels nearly all of them positive, and a model then takes who speaks against
    the harm for one who does it. The odds of these posts are moved half of the way, as logarithms go, to those of the
    other posts: their positives weigh less, their negatives more.
    """
    weight = np.ones(len(truth))
    words = fold_all(talk)
    own = ~background
    talks = np.array([any(word in text for word in words) for text in folded], np.bool_) & own
    counted = [int((side & part).sum()) for part in (talks, own & ~talks) for side in (truth, ~truth)]
    if min(counted) < _FEWEST:
        return weight
    moved = (counted[0] * counted[3] / (counted[1] * counted[2])) ** 0.25
    weight[talks & truth], weight[talks & ~truth] = 1 / moved, moved
    return weight


def _estimator(task: Task, strength: float) -> LinearTextClassifier:
    weight = "balanced" if task.balanced else None
    return LinearTextClassifier(C=strength, loss=task.loss, smoothing=task.smoothing, class_weight=weight)


def _fitted(
    counts: sparse.csr_matrix, cloaked: _Copies, pool: _Pool, chosen: Truth, estimator: LinearTextClassifier
) -> LinearTextClassifier:
    """The estimator fitted to some of the posts, and to the same posts cloaked, if they are, at less weight."""
    table, truth, weight = counts[chosen], pool.truth[chosen], pool.weight[chosen]
    if cloaked:
        table = sparse.vstack((table, *(copy[chosen] for copy, _ in cloaked)), format="csr")
        truth = np.tile(truth, 1 + len(cloaked))
        weight = np.concatenate((weight, *(weight * share for _, share in cloaked)))
    return estimator.fit_counts(table, truth, weight)


def _out_of_fold(
    counts: sparse.csr_matrix, cloaked: _Copies, pool: _Pool, estimator: LinearTextClassifier
) -> tuple[Values, list[float]]:
    """Decisions by estimators that did not see the post, and the AUC of each fold over what the head is about."""
    decided = np.zeros(len(pool.truth))
    areas = []
    for number in range(FOLDS):
        test = pool.fold == number
        fitted = _fitted(counts, cloaked, pool, ~test, estimator)
        decided[test] = fitted.decide_counts(counts[test])
        judged = test & ~pool.background
        areas.append(float(roc_auc_score(pool.truth[judged], decided[judged])))
    return decided, areas


def _chosen(areas: dict[float, float], spreads: dict[float, float]) -> float:
    """The least strength whose AUC is within a quarter of a standard error of the best."""
    best = max(areas, key=lambda strength: areas[strength])
    return min(strength for strength in areas if areas[strength] >= areas[best] - spreads[best] / 4)


def _calibrated_across(decided: Values, pool: _Pool) -> Values:
    """Each fold's scores by a calibration that did not see the fold."""
    scores = np.zeros(len(decided))
    for number in range(FOLDS):
        test = pool.fold == number
        seen = ~test & ~pool.background
        scores[test] = calibration_of(decided[seen], pool.truth[seen], pool.curved)(decided[test])
    return scores


def _commonest(languages: NDArray[np.str_]) -> str:
    names, counted = np.unique(languages[languages != "und"], return_counts=True)
    return str(names[counted.argmax()]) if names.size else "und"
