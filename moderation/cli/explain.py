"""`moderation explain`: how one decision came about."""

from __future__ import annotations

import difflib
import json
import sys
from typing import TYPE_CHECKING

import click

from moderation.cli.options import format_option, load_engine, rules_option

if TYPE_CHECKING:
    from moderation.post import PostLike


@click.command()
@click.argument("text", required=False)
@click.option("--post", metavar="JSON", help="A whole post in place of TEXT; `-` reads it from standard input.")
@click.option(
    "--rule", "named", metavar="ID", multiple=True, help="Show this rule too if nothing concerns it; repeatable."
)
@rules_option
@format_option
def explain(text: str | None, post: str | None, named: tuple[str, ...], rules: str | None, style: str) -> None:
    """Show how a post is judged: languages, folded text, and the rules with what was true.

    TEXT is what the post says; `-` reads it from standard input. Every rule that the post concerns is shown, condition
    by condition: ✓ holds, ✗ doesn't, ? could not be known.
    """
    if (text is None) == (post is None):
        raise click.UsageError("give a TEXT or --post JSON, and not both: moderation explain '加我微信 abc12345'")
    from moderation.dumps.records import read_record, read_text

    asked: PostLike
    if post is not None:
        asked = read_record(_standard_input() if post == "-" else post.encode("utf-8", "surrogatepass"))
    else:
        asked = read_text(_standard_input()) if text == "-" else text or ""
    engine = load_engine(rules)
    for name in named:
        _known(name, engine.rules)
    explanation = engine.explain(asked, named)
    if style == "json":
        import msgspec

        plain = msgspec.to_builtins(explanation)
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace"))
        return
    from moderation.cli.explain_text import show_explanation
    from moderation.cli.terminal import console_on

    show_explanation(explanation, console_on(sys.stdout))


def _known(name: str, rules: tuple[str, ...]) -> None:
    if name not in rules:
        near = "".join(f": did you mean {found}?" for found in difflib.get_close_matches(name, rules, 1))
        raise click.BadParameter(f"there is no rule {name!r}{near}", param_hint="--rule")


def _standard_input() -> bytes:
    """All that it holds, without the newline that ends it."""
    if sys.stdin is None:
        raise click.UsageError("standard input is closed: give a TEXT, or pipe one in")
    content: bytes = sys.stdin.buffer.read()
    return content.removesuffix(b"\n").removesuffix(b"\r")
