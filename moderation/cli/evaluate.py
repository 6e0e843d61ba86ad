"""`moderation evaluate`: what a model, or rules and model together, are worth on labelled posts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from moderation.cli.options import format_option, load_engine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.table import Table

    from moderation.learning.evaluate import Evaluation
    from moderation.learning.labelled import Labelled
    from moderation.learning.metrics import Measures
    from moderation.packs.models import ModelFile


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--category", metavar="NAME", help="What the positive posts are.  [default: the model's, if it has one]")
@click.option(
    "--rules", metavar="PATH", help="Judge by these rules too, alone and together with MODEL; `-`: the bundled."
)
@click.option(
    "--reasons", multiple=True, metavar="CATEGORY", help="Of rules' reasons count only this category; repeatable."
)
@click.option("--threshold", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Positive above this.")
@click.option("--text", metavar="COLUMN", help="The column that holds the text.  [default: found by its name]")
@click.option("--label", metavar="COLUMN", help="The column that holds the label.  [default: found by its name]")
@click.option("--positive", multiple=True, metavar="LABEL", help="A label that is positive; repeatable.")
@click.option("--group", "groups", multiple=True, metavar="COLUMN", help="Figures by this column too; repeatable.")
@click.option("--html", metavar="FILE", help="Write a page with curves.")
@format_option
def evaluate(
    model: Path,
    files: tuple[Path, ...],
    category: str | None,
    rules: str | None,
    reasons: tuple[str, ...],
    threshold: float,
    text: str | None,
    label: str | None,
    positive: tuple[str, ...],
    groups: tuple[str, ...],
    html: str | None,
    style: str,
) -> None:
    """Measure MODEL on labelled posts: accuracy, F1, curves, calibration, by language and by group.

    With --rules, the same posts go through the whole engine, and rules, model, and both together are told apart.
    """
    from moderation.learning.evaluate import read_model, truth_of
    from moderation.learning.labelled import Mapped, read_labelled

    found = read_model(_content(model), str(model))
    chosen = _category(found, category)
    evaluations = {}
    for path in files:
        data = read_labelled(path, Mapped(text, label, groups))
        evaluations[path.name] = _evaluation(found, data, truth_of(data, positive), chosen, threshold, rules, reasons)
    if html is not None:
        from moderation.dumps.writers import open_sink
        from moderation.learning.report import page_of

        with open_sink(html) as sink:
            sink.write(page_of(evaluations).encode("utf-8", "replace"))
    if style == "json":
        import msgspec

        from moderation.learning.evaluate import plain_of

        plain = {name: plain_of(evaluation) for name, evaluation in evaluations.items()}
        click.echo(msgspec.json.format(msgspec.json.encode(plain)))
        return
    from moderation.cli.terminal import console_on

    console = console_on(sys.stdout)
    for name, evaluation in evaluations.items():
        console.print(_table(name, evaluation))
        for line in _thresholds(evaluation):
            console.print(line, highlight=False, soft_wrap=True)
        _mistakes(evaluation, console)


def _evaluation(
    model: ModelFile,
    data: Labelled,
    truth: NDArray[np.bool_],
    category: str,
    threshold: float,
    rules: str | None,
    reasons: tuple[str, ...],
) -> Evaluation:
    from moderation.learning.evaluate import category_scores, engine_verdicts
    from moderation.learning.evaluate import evaluate as measured
    from moderation.learning.languages import main_languages

    languages = main_languages(data.texts)
    scores = category_scores(model, category, data.texts, languages)
    judges = {}
    if rules is not None:
        engine = load_engine(None if rules == "-" else rules)
        judges = engine_verdicts(engine, data.texts, scores > threshold, reasons)
    return measured(data, truth, category, scores, threshold, judges, languages)


def _content(path: Path) -> bytes:
    from moderation.errors import DumpError

    try:
        return path.read_bytes()
    except OSError as error:
        raise DumpError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None


def _category(model: ModelFile, category: str | None) -> str:
    has = ", ".join(model.categories)
    if category is None and len(model.categories) > 1:
        raise click.UsageError(f"the model has several categories: say which with --category: {has}")
    if category is not None and category not in model.categories:
        raise click.BadParameter(f"the model has no head for {category!r}: it has {has}", param_hint="--category")
    return category or model.categories[0]


def _table(name: str, evaluation: Evaluation) -> Table:
    from rich import box
    from rich.table import Table

    title = f"{name}: {evaluation.category}"
    columns = ("posts", "positive", "accuracy", "macro-F1", "recall", "false pos.", "ROC-AUC", "cal. error")
    table = Table("", box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(f"model above {evaluation.whole.threshold:g}", *_figures(evaluation.whole))
    for judge, found in evaluation.judges.items():
        table.add_row(judge, *_figures(found, verdicts=True))
    for language, found in evaluation.by_language.items():
        table.add_row(f"  {language}", *_figures(found))
    for column, groups in evaluation.by_group.items():
        for group, found in groups.items():
            table.add_row(f"  {column} {group}", *_figures(found))
            for judge, by_group in evaluation.judges_by_group.get(column, {}).items():
                table.add_row(f"    {judge}", *_figures(by_group[group], verdicts=True))
    return table


def _thresholds(evaluation: Evaluation) -> Iterator[str]:
    for precision, point in evaluation.whole.operating.items():
        low, high = point.recall_interval
        recall = f"recall {point.recall:.3f} ({low:.3f} to {high:.3f})"
        yield f"precision {precision:<4}  above {point.threshold:.4f}  {recall}  {point.flagged:,} posts"


def _figures(found: Measures, verdicts: bool = False) -> tuple[str, ...]:
    area = "–" if found.roc_auc is None or verdicts else f"{found.roc_auc:.3f}"
    return (
        f"{found.posts:,}",
        f"{found.positives:,}",
        f"{found.accuracy:.3f}",
        f"{found.macro_f1:.3f}",
        f"{found.recall:.3f}",
        f"{found.false_positive_rate:.3f}",
        area,
        "–" if verdicts else f"{found.calibration_error:.3f}",
    )


def _mistakes(evaluation: Evaluation, console: object) -> None:
    from rich.console import Console
    from rich.text import Text

    from moderation.cli.marks import visible

    assert isinstance(console, Console)
    for heading, mistakes in (("wrongly flagged", evaluation.wrongly_flagged), ("missed", evaluation.missed)):
        for number, mistake in enumerate(mistakes[:5]):
            line = Text(f"{heading if number == 0 else '':16}", "bold") + Text(f"{mistake.score:.3f} ", "cyan")
            console.print(line + Text(visible(mistake.text[:70])), soft_wrap=True)
