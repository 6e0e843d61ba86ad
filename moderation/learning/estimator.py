"""The trainable classifier, with scikit-learn's interface: texts in, probabilities out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from moderation.packs.models import LIMIT
from moderation.signals.features import BITS, grams, text_of
from moderation.text.batch import Batch
from moderation.text.folding import fold_batch

Loss = Literal["squared_hinge", "logistic"]

SMOOTHING = 1.0

_PORTION = 4096
_SWEEPS = 100  # posts and their all but equal counterparts never quite settle: more sweeps change no third digit


def count_matrix(texts: Iterable[str], bits: int = BITS) -> sparse.csr_matrix:
    """How often each bucket's n-grams stand in each text: texts × 2^bits, float32."""
    texts = list(texts)
    parts = [_counts(texts[at : at + _PORTION], bits) for at in range(0, len(texts), _PORTION)]
    return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, 1 << bits), dtype=np.float32)


def _counts(texts: Sequence[str], bits: int) -> sparse.csr_matrix:
    folded = fold_batch(Batch.of(texts)).codes
    text = text_of(folded, np.concatenate(([0], np.flatnonzero(folded == 0) + 1)))
    found = grams(text, bits)
    rows = [np.searchsorted(text.opens, each.start, side="right") - 1 for each in found]
    row = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    bucket = np.concatenate([each.bucket for each in found]) if found else np.zeros(0, np.uint32)
    ones = np.ones(len(row), np.float32)
    counted = sparse.csr_matrix((ones, (row, bucket.astype(np.int64))), shape=(len(texts), 1 << bits))
    counted.sum_duplicates()
    return counted


class LinearTextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Naive Bayes ratios and a linear model over hashed n-grams, for two classes (Wang and Manning, "Baselines and
    Bigrams", 2012).

    The n-grams are those of `moderation.signals.features`, counted, divided by the root of how many there are, and
    weighed by the ratio of their smoothed frequencies in the two classes. The ratio is folded into the weights, and the
    weights are rounded to integers (8 bits), so that what is served is exactly what was fitted.

    Parameters: `C`, inverse strength of regularisation; `loss`, `squared_hinge` or `logistic`; `smoothing`, added to
    each n-gram's count of texts; `least`, the least log-ratio (of either sign) that an n-gram is weighed by, so that
    those common to both classes can still tell them apart beside others; `class_weight`, as in scikit-learn; `bits`,
    2^bits buckets. Fitted: `classes_`, `coef_` (integers times `scale_`), `intercept_`, `weights_` (int16), `scale_`.
    """

    def __init__(
        self,
        C: float = 0.5,
        loss: Loss = "squared_hinge",
        smoothing: float = SMOOTHING,
        least: float = 0.3,
        class_weight: dict[Any, float] | str | None = None,
        bits: int = BITS,
    ) -> None:
        self.C = C
        self.loss = loss
        self.smoothing = smoothing
        self.least = least
        self.class_weight = class_weight
        self.bits = bits

    def fit(self, X: Iterable[str], y: ArrayLike, sample_weight: ArrayLike | None = None) -> LinearTextClassifier:
        """Fit to texts and their classes, of which there are two. Raises ValueError for anything else."""
        texts = _texts(X)
        labels = np.asarray(y)
        if labels.ndim != 1 or len(labels) != len(texts):
            raise ValueError(f"{len(texts)} texts need as many labels, not an array of shape {labels.shape}")
        return self.fit_counts(count_matrix(texts, self.bits), labels, sample_weight)

    def fit_counts(
        self, counts: sparse.csr_matrix, labels: NDArray[Any], sample_weight: ArrayLike | None = None
    ) -> LinearTextClassifier:
        """Fit to texts that `count_matrix` has counted."""
        classes, target = np.unique(labels, return_inverse=True)
        if len(classes) != 2:
            raise ValueError(f"two classes are told apart, and the labels hold {len(classes)}: {classes[:6].tolist()}")
        self.classes_ = classes
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        ratio = self._ratio(counts, target, weight)
        scaled = _scaled(counts)
        scaled.data *= ratio[scaled.indices]
        model = self._model()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaled, target, sample_weight=weight)
        self._round(model.coef_[0] * ratio, float(model.intercept_[0]))
        return self

    def decision_function(self, X: Iterable[str]) -> NDArray[np.float64]:
        """How far each text lies on the side of the second class."""
        check_is_fitted(self)
        return self.decide_counts(count_matrix(_texts(X), self.bits))

    def decide_counts(self, counts: sparse.csr_matrix) -> NDArray[np.float64]:
        """The same for texts that `count_matrix` has counted."""
        number = np.asarray(counts.sum(axis=1)).ravel()
        summed = counts.astype(np.float64) @ self.weights_.astype(np.float64)
        decided: NDArray[np.float64] = summed * self.scale_ / np.sqrt(np.maximum(number, 1)) + self.intercept_[0]
        return decided

    def predict_proba(self, X: Iterable[str]) -> NDArray[np.float64]:
        """The probabilities of both classes, texts × 2, as the loss itself has them."""
        positive = self.probability(self.decision_function(X))
        both: NDArray[np.float64] = np.stack((1 - positive, positive), axis=1)
        return both

    def probability(self, decided: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability of the second class at which a decision costs least (Zhang, "Statistical behavior", 2004)."""
        if self.loss == "logistic":
            likely: NDArray[np.float64] = 1 / (1 + np.exp(-decided))
            return likely
        return np.clip((1 + decided) / 2, 0, 1)

    def predict(self, X: Iterable[str]) -> NDArray[Any]:
        """The likelier class of each text."""
        above = (self.decision_function(X) > 0).astype(np.int64)
        predicted: NDArray[Any] = self.classes_[above]
        return predicted

    @property
    def coef_(self) -> NDArray[np.float64]:
        """The weights, 1 × buckets."""
        check_is_fitted(self)
        coefficients: NDArray[np.float64] = self.weights_.astype(np.float64)[None, :] * self.scale_
        return coefficients

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "weights_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_class = False
        return tags

    def _model(self) -> LogisticRegression | LinearSVC:
        # The dual solver draws its order from a seed: the same data give the same weights.
        common: dict[str, Any] = {"C": self.C, "dual": True, "tol": 1e-2, "max_iter": _SWEEPS, "random_state": 0}
        common["class_weight"] = self._weights()
        if self.loss == "logistic":
            return LogisticRegression(solver="liblinear", **common)
        if self.loss == "squared_hinge":
            return LinearSVC(loss="squared_hinge", **common)
        raise ValueError(f"loss is squared_hinge or logistic, not {self.loss!r}")

    def _weights(self) -> dict[int, float] | str | None:
        if not isinstance(self.class_weight, dict):
            return self.class_weight
        return {place: self.class_weight.get(name, 1.0) for place, name in enumerate(self.classes_.tolist())}

    def _ratio(
        self, counts: sparse.csr_matrix, target: NDArray[np.int64], weight: NDArray[np.float64] | None
    ) -> NDArray[np.float32]:
        each = np.ones(len(target)) if weight is None else weight
        by_entry = np.repeat(each, np.diff(counts.indptr))
        side = np.repeat(target, np.diff(counts.indptr))
        present = [
            np.bincount(counts.indices[side == number], by_entry[side == number], minlength=counts.shape[1])
            for number in (1, 0)
        ]
        positive, negative = (each + self.smoothing for each in present)
        ratio: NDArray[np.float32] = np.log((positive / positive.sum()) / (negative / negative.sum())).astype(
            np.float32
        )
        return np.copysign(np.maximum(np.abs(ratio), np.float32(self.least)), ratio)

    def _round(self, weights: NDArray[np.float64], intercept: float) -> None:
        largest = float(np.abs(weights).max())
        self.scale_ = largest / LIMIT if largest else 1.0
        self.weights_ = np.rint(weights / self.scale_).astype(np.int16)
        self.intercept_ = np.array([intercept])


def _scaled(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    number = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    scaled = counts.copy()
    scaled.data = scaled.data * np.repeat((1 / np.sqrt(number)).astype(np.float32), np.diff(counts.indptr))
    return scaled


def _texts(X: Iterable[str]) -> list[str]:
    if isinstance(X, str):
        raise ValueError("an iterable of texts is expected, not one text")
    texts = list(X)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"texts are expected, and number {number} is a {type(text).__name__}")
    return texts
