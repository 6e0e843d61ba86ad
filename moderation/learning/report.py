"""An evaluation as one page of HTML: tables, and curves as SVG. Everything that comes from posts is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

import numpy as np

from moderation.learning.evaluate import Evaluation, Mistake
from moderation.learning.metrics import Measures

_SIZE = 260
_MARGIN = 36
_TOP = 26
_POINTS = 200
_COLUMNS = (
    *("", "posts", "positive", "accuracy", "macro-F1", "precision", "recall", "false positives", "ROC-AUC"),
    "calibration error",
)
_STYLE = """
:root{color-scheme:light dark;--line:#8888;--mark:#2b6cb0}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse}.wide{overflow-x:auto;margin:1rem 0}
td,th{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left;min-width:7rem}svg{max-width:100%;margin:.5rem 1rem .5rem 0}
path{fill:none;stroke:var(--mark);stroke-width:2}.axis{stroke:var(--line);stroke-width:1}circle{fill:var(--mark)}
text{font-size:11px;fill:currentColor}.post{text-align:left;overflow-wrap:anywhere}
"""


def page_of(evaluations: Mapping[str, Evaluation]) -> str:
    """The whole page."""
    body = "".join(_section(name, evaluation) for name, evaluation in evaluations.items())
    seen = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    head = f'<meta charset="utf-8">{seen}<title>Evaluation</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _section(name: str, evaluation: Evaluation) -> str:
    figures = _table(_rows(evaluation)) + _thresholds(evaluation)
    curves = _precision_recall(evaluation) + _calibration(evaluation)
    mistakes = _mistakes("Wrongly flagged", evaluation.wrongly_flagged) + _mistakes("Missed", evaluation.missed)
    return f"<h1>{escape(name)}: {escape(evaluation.category)}</h1>{figures}{curves}{mistakes}"


def _rows(evaluation: Evaluation) -> Iterator[tuple[str, Measures, bool]]:
    """Names, figures, and whether they are those of scores (rules say yes or no, which is no order)."""
    yield f"model above {evaluation.whole.threshold:g}", evaluation.whole, True
    yield from ((judge, found, False) for judge, found in evaluation.judges.items())
    yield from ((language, found, True) for language, found in evaluation.by_language.items())
    for column, groups in evaluation.by_group.items():
        for group, found in groups.items():
            yield f"{column}: {group}", found, True
            for judge, by_group in evaluation.judges_by_group.get(column, {}).items():
                yield f"{column}: {group}, {judge}", by_group[group], False


def _table(rows: Iterable[tuple[str, Measures, bool]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "".join(f"<tr><td>{escape(name)}</td>{_cells(found, scored)}</tr>" for name, found, scored in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _cells(found: Measures, scored: bool) -> str:
    shares = (found.accuracy, found.macro_f1, found.precision, found.recall, found.false_positive_rate)
    area = "–" if found.roc_auc is None or not scored else f"{found.roc_auc:.3f}"
    error = f"{found.calibration_error:.3f}" if scored else "–"
    cells = (f"{found.posts:,}", f"{found.positives:,}", *(f"{share:.3f}" for share in shares), area, error)
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _thresholds(evaluation: Evaluation) -> str:
    points = evaluation.whole.operating
    if not points:
        return "<p>No threshold reaches a precision of 0.8 here.</p>"
    rows = "".join(
        f"<tr><td>{precision}</td><td>{point.threshold:.4f}</td><td>{point.flagged:,}</td><td>{point.recall:.3f}</td>"
        f"<td>{point.recall_interval[0]:.3f} to {point.recall_interval[1]:.3f}</td></tr>"
        for precision, point in points.items()
    )
    head = "<tr><th>precision</th><th>above</th><th>posts</th><th>recall</th><th>95 % interval</th></tr>"
    return f'<div class="wide"><table>{head}{rows}</table></div>'


def _precision_recall(evaluation: Evaluation) -> str:
    order = np.argsort(-evaluation.scores, kind="stable")
    hits = np.cumsum(evaluation.truth[order])
    number = np.arange(1, len(hits) + 1)
    at = np.unique(np.linspace(0, len(hits) - 1, _POINTS).astype(np.int64))
    recall = hits[at] / max(int(evaluation.truth.sum()), 1)
    return _plot("recall", "precision", recall.tolist(), (hits[at] / number[at]).tolist())


def _calibration(evaluation: Evaluation) -> str:
    parts = [part for part in np.array_split(np.argsort(evaluation.scores, kind="stable"), 15) if part.size]
    said = [float(evaluation.scores[part].mean()) for part in parts]
    true = [float(evaluation.truth[part].mean()) for part in parts]
    return _plot("mean score", "share that is positive", said, true, ideal=True)


def _plot(across: str, up: str, x: Sequence[float], y: Sequence[float], ideal: bool = False) -> str:
    """A curve; with `ideal`, its points, and the line on which they should lie."""
    places = [(_MARGIN + a * _SIZE, _SIZE + _TOP - b * _SIZE) for a, b in zip(x, y, strict=True)]
    points = " L".join(f"{a:.1f} {b:.1f}" for a, b in places)
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in places) if ideal else ""
    left, bottom, right = _MARGIN, _SIZE + _TOP, _MARGIN + _SIZE
    axes = f'<path class="axis" d="M{left} {_TOP} L{left} {bottom} L{right} {bottom}"/>'
    axes += f'<path class="axis" d="M{left} {bottom} L{right} {_TOP}"/>' if ideal else ""
    marks = "".join(
        f'<text x="{left + share * _SIZE - 6}" y="{bottom + 14}">{share:g}</text>'
        f'<text x="{left - 24}" y="{bottom - share * _SIZE + 4}">{share:g}</text>'
        for share in (0.0, 0.5, 1.0)
    )
    titles = f'<text x="{left + 90}" y="{bottom + 28}">{across}</text><text x="{left - 24}" y="12">{up}</text>'
    size = f'width="{right + 20}" viewBox="0 0 {right + 20} {bottom + 36}"'
    curve = f'{axes}<path d="M{points}"/>{dots}{marks}{titles}'
    return f'<svg {size} role="img" aria-label="{up} over {across}">{curve}</svg>'


def _mistakes(title: str, mistakes: Sequence[Mistake]) -> str:
    if not mistakes:
        return ""
    rows = "".join(
        f"<tr><td>{mistake.score:.3f}</td><td>{escape(mistake.label)}</td>"
        f'<td class="post">{escape(mistake.text)}</td></tr>'
        for mistake in mistakes
    )
    head = '<tr><th>score</th><th>label</th><th class="post">post</th></tr>'
    return f'<h2>{title}</h2><div class="wide"><table>{head}{rows}</table></div>'
