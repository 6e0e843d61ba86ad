"""The model card: what a model was trained on, what it is worth, and what it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from moderation.learning.metrics import Measures
from moderation.learning.recipe import plain_sources
from moderation.learning.train import FOLDS, PREVALENCE, Trained

LIMITS = (
    "A head knows the posts and the label definition that it was trained on. Elsewhere its order of posts holds better "
    "than its thresholds: set those on posts of your own feed.",
    "At a feed's share of harmful posts no linear model is precise enough to block by itself: use scores as a reason "
    "to flag, as a condition beside terms, and to order review.",
    "Counter-speech, quotes, reclaimed words, negation and irony read like what they answer: rules have to help.",
    "Posts in languages without a head have no score.",
)


def card_of(digest: str, trained: Sequence[Trained], measured: Mapping[str, Measures] | None = None) -> dict[str, Any]:
    """The card as it stands in JSON; `measured` are figures on test files by head and file."""
    return {
        "model": digest,
        "method": "hashed n-grams by script and sound, naive Bayes ratios, a linear model, calibrated out of fold",
        "measured": f"over {FOLDS} folds, calibrated on the others, thresholds as served; background posts apart",
        "heads": [_head(each) for each in trained],
        "tests": {name: _plain(found) for name, found in (measured or {}).items()},
        "limits": list(LIMITS),
    }


def _head(trained: Trained) -> dict[str, Any]:
    return {
        "category": trained.head.category,
        "language": trained.head.language,
        "definition": trained.head.definition,
        "data": plain_sources(trained.task),
        "posts": trained.used,
        "positives": trained.positives,
        "left_out": {
            "repeated": trained.repeated,
            "contradictory": trained.contradictory,
            "in_test": trained.shared,
        },
        "loss": trained.task.loss,
        "balanced": trained.task.balanced,
        "background_weight": trained.task.background_weight,
        "smoothing": trained.task.smoothing,
        "talk": list(trained.task.talk),
        "C": trained.strength,
        "auc_by_C": {f"{strength:g}": round(area, 5) for strength, area in trained.strengths.items()},
        "calibration": {
            "method": trained.calibration.method,
            "slope": round(trained.calibration.slope, 6),
            "offset": round(trained.calibration.offset, 6),
            "knots": len(trained.calibration.knots),
        },
        "calibration_error_raw": round(trained.raw_calibration_error, 4),
        "out_of_fold": _plain(trained.out_of_fold),
        "background_flagged": None if trained.background_flagged is None else round(trained.background_flagged, 4),
        "by_language": {name: _plain(found) for name, found in trained.by_language.items()},
        "feed": {
            "prevalence": PREVALENCE,
            "thresholds": {name: _rounded(asdict(point)) for name, point in trained.feed.items()},
        },
    }


def _plain(found: Measures) -> dict[str, Any]:
    plain: dict[str, Any] = _rounded(asdict(found))
    return plain


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def markdown_of(card: Mapping[str, Any]) -> str:
    """The card as people read it."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield from ("# Model card", "", f"`{card['model']}`", "", f"Method: {card['method']}.", "")
    yield from (f"Figures: {card['measured']}.", "")
    yield "| head | posts | positive | accuracy | macro-F1 | ROC-AUC | calibration error | background flagged |"
    yield "|---|---|---|---|---|---|---|---|"
    for head in card["heads"]:
        found = head["out_of_fold"]
        yield (
            f"| {head['category']}/{head['language']} | {head['posts']:,} | {head['positives']:,} "
            f"| {found['accuracy']:.3f} | {found['macro_f1']:.3f} | {_figure(found['roc_auc'])} "
            f"| {found['calibration_error']:.3f} | {_figure(head['background_flagged'])} |"
        )
    for head in card["heads"]:
        yield from _head_lines(head)
    if card["tests"]:
        yield from ("", "## Tests", "")
        for name, found in card["tests"].items():
            figures = f"accuracy {found['accuracy']:.3f}, macro-F1 {found['macro_f1']:.3f}"
            yield f"- {name}: {figures}, {found['posts']:,} posts"
    yield from ("", "## Limits", "", *(f"- {line}" for line in card["limits"]))


def _head_lines(head: Mapping[str, Any]) -> Iterator[str]:
    fitted = (
        f"{head['loss'].replace('_', ' ').capitalize()} loss, C = {head['C']:g}. {_calibration(head['calibration'])}"
    )
    yield from ("", f"## {head['category']}/{head['language']}", "", f"{head['definition']}. {fitted}.", "")
    if head["talk"]:
        said = "Posts with these words weigh so that they are positive less unusually often"
        yield from (f"{said}: {', '.join(head['talk'])}.", "")
    yield from ("| data | posts | positive labels | licence | SHA-256 |", "|---|---|---|---|---|")
    for source in head["data"]:
        labels = ", ".join(source["positive"]) or "none (background)"
        about = f"{source['file']}: {source['about']}" if source["about"] else source["file"]
        yield f"| {about} | {source['posts']:,} | {labels} | {source['licence']} | `{source['sha256'][7:19]}…` |"
    left = head["left_out"]
    yield from (
        "",
        f"Left out: {left['repeated']:,} repeated, {left['contradictory']:,} with both labels, "
        f"{left['in_test']:,} that stand in a test.",
        "",
    )
    yield from _thresholds("at the data's share of positives", head["out_of_fold"]["operating"])
    yield from _thresholds(f"at {head['feed']['prevalence']:.0%} positives", head["feed"]["thresholds"])
    if len(head["by_language"]) > 1:
        yield from ("", "| language | posts | accuracy | macro-F1 | ROC-AUC |", "|---|---|---|---|---|")
        for name, found in head["by_language"].items():
            area = _figure(found["roc_auc"])
            yield f"| {name} | {found['posts']:,} | {found['accuracy']:.3f} | {found['macro_f1']:.3f} | {area} |"


def _calibration(said: Mapping[str, Any]) -> str:
    if said["method"] == "isotonic":
        return f"Calibrated by isotonic regression, {said['knots']} knots"
    return "Calibrated by a line (Platt)"


def _thresholds(where: str, points: Mapping[str, Any]) -> Iterator[str]:
    if not points:
        yield from (f"No threshold reaches a precision of .8 {where}.", "")
        return
    yield from (f"| precision {where} | threshold | recall | 95 % interval |", "|---|---|---|---|")
    for name, point in points.items():
        low, high = point["recall_interval"]
        yield f"| {name} | {point['threshold']:.4f} | {point['recall']:.3f} | {low:.3f} to {high:.3f} |"
    yield ""


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
