"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from moderation.engine.engine import Engine

_Command = TypeVar("_Command", bound=Callable[..., Any])


def rules_option(command: _Command) -> _Command:
    """`--rules PATH`, or the variable MODERATION_RULES."""
    return click.option(
        "--rules",
        metavar="PATH",
        envvar="MODERATION_RULES",
        show_envvar=True,
        help="A folder of packs (with a policy.yaml or without) or one pack file.  [default: the bundled rules]",
    )(command)


def format_option(command: _Command) -> _Command:
    """`--format text|json`."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Output format.",
    )(command)


def load_engine(rules: str | None) -> Engine:
    """The engine of the rules that the user named. Raises RulesError."""
    from moderation.engine.engine import load

    return load(rules)
