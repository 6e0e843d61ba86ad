"""`moderation new-pack`: a pack in another language to fill in."""

from __future__ import annotations

import click

from moderation.cli.options import rules_option


@click.command("new-pack")
@click.argument("language")
@click.option("--from", "source", metavar="PACK", default="zh/spam", show_default=True, help="The pack to start from.")
@click.option("-o", "--output", metavar="FILE", help="Where the pack goes.  [default: stdout]")
@rules_option
def new_pack(language: str, source: str, output: str | None, rules: str | None) -> None:
    """Scaffold a pack in LANGUAGE from another: same rules, with the terms left to write beside those of the source."""
    from moderation.authoring.scaffold import scaffold
    from moderation.cli.options import load_rulebook
    from moderation.dumps.writers import open_sink

    text = scaffold(load_rulebook(rules), language, source)
    with open_sink(output) as sink:
        sink.write(text.encode())
