"""`moderation train`: from labelled posts to a model."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from moderation.learning.train import Trained


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("-o", "--output", metavar="MODEL", required=True, help="The model, as models/feed.npz; cards beside it.")
@click.option(
    "--recipe", type=click.Path(path_type=Path), metavar="TOML", help="Heads and their data, in place of FILE."
)
@click.option(
    "--data",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where a recipe's files are; repeatable.",
)
@click.option("--text", metavar="COLUMN", help="The column that holds the text.  [default: found by its name]")
@click.option("--label", metavar="COLUMN", help="The column that holds the label.  [default: found by its name]")
@click.option("--positive", multiple=True, metavar="LABEL", help="A label that is positive; repeatable.")
@click.option("--category", metavar="NAME", help="What the head finds.  [default: its label, or the file's name]")
@click.option("--language", metavar="CODE", help="Whose posts these are.  [default: detected]")
@click.option(
    "--background", multiple=True, type=click.Path(path_type=Path), help="Posts with nothing wrong; repeatable."
)
@click.option("--balanced", is_flag=True, help="Weigh both classes alike.")
@click.option(
    "--test",
    "tests",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Measure on this file too, and keep its posts out of training; repeatable.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def train(
    files: tuple[Path, ...],
    output: str,
    recipe: Path | None,
    folders: tuple[Path, ...],
    text: str | None,
    label: str | None,
    positive: tuple[str, ...],
    category: str | None,
    language: str | None,
    background: tuple[Path, ...],
    balanced: bool,
    tests: tuple[Path, ...],
    quiet: bool,
) -> None:
    """Train the classifier on labelled posts: each FILE (CSV, JSON lines, Parquet) its own head.

    Strength is chosen by cross-validation and scores are calibrated on posts that were held out. Beside MODEL stand its
    cards, MODEL.json and MODEL.md: data, licences, figures, thresholds.
    """
    if bool(files) == (recipe is not None):
        raise click.UsageError("give files or --recipe, and not both: moderation train labelled.csv -o models/mine.npz")
    _check(output, category)
    from moderation.dumps.writers import open_sink
    from moderation.learning.card import card_of, markdown_of
    from moderation.learning.evaluate import measure_tests
    from moderation.learning.labelled import Mapped, read_labelled
    from moderation.learning.recipe import read_recipe, tasks_of
    from moderation.learning.train import train_model

    mapped = Mapped(text, label)
    if recipe is not None:
        tasks = read_recipe(recipe, folders or (Path(),))
    else:
        tasks = tasks_of(files, mapped, category, language, positive, background, balanced)
    held = [read_labelled(path, mapped) for path in tests]
    content, digest, trained = train_model(
        tasks, [said for data in held for said in data.texts], (lambda _: None) if quiet else _tell
    )
    card = card_of(digest, trained, measure_tests(content, held, positive))
    stem = output.removesuffix(".npz")
    plain = json.dumps(card, ensure_ascii=False, indent=2).encode() + b"\n"
    for name, said in ((output, content), (f"{stem}.json", plain), (f"{stem}.md", markdown_of(card).encode())):
        with open_sink(name) as sink:
            sink.write(said)
    if not quiet:
        _summary(trained, output, len(content))


def _check(output: str, category: str | None) -> None:
    """Tell what could not be written, or named in a rule, before anything is trained."""
    from moderation.errors import DumpError

    if category is not None and not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", category):
        said = f"{category!r} is no name: small letters and digits, with hyphens between them, as personal-data"
        raise click.BadParameter(said, param_hint="--category")
    if os.path.isdir(output):
        raise DumpError(f"cannot write {output}: it is a folder: name a file in it, as {os.path.join(output, 'm.npz')}")
    folder = os.path.dirname(output) or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise DumpError(f"cannot make {folder}: {(error.strerror or str(error)).lower()}") from None
    if not os.access(folder, os.W_OK):
        raise DumpError(f"cannot write in {folder}: permission denied")


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _summary(trained: list[Trained], output: str, size: int) -> None:
    from rich import box
    from rich.table import Table

    from moderation.cli.terminal import console_on

    table = Table(
        "head", "posts", "positive", "C", "accuracy", "macro-F1", "ROC-AUC", "cal. error", box=box.SIMPLE_HEAD
    )
    for each in trained:
        found = each.out_of_fold
        area = "–" if found.roc_auc is None else f"{found.roc_auc:.3f}"
        figures = (f"{found.accuracy:.3f}", f"{found.macro_f1:.3f}", area, f"{found.calibration_error:.3f}")
        table.add_row(each.head.name, f"{each.used:,}", f"{each.positives:,}", f"{each.strength:g}", *figures)
    console = console_on(sys.stderr)
    console.print(table)
    console.print(
        f"{output}: {size / 1e6:.2f} MB, {len(trained)} {'head' if len(trained) == 1 else 'heads'}", soft_wrap=True
    )
