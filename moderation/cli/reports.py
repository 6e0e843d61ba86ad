"""What the reports on a dump have in common: their options, reading, and where they go."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import click

from moderation.cli.options import field_option

if TYPE_CHECKING:
    from moderation.dumps.readers import Source
    from moderation.dumps.runner import Progress
    from moderation.post import Post

UNDATED = "without a time in `created_at`; `--field created_at=PATH` says where else it stands"
"""What is said of posts whose time nobody can read."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def report_options(command: _Command) -> _Command:
    """`--field NAME=PATH`, `--format text|json|csv` and `--html FILE`."""
    command = click.option("--html", metavar="FILE", help="Also write a page, whole in one file, with plots.")(command)
    command = field_option(command)
    return click.option(
        "--format",
        "style",
        type=click.Choice(["text", "json", "csv"]),
        default="text",
        show_default=True,
        help="Output format.",
    )(command)


def posts_of(
    files: Sequence[str],
    text_fields: Sequence[str],
    take: Callable[[Sequence[Post]], None],
    fields: Sequence[str] = (),
    html: str | None = None,
) -> None:
    """Read dumps, give their posts away block by block, and name what could not be read. `fields` are what `--field`
    says.
    """
    from moderation.cli.summary_table import show_rejects
    from moderation.cli.terminal import console_on
    from moderation.dumps.fields import FieldMap
    from moderation.dumps.posts import read_dump
    from moderation.dumps.readers import find_sources
    from moderation.dumps.summary import Summary
    from moderation.dumps.writers import refuse_overlap

    sources = find_sources(files)
    refuse_overlap(sources, (html,))
    summary = Summary()
    with _progress(sources) as progress:
        for posts, bad in read_dump(sources, FieldMap.of(fields, text_fields), progress):
            take(posts)
            summary.add_rejects(bad)
    show_rejects(summary, None, console_on(sys.stderr))


def _progress(sources: Sequence[Source]) -> AbstractContextManager[Progress | None]:
    if not sys.stderr.isatty():
        return nullcontext()
    from moderation.cli.progress import progress_bar

    return progress_bar(sources)


def write_page(name: str | None, text: str) -> None:
    """Write an HTML page, whole or not at all."""
    if name is None:
        return
    from moderation.dumps.writers import open_sink

    with open_sink(name) as sink:
        sink.write(text.encode())


def write_json(value: Any) -> None:
    """Print a result as JSON for people and programs."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)))


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as CSV. A text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    click.echo(out.getvalue(), nl=False)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
