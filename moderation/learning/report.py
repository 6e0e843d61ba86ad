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
_STYLE = """
:root{color-scheme:light dark;--line:#8888;--mark:#2b6cb0}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse}.wide{overflow-x:auto;margin:1rem 0}
td,th{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}svg{max-width:100%;margin:.5rem 1rem .5rem 0}
path{fill:none;stroke:var(--mark);stroke-width:2}.axis{stroke:var(--line);stroke-width:1}
text{font-size:11px;fill:currentColor}.post{text-align:left;overflow-wrap:anywhere}
"""


def page_of(evaluations: Mapping[str, Evaluation]) -> str:
    """The whole page."""
    body = "".join(_section(name, evaluation) for name, evaluation in evaluations.items())
    seen = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    head = f'<meta charset="utf-8">{seen}<title>Evaluation</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _section(name: str, evaluation: Evaluation) -> str:
    figures = _table(_rows(evaluation))
    curves = _precision_recall(evaluation) + _calibration(evaluation)
    mistakes = _mistakes("Wrongly flagged", evaluation.wrongly_flagged) + _mistakes("Missed", evaluation.missed)
    return f"<h1>{escape(name)}: {escape(evaluation.category)}</h1>{figures}{curves}{mistakes}"


def _rows(evaluation: Evaluation) -> Iterator[tuple[str, Measures]]:
    yield f"model above {evaluation.whole.threshold:g}", evaluation.whole
    yield from evaluation.judges.items()
    yield from evaluation.by_language.items()
    for column, groups in evaluation.by_group.items():
        for group, found in groups.items():
            yield f"{column}: {group}", found
            for judge, by_group in evaluation.judges_by_group.get(column, {}).items():
                yield f"{column}: {group}, {judge}", by_group[group]


def _table(rows: Iterable[tuple[str, Measures]]) -> str:
    names = ("", "posts", "positive", "accuracy", "macro-F1", "precision", "recall", "false positives", "ROC-AUC")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(f"<tr><td>{escape(name)}</td>{_cells(found)}</tr>" for name, found in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _cells(found: Measures) -> str:
    shares = (found.accuracy, found.macro_f1, found.precision, found.recall, found.false_positive_rate)
    area = "–" if found.roc_auc is None else f"{found.roc_auc:.3f}"
    cells = (f"{found.posts:,}", f"{found.positives:,}", *(f"{share:.3f}" for share in shares), area)
    return "".join(f"<td>{cell}</td>" for cell in cells)


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
    return _plot("mean score", "share that is positive", said, [float(evaluation.truth[part].mean()) for part in parts])


def _plot(across: str, up: str, x: Sequence[float], y: Sequence[float]) -> str:
    points = " L".join(f"{_MARGIN + a * _SIZE:.1f} {_SIZE + _TOP - b * _SIZE:.1f}" for a, b in zip(x, y, strict=True))
    left, bottom, right = _MARGIN, _SIZE + _TOP, _MARGIN + _SIZE
    axes = f'<path class="axis" d="M{left} {_TOP} L{left} {bottom} L{right} {bottom}"/>'
    marks = "".join(
        f'<text x="{left + share * _SIZE - 6}" y="{bottom + 14}">{share:g}</text>'
        f'<text x="{left - 24}" y="{bottom - share * _SIZE + 4}">{share:g}</text>'
        for share in (0.0, 0.5, 1.0)
    )
    titles = f'<text x="{left + 90}" y="{bottom + 28}">{across}</text><text x="{left - 24}" y="12">{up}</text>'
    size = f'width="{right + 20}" height="{bottom + 36}"'
    return f'<svg {size} role="img" aria-label="{up} over {across}">{axes}<path d="M{points}"/>{marks}{titles}</svg>'


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
