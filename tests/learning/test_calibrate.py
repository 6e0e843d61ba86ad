"""Calibration: probabilities that hold, in the order that the decisions were in."""

from __future__ import annotations

import numpy as np
import pytest

from moderation.learning.calibrate import Calibration, calibration_of, isotonic
from moderation.learning.metrics import calibration_error
from moderation.packs.models import LIMIT, MAX_HEADS, Head, ModelError, dump_model, load_model
from moderation.signals.classifier import Classifier
from moderation.signals.features import VERSION
from moderation.text.batch import Batch
from moderation.text.views import folded_view


def bent(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Decisions of which no line in the logit tells how likely they are right."""
    draw = np.random.default_rng(seed)
    decided = draw.normal(0, 2, number)
    likely = np.where(decided < 0, 0.02, 0.02 + 0.9 * np.minimum(decided / 3, 1))
    return decided, draw.random(number) < likely


def test_a_curve_fits_where_no_line_does() -> None:
    line, curve = (calibration_of(*bent(20_000, 0), curved=curved) for curved in (False, True))
    decided, truth = bent(20_000, 1)
    assert (line.method, curve.method) == ("platt", "isotonic")
    assert calibration_error(truth, curve(decided)) < 0.01 < calibration_error(truth, line(decided)) / 2


def test_the_order_is_kept_everywhere() -> None:
    curve = calibration_of(*bent(8_000, 2), curved=True)
    assert (np.diff(curve.knots, axis=0) > 0).all() and len(curve.knots) < 100
    scores = curve(np.linspace(-6, 6, 5_000))
    assert (np.diff(scores) > 0).all() and 0 < scores[0] < scores[-1] < 1


@pytest.mark.parametrize("number", [1, 40, 120])
def test_few_posts_make_few_knots(number: int) -> None:
    logits, truth = np.linspace(-1, 1, number), np.arange(number) % 2 > 0
    found = isotonic(logits, truth)
    assert 1 <= len(found) <= 3 and np.isfinite(found).all()


@pytest.mark.parametrize(
    "knots",
    [
        [],
        [[-2.0, -0.4], [-0.5, 0.1], [1.0, 2.5], [3.0, 2.6]],
        [[-1.0, -3.5], [1.0, 2.5]],
        [[-3.0, -2.0], [4.0, 3.9], [14.5, 7.5]],  # a score far from certain at logits that are
        [[-25.0, -4.0], [-12.0, -3.0]],
    ],
)
def test_what_is_served_is_what_was_calibrated(knots: list[list[float]]) -> None:
    logits, own = np.linspace(-30, 30, 1_201), np.array(knots).reshape(-1, 2)
    slope, offset = 1.5, -0.3
    for part in np.array_split((logits - offset) / slope, -(-len(logits) // MAX_HEADS)):
        # Without weights a decision is the intercept.
        numbers = np.array([[1.0, decided, slope, offset] for decided in part])
        heads = [Head(f"h{at}", "en", "nothing", {}) for at in range(len(part))]
        weights = np.zeros((len(part), 1 << 8), np.int16)
        content, _ = dump_model(heads, weights, numbers, VERSION, [own] * len(part))
        view = folded_view(Batch.of(["see you"]))
        scores = Classifier(load_model(content)).scores(view.codes, view.starts)[0]
        assert np.abs(scores - Calibration(slope, offset, own)(part)).max() < 1e-4


def test_scores_of_posts_are_their_calibrated_decisions() -> None:
    weights = np.random.default_rng(0).integers(-LIMIT, LIMIT + 1, (2, 1 << 10)).astype(np.int16)
    knots = np.array([[-2.0, -0.4], [-0.5, 0.1], [1.0, 2.5], [3.0, 2.6]])
    numbers = np.array([[0.001, 0.2, 1.5, -0.3]] * 2)
    heads = [Head(name, "en", "random", {}) for name in ("a", "b")]
    content, _ = dump_model(heads, weights, numbers, VERSION, [np.zeros((0, 2)), knots])
    classifier = Classifier(load_model(content))
    view = folded_view(Batch.of([f"see you at {at} in the park, 今天 {at}" for at in range(300)]))
    decided, scores = (each(view.codes, view.starts) for each in (classifier.decisions, classifier.scores))
    for head, own in enumerate((np.zeros((0, 2)), knots)):
        assert np.abs(scores[:, head] - Calibration(1.5, -0.3, own)(decided[:, head])).max() < 1e-4


@pytest.mark.parametrize(
    ("knots", "says"),
    [
        ([[0.0, 1.0], [0.0, 2.0]], "ascend"),
        ([[0.0, 1.0], [1.0, 1.0]], "ascend"),
        ([[0.0, np.nan]], "ascend"),
        ([[0.0, np.inf]], "ascend"),
        ([[at, at] for at in range(1 << 16 | 1)], "knots × 3"),
    ],
)
def test_curves_that_break_the_order_are_refused(knots: list[list[float]], says: str) -> None:
    head, weights = Head("a", "en", "random", {}), np.zeros((1, 1 << 8), np.int16)
    content, _ = dump_model([head], weights, np.array([[1.0, 0, 1, 0]]), VERSION, [np.array(knots)])
    with pytest.raises(ModelError, match=says):
        load_model(content)
