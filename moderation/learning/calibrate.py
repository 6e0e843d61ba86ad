"""Decisions made probabilities by posts that the model did not see: a line, and where there are many labels a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from moderation.learning.metrics import Truth, Values

CURVE_FROM = 5_000
"""Labels from which on a curve is fitted (Niculescu-Mizil and Caruana, "Predicting Good Probabilities", 2005)."""

_LEAST_POSTS = 50
_LEAST_SHARE = 0.05
_LEAST_SLOPE = 0.05
_DECIMALS = 6
"""Enough for any score, and few enough to be the same on any number of processors."""


@dataclass(frozen=True)
class Calibration:
    """The logit of a probability is `slope` * decision + `offset`, moved as `knots` say: see `ModelFile.knots`."""

    slope: float
    offset: float
    knots: Values

    def __call__(self, decided: Values) -> Values:
        """The probabilities of decisions."""
        logits = self.slope * decided + self.offset
        if len(self.knots):
            logits = logits + np.interp(logits, self.knots[:, 0], self.knots[:, 1] - self.knots[:, 0])
        likely: Values = 1 / (1 + np.exp(-logits))
        return likely

    @property
    def method(self) -> str:
        """`isotonic` or `platt`."""
        return "isotonic" if len(self.knots) else "platt"


def calibration_of(decided: Values, truth: Truth, curved: bool) -> Calibration:
    """The calibration of decisions on posts that were not trained on, with a curve if `curved`."""
    slope, offset = platt(decided, truth)
    curved = curved and slope > 0
    return Calibration(slope, offset, isotonic(slope * decided + offset, truth) if curved else np.zeros((0, 2)))


def platt(decided: Values, truth: Truth) -> tuple[float, float]:
    """Slope and offset that make decisions probabilities (Platt, "Probabilistic outputs", 1999)."""
    model = LogisticRegression(C=1e6).fit(decided[:, None], truth)
    return round(float(model.coef_[0, 0]), _DECIMALS), round(float(model.intercept_[0]), _DECIMALS)


def isotonic(logits: Values, truth: Truth) -> Values:
    """Knots (logit, logit as calibrated), both ascending: the steps of an isotonic regression, joined by their middles.

    A step stands for all its posts, so that what lies between two steps still has an order (Oron and Flournoy,
    "Centered isotonic regression", 2017); steps of few posts count as one with the next, or that order suffers.
    """
    order = np.argsort(logits, kind="stable")
    ascending, right = logits[order], truth[order]
    steps = IsotonicRegression().fit(ascending, right).predict(ascending)
    first = np.flatnonzero(np.append(True, steps[1:] > steps[:-1]))
    first = np.array(_joined([*first.tolist(), len(steps)]), np.int64)
    number = np.diff(np.append(first, len(steps)))
    middle = np.add.reduceat(ascending, first) / number
    # Half a post of either kind more: a step of one kind alone is not certain.
    share = (np.add.reduceat(right.astype(np.float64), first) + 0.5) / (number + 1)
    calibrated = np.log(share / (1 - share))
    rising = np.maximum.accumulate(calibrated - _LEAST_SLOPE * middle) + _LEAST_SLOPE * middle
    knots = np.stack((middle, rising), axis=1).round(_DECIMALS)
    kept: Values = knots[np.append(True, (np.diff(knots, axis=0) > 0).all(axis=1))]
    return kept


def _joined(bounds: list[int]) -> list[int]:
    """Where steps begin, none of too few posts; `bounds` are where they began, and the end."""
    kept, end = [0], bounds[-1]
    least = max(_LEAST_POSTS, _LEAST_SHARE * end)
    for bound in bounds[1:-1]:
        if bound - kept[-1] >= least and end - bound >= least:
            kept.append(bound)
    return kept
