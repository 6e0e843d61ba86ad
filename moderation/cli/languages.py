"""`moderation languages`: what a feed is written in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from moderation.cli.options import rules_option
from moderation.cli.reports import posts_of, report_options, write_csv, write_json, write_page

if TYPE_CHECKING:
    from rich.console import Console

    from moderation.authoring.census import Languages

_SHOWN = 15
_MIXES = 8
_HOURS_OF = 5
_EXAMPLE = (8, 44)
_FIGURES = 50
"""Columns of a terminal that all but the examples take: figures are worth more than they."""


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--by", type=click.Choice(["hour"]), help="Also count by the hour of `created_at` (UTC).")
@report_options
@rules_option
def languages(files: tuple[str, ...], by: str | None, style: str, html: str | None, rules: str | None) -> None:
    """Show which languages a dump is written in, which are mixed in one post, and in which scripts.

    FILE is a file of JSON lines, gzipped or not; `-` or no FILE is standard input. Of the rules only the policy's
    `languages`, `fields` and `cjk_english` are asked for.
    """
    from moderation.authoring.census import Census
    from moderation.authoring.language_pages import languages_page
    from moderation.cli.options import load_rulebook
    from moderation.language.detect import Detector

    policy = load_rulebook(rules).policy
    census = Census(Detector(policy.languages, policy.cjk_english), by_hour=by is not None)
    posts_of(files, policy.fields, census.add, html)
    found = census.result()
    write_page(html, languages_page(found))
    if style == "json":
        write_json(found)
    elif style == "csv":
        _write_csv(found, by is not None)
    else:
        from moderation.cli.terminal import console_on

        _show(found, console_on(sys.stdout))


def _write_csv(found: Languages, by_hour: bool) -> None:
    if by_hour:
        rows = [(hour.hour, name, count) for hour in found.hours for name, count in hour.languages.items()]
        write_csv(("hour", "language", "posts"), rows)
        return
    columns = ("language", "posts", "share", "holding", "letters", "confidence")
    write_csv(columns, [tuple(getattr(one, name) for name in columns) for one in found.languages])


def _show(found: Languages, console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.marks import visible
    from moderation.cli.terminal import padding

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=padding(console))
    table.add_column("language", no_wrap=True)
    for name in ("posts", "share", "in it", "letters", "sure"):
        table.add_column(name, justify="right", no_wrap=True)
    example = max(_EXAMPLE[0], min(_EXAMPLE[1], console.width - _FIGURES))
    table.add_column("such as", overflow="ellipsis", no_wrap=True, max_width=example)
    for one in found.languages[:_SHOWN]:
        table.add_row(
            one.language,
            f"{one.posts:,}",
            f"{one.share:.1%}",
            f"{one.holding:,}",
            f"{one.letters:.1%}",
            f"{one.confidence:.0%}",
            Text(visible(one.examples[0] if one.examples else "")),
        )
    if len(found.languages) > _SHOWN:
        table.caption = f"and {len(found.languages) - _SHOWN:,} more"
    console.print(table)
    for line in _lines(found):
        console.print(Text(line), soft_wrap=True)
    if found.hours:
        console.print(_hours(found))


def _lines(found: Languages) -> list[str]:
    scripts = ", ".join(f"{name} {share:.1%}" for name, share in list(found.scripts.items())[:_HOURS_OF])
    varieties = next((one.varieties for one in found.languages if one.language == "zh"), {})
    total = sum(varieties.values())
    mixes = ", ".join(f"{' + '.join(mix.languages)} {mix.posts:,}" for mix in found.mixes[:_MIXES])
    return [
        *([f"mixed in one post: {mixes}"] if mixes else []),
        *([f"scripts, by letters: {scripts}"] if scripts else []),
        *([f"Chinese: {', '.join(f'{name} {n / total:.0%}' for name, n in varieties.items())}"] if total else []),
        f"{found.posts:,} posts" + (f", {found.undated:,} of them without created_at" if found.undated else ""),
    ]


def _hours(found: Languages) -> object:
    from collections import Counter

    from rich import box
    from rich.table import Table

    totals = Counter[str]()
    for hour in found.hours:
        totals.update(hour.languages)
    top = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_HOURS_OF]]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("hour (UTC)")
    for name in ("posts", *top):
        table.add_column(name, justify="right")
    for hour in found.hours:
        shares = (f"{hour.languages.get(name, 0) / hour.posts:.1%}" for name in top)
        table.add_row(hour.hour[:16].replace("T", " "), f"{hour.posts:,}", *shares)
    return table
