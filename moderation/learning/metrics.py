"""How good scores are: figures that hold at a feed's share of harmful posts, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Truth = NDArray[np.bool_]

PRECISIONS = (0.8, 0.9, 0.95)
LEAST_FLAGGED = 20
_BINS = 15


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold that reaches a precision: scores above it, what that yields, and 95 % intervals (Wilson, 1927)."""

    threshold: float
    precision: float
    precision_interval: tuple[float, float]
    recall: float
    recall_interval: tuple[float, float]
    flagged: int


@dataclass(frozen=True, slots=True)
class Measures:
    """What scores are worth against the truth, taken as positive above `threshold`."""

    posts: int
    positives: int
    threshold: float
    accuracy: float
    macro_f1: float
    f1: float
    precision: float
    recall: float
    false_positive_rate: float
    roc_auc: float | None
    average_precision: float | None
    calibration_error: float
    operating: Mapping[str, Operating]


def measure(truth: Truth, scores: Values, threshold: float = 0.5) -> Measures:
    """All figures. Where only one class is there, those that need both are None."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    flagged = scores > threshold
    hit, false = int((flagged & truth).sum()), int((flagged & ~truth).sum())
    missed, passed = int((~flagged & truth).sum()), int((~flagged & ~truth).sum())
    both = bool(truth.any() and not truth.all())
    found = {f"{wanted:g}": operating_point(truth, scores, wanted) for wanted in PRECISIONS}
    positive, negative = _f1(hit, false, missed), _f1(passed, missed, false)
    return Measures(
        len(truth),
        int(truth.sum()),
        threshold,
        (hit + passed) / max(len(truth), 1),
        (positive + negative) / 2,
        positive,
        _share(hit, hit + false),
        _share(hit, hit + missed),
        _share(false, false + passed),
        float(roc_auc_score(truth, scores)) if both else None,
        float(average_precision_score(truth, scores)) if both else None,
        calibration_error(truth, scores),
        {name: point for name, point in found.items() if point is not None},
    )


def operating_point(
    truth: Truth, scores: Values, precision: float, prevalence: float | None = None
) -> Operating | None:
    """The lowest threshold above which at least `precision` are positive, or None where none does with 20 posts.

    `prevalence`, if given, is the share of positives that the precision is to hold at: posts are weighed to it.
    """
    weight = _weights(truth, prevalence)
    order = np.argsort(-scores, kind="stable")
    ranked, flags = scores[order], truth[order]
    hits = np.cumsum(flags)
    right, all_weight = np.cumsum(weight[order] * flags), np.cumsum(weight[order])
    last = np.append(ranked[1:] < ranked[:-1], True)
    good = np.flatnonzero(last & (right >= precision * all_weight) & (np.arange(1, len(ranked) + 1) >= LEAST_FLAGGED))
    if not good.size:
        return None
    at = int(good[-1])
    below = ranked[at + 1] if at + 1 < len(ranked) else 0.0
    flagged, found, positives = at + 1, int(hits[at]), int(truth.sum())
    return Operating(
        round(float((ranked[at] + below) / 2), 4),
        float(right[at] / all_weight[at]),
        wilson(found, flagged),
        found / positives,
        wilson(found, positives),
        flagged,
    )


def wilson(found: int, number: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not number:
        return 0.0, 1.0
    z, share = 1.96, found / number
    middle = share + z * z / (2 * number)
    spread = z * float(np.sqrt(share * (1 - share) / number + z * z / (4 * number * number)))
    scale = 1 + z * z / number
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def calibration_error(truth: Truth, scores: Values) -> float:
    """Expected calibration error over 15 bins of equally many posts."""
    error = 0.0
    for part in np.array_split(np.argsort(scores, kind="stable"), _BINS):
        if part.size:
            error += part.size / len(truth) * abs(float(scores[part].mean()) - float(truth[part].mean()))
    return error


def _weights(truth: Truth, prevalence: float | None) -> Values:
    if prevalence is None:
        return np.ones(len(truth))
    positive = prevalence / max(int(truth.sum()), 1)
    negative = (1 - prevalence) / max(int((~truth).sum()), 1)
    return np.where(truth, positive, negative)


def _f1(hit: int, false: int, missed: int) -> float:
    return _share(2 * hit, 2 * hit + false + missed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
