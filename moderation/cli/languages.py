"""`moderation languages`: what a feed is written in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from moderation.authoring.figures import counted, percent
from moderation.cli.options import rules_option
from moderation.cli.reports import UNDATED, posts_of, report_options, write_csv, write_json, write_page

if TYPE_CHECKING:
    from rich.console import Console

    from moderation.authoring.census import Languages, LanguageShare

UNDETERMINED = "und"
_COLUMNS = ("language", "posts", "share", "in it", "letters", "sure")
_BETWEEN = 2
# Widths of examples.
_LEAST, _EXAMPLE = 12, 44
_SHOWN = 15
_MIXES = 8
_HOURS_OF = 5


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--by", type=click.Choice(["hour"]), help="Also count by the hour of `created_at` (UTC).")
@report_options
@rules_option
def languages(
    files: tuple[str, ...], by: str | None, fields: tuple[str, ...], style: str, html: str | None, rules: str | None
) -> None:
    """Show which languages a dump is written in, which are mixed in one post, and in which scripts.

    FILE is a dump in any format that `score` reads; `-` or no FILE is standard input. Of the rules only the policy's
    `languages`, `fields` and `cjk_english` are asked for.
    """
    from moderation.authoring.census import Census
    from moderation.authoring.language_pages import languages_page
    from moderation.cli.options import load_rulebook
    from moderation.language.detect import Detector

    policy = load_rulebook(rules).policy
    census = Census(Detector(policy.languages, policy.cjk_english), by_hour=by is not None)
    posts_of(files, policy.fields, census.add, fields, html)
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
    from rich.text import Text

    console.print(_table(found, console.width))
    for line in _lines(found):
        console.print(Text(line), soft_wrap=True)
    if found.hours:
        console.print(_hours(found))


def _table(found: Languages, width: int) -> object:
    from rich.cells import cell_len
    from rich.text import Text

    from moderation.cli.marks import visible
    from moderation.cli.terminal import report_table

    shown = found.languages[:_SHOWN]
    rows = [
        (
            one.language,
            f"{one.posts:,}",
            percent(one.share),
            f"{one.holding:,}",
            percent(one.letters),
            _sure(one),
        )
        for one in shown
    ]
    examples = [visible(one.examples[0] if one.examples else "") for one in shown]
    table = report_table()
    for name, *cells in zip(_COLUMNS, *rows, strict=True):
        # What is read first keeps its width where the terminal is narrow: examples give way.
        needed = max(map(cell_len, (name, *cells)))
        width -= needed + _BETWEEN
        table.add_column(name, justify="left" if name == _COLUMNS[0] else "right", width=needed)
    longest = max(map(cell_len, examples), default=0)
    left = min(max(width - 1, _LEAST), _EXAMPLE, max(longest, _LEAST))
    table.add_column("such as", overflow="ellipsis", no_wrap=True, width=left)
    for row, example in zip(rows, examples, strict=True):
        table.add_row(*row, Text(example))
    if len(found.languages) > _SHOWN:
        table.caption = f"and {len(found.languages) - _SHOWN:,} more"
    return table


def _lines(found: Languages) -> list[str]:
    scripts = ", ".join(f"{name} {percent(share)}" for name, share in list(found.scripts.items())[:_HOURS_OF])
    varieties = next((one.varieties for one in found.languages if one.language == "zh"), {})
    total = sum(varieties.values())
    mixes = ", ".join(f"{' + '.join(mix.languages)} {mix.posts:,}" for mix in found.mixes[:_MIXES])
    return [
        *([f"mixed in one post: {mixes}"] if mixes else []),
        *([f"scripts, by letters: {scripts}"] if scripts else []),
        *([f"Chinese: {', '.join(f'{name} {percent(n / total)}' for name, n in varieties.items())}"] if total else []),
        counted(found.posts, "post") + (f", {found.undated:,} {UNDATED}" if found.undated else ""),
    ]


def _sure(one: LanguageShare) -> str:
    return "" if one.language == UNDETERMINED else f"{one.confidence:.0%}"


def _hours(found: Languages) -> object:
    from collections import Counter

    from moderation.cli.terminal import report_table

    totals = Counter[str]()
    for hour in found.hours:
        totals.update(hour.languages)
    top = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_HOURS_OF]]
    table = report_table()
    table.add_column("hour (UTC)")
    for name in ("posts", *top):
        table.add_column(name, justify="right")
    for hour in found.hours:
        shares = (percent(hour.languages.get(name, 0) / hour.posts) for name in top)
        table.add_row(hour.hour[:16].replace("T", " "), f"{hour.posts:,}", *shares)
    return table
