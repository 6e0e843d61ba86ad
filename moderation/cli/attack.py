"""`moderation attack`: what terms are recognised as, and what gets past them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from moderation.cli.options import format_option, rules_option

if TYPE_CHECKING:
    from moderation.authoring.attack import Figures, Strength


@click.command()
@click.argument("term", required=False)
@click.option("--resist", metavar="TRICKS", help="The tricks that the term resists, by commas.  [default: all]")
@click.option("--count", type=click.IntRange(1, 100), default=3, show_default=True, help="Attacks a trick.")
@click.option(
    "--benign", type=click.Path(exists=True, dir_okay=False), help="JSON Lines of posts that nothing should hit."
)
@rules_option
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds give equal attacks.")
@format_option
def attack(
    term: str | None, resist: str | None, count: int, benign: str | None, rules: str | None, seed: int, style: str
) -> None:
    """Attack a term by every trick of evasion, and show what is seen and what gets past it.

    Without TERM, attack samples of all terms of the rules, and show how many attacks are seen by trick, what all tricks
    cost in speed, and how many of the posts in --benign they hit.
    """
    if term is None:
        _attack_rules(rules, benign, seed, style)
        return
    if benign is not None:
        raise click.UsageError("--benign is about all rules: leave off the term")
    from moderation.authoring.attack import strength

    found = strength(term, _tricks(resist), count, seed)
    if style == "json":
        _print_json(found)
    else:
        _show_strength(found)


def _print_json(found: Strength | Figures) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(found)))


def _tricks(resist: str | None) -> tuple[str, ...]:
    from moderation.evasion.tricks import NAMES
    from moderation.packs.shape import did_you_mean

    if resist is None:
        return NAMES
    names = tuple(name.strip() for name in resist.split(",") if name.strip())
    for name in names:
        if name not in NAMES:
            hint = did_you_mean(name, NAMES) or "there are " + ", ".join(NAMES)
            raise click.BadParameter(f"no trick {name!r}; {hint}", param_hint="--resist")
    return names


def _attack_rules(rules: str | None, benign: str | None, seed: int, style: str) -> None:
    from moderation.authoring.attack import figures
    from moderation.cli.options import load_engine

    posts = _posts(benign) if benign else []
    found = figures(load_engine(rules).rulebook, posts, seed)
    if style == "json":
        _print_json(found)
    else:
        _show_figures(found)


def _posts(path: str) -> list[dict[str, object]]:
    posts = []
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        for number, line in enumerate(file, 1):
            try:
                post = json.loads(line)
            except ValueError:
                post = None
            if not isinstance(post, dict):
                raise click.BadParameter(
                    f"{path}:{number}: expected a post as JSON, found {line.strip()[:40]!r}", param_hint="--benign"
                )
            posts.append(post)
    return posts


def _show_strength(found: Strength) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from moderation.cli.marks import visible
    from moderation.cli.terminal import console_on

    console = console_on(sys.stdout)
    if found.too_short:
        click.echo(
            f"{found.term} is too short for tricks: it is seen as it is written, and by what is always seen through"
        )
    for trick, texts in found.spellings.items():
        click.echo(f"{trick:<16} also looked for as {'  '.join(texts)}")
    table = Table("", "trick", "attack", "seen as", box=box.SIMPLE_HEAD, pad_edge=False)
    for attempt in found.attempts:
        span = attempt.span
        seen = "" if span is None else f"{visible(span.text)}  by {', '.join(span.via) or 'nothing'}"
        mark = Text("✗", "red") if span is None else Text("✓", "green")
        table.add_row(mark, attempt.trick, Text(visible(attempt.text)), Text(seen))
    console.print(table)
    hits = sum(attempt.span is not None for attempt in found.attempts)
    click.echo(f"{hits} of {len(found.attempts)} attacks seen")


def _show_figures(found: Figures) -> None:
    from rich import box
    from rich.table import Table

    from moderation.cli.terminal import console_on

    table = Table("trick", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("attacks", "seen", "at its place", "false hits"):
        table.add_column(column, justify="right")
    for row in found.tricks:
        seen, exact = (f"{part / row.attacks:.1%}" if row.attacks else "" for part in (row.seen, row.exact))
        false = "" if not row.false_hits else f"{row.false_hits / found.ordinary:.2%}"
        table.add_row(row.trick, f"{row.attacks:,}", seen, exact, false)
    console_on(sys.stdout).print(table)
    for post, rule, text, term, via in found.false_posts:
        click.echo(f"false hit: {post}  {rule}  {text} as {term} by {', '.join(via)}")
    if found.ordinary:
        share = len({hit[0] for hit in found.false_posts}) / found.ordinary
        click.echo(f"{share:.2%} of {found.ordinary:,} ordinary posts hit by any trick")
    forced = f"× {found.cost_forced:.2f} if `resist: []` did not count"
    click.echo(f"{found.terms:,} terms · a post costs × {found.cost:.2f} with all tricks on, {forced}")
