"""`moderation check`: are the rules sound, and do their examples behave?"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from moderation.cli.options import format_option, seen_from_here
from moderation.errors import Diagnostic

if TYPE_CHECKING:
    from moderation.authoring.check import PackCounts, Report


@click.command()
@click.argument("path", required=False, envvar="MODERATION_RULES", type=click.Path(exists=True))
@click.option("-v", "--verbose", is_flag=True, help="Also show each pack's counts, and what makes matching slow.")
@format_option
@click.pass_context
def check(ctx: click.Context, path: str | None, verbose: bool, style: str) -> None:
    """Check rules: all that is wrong in any file, with the cure, and every example of every rule.

    PATH is a folder of packs, with a policy.yaml or without, or one pack file; the bundled rules where there is none.
    Exits 1 where there are errors; warnings are no errors.
    """
    from moderation.authoring.check import check as check_rules

    report = check_rules(path)
    found = seen_from_here(report.diagnostics, path)
    if style == "json":
        click.echo(json.dumps(_plain(report, found), ensure_ascii=False, indent=2))
    else:
        _show(report, found, verbose)
    ctx.exit(0 if report.ok else 1)


def _plain(report: Report, found: list[Diagnostic]) -> dict[str, object]:
    return {**asdict(report), "ok": report.ok, "diagnostics": [asdict(item) for item in found]}


def _show(report: Report, found: list[Diagnostic], verbose: bool) -> None:
    from moderation.cli.terminal import show_diagnostics

    if found:
        show_diagnostics(found, sys.stdout, report.files)
    if report.packs:
        if verbose:
            _show_packs(report)
        click.echo(_summary(report.packs, found))


def _summary(packs: tuple[PackCounts, ...], found: list[Diagnostic]) -> str:
    """`24 packs, 186 rules, 2,031 terms, 88 regexes: all 1,498 examples behave`."""
    counts = [
        _number(len(packs), "pack"),
        _number(sum(pack.rules for pack in packs), "rule"),
        _number(sum(pack.terms for pack in packs), "term"),
        _number(sum(pack.regexes for pack in packs), "regex"),
    ]
    examples = sum(pack.examples for pack in packs)
    failing = sum(item.code == "M080" for item in found)
    behave = f"{failing:,} of {examples:,} examples fail" if failing else f"all {examples:,} examples behave"
    return f"{', '.join(counts)}: {behave}"


def _number(number: int, noun: str) -> str:
    many = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"


def _show_packs(report: Report) -> None:
    from rich import box
    from rich.table import Table

    from moderation.cli.terminal import console_on

    table = Table("pack", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("rules", "terms", "regexes", "examples"):
        table.add_column(column, justify="right")
    table.add_column("")
    for pack in report.packs:
        numbers = (pack.rules, pack.terms, pack.regexes, pack.examples)
        table.add_row(
            pack.pack, *(f"{number:,}" for number in numbers), "" if pack.live else "not live: see policy.yaml"
        )
    console_on(sys.stdout).print(table)
    for pattern in report.unfiltered:
        click.echo(f"slow: every post is searched for the regex {pattern}")
    spellings = f"{report.spellings:,} spellings of terms" if report.spellings else "terms as they are written"
    click.echo(f"readings searched: {', '.join(report.readings)}; {spellings}")
    click.echo(f"engine {report.fingerprint}\n")
