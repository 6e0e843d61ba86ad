"""`moderation coverage`: which languages of a feed the rules serve, and what to write next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from moderation.authoring.figures import counted, percent
from moderation.cli.options import load_engine, rules_option
from moderation.cli.reports import posts_of, report_options, write_csv, write_json, write_page
from moderation.decision import VERDICTS

if TYPE_CHECKING:
    from rich.console import Console

    from moderation.authoring.coverage import Coverage
    from moderation.post import Post

_SHOWN = 12
_NEXT = 8


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@report_options
@rules_option
def coverage(files: tuple[str, ...], fields: tuple[str, ...], style: str, html: str | None, rules: str | None) -> None:
    """Judge a dump and show how far rules serve its languages, which categories lack one, and what to write next.

    FILE is a dump in any format that `score` reads; `-` or no FILE is standard input.
    """
    from moderation.authoring.coverage import CoverageReport
    from moderation.authoring.language_pages import coverage_page

    engine = load_engine(rules)
    report = CoverageReport(engine.rulebook)

    def take(posts: Sequence[Post]) -> None:
        report.add(posts, engine.decide_batch(posts))

    posts_of(files, engine.text_fields, take, fields, html)
    found = report.result()
    write_page(html, coverage_page(found))
    if style == "json":
        write_json(found)
    elif style == "csv":
        columns = ("language", "posts", "share", "served", "rules", "terms")
        rows = (
            (*(getattr(one, name) for name in columns), *one.verdicts.values(), " ".join(one.missing))
            for one in found.languages
        )
        write_csv((*columns, *VERDICTS, "missing"), rows)
    else:
        from moderation.cli.terminal import console_on

        _show(found, console_on(sys.stdout))


def _show(found: Coverage, console: Console) -> None:
    from rich.text import Text

    from moderation.cli.marks import visible
    from moderation.cli.terminal import NARROW, report_table

    table = report_table(console.width)
    table.add_column("language", no_wrap=True)
    sizes = ("rules", "terms") if console.width >= NARROW else ("rules",)
    for name in ("posts", "share", "served", *sizes, *VERDICTS):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.languages[:_SHOWN]:
        table.add_row(
            one.language,
            f"{one.posts:,}",
            percent(one.share),
            Text(f"{one.served:.0%}", "" if one.served == 1 else "bold red"),
            *(f"{getattr(one, name):,}" for name in sizes),
            *(percent(one.verdicts[verdict]) for verdict in VERDICTS),
        )
    if len(found.languages) > _SHOWN:
        table.caption = f"and {len(found.languages) - _SHOWN:,} more"
    console.print(table)
    console.print(_parity(found))
    if found.next:
        console.print(Text("Write next", "bold"))
    for line in found.next[:_NEXT]:
        for number, part in enumerate(line.split(". Begin with: ")):
            console.print(Text(f"  {'  ' * number}{part}"), soft_wrap=True)
    if len(found.next) > _NEXT:
        console.print(Text(f"  and {len(found.next) - _NEXT:,} more"))
    for one in found.languages[:_SHOWN]:
        if one.words:
            words = ", ".join(word for word, _ in one.words)
            console.print(Text(visible(f"Words that no rule reads, {one.language}: {words}")), soft_wrap=True)
    served = f", {found.served:.1%} in a language that rules serve" if found.posts else ""
    console.print(Text(counted(found.posts, "post") + served, "bold"))


def _parity(found: Coverage) -> object:
    from rich.text import Text

    from moderation.authoring.coverage import parity_columns
    from moderation.cli.terminal import report_table

    names = parity_columns(found)
    table = report_table()
    table.add_column("rules by category")
    for name in names:
        table.add_column(name, justify="right")
    for category, counts in found.parity.items():
        cells = (f"{counts[name]:,}" if name in counts else Text("none", "bold red") for name in names)
        table.add_row(category, *cells)
    return table
