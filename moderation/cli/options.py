"""Options that several commands share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from moderation.errors import Diagnostic, RulesError

if TYPE_CHECKING:
    from moderation.engine.engine import Engine
    from moderation.packs.load import RuleBook

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Finite(click.FloatRange):
    """A number within bounds; what is no number lies within none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return found


def rules_option(command: _Command) -> _Command:
    """`--rules PATH`, or the variable MODERATION_RULES."""
    return click.option(
        "--rules",
        metavar="PATH",
        envvar="MODERATION_RULES",
        show_envvar=True,
        help="A folder of packs (with a policy.yaml or without) or one pack file.  [default: the bundled rules]",
    )(command)


def field_option(command: _Command) -> _Command:
    """`--field NAME=PATH`, as many as needed."""
    return click.option(
        "--field",
        "fields",
        metavar="NAME=PATH",
        multiple=True,
        help="Where a text, `id`, `created_at` or `language` stands, as in `text=content.body`; texts replace the "
        "policy's `fields`; repeatable.",
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
    """The engine of the rules that the user named. Raises RulesError, its paths as seen from the working directory."""
    from moderation.engine.engine import load

    try:
        return load(rules)
    except RulesError as error:
        raise RulesError(seen_from_here(error.diagnostics, rules)) from None


def seen_from_here(diagnostics: Iterable[Diagnostic], rules: str | None) -> list[Diagnostic]:
    """Findings whose paths can be opened: below the folder that the user named, not relative to it."""
    if rules is None:
        return list(diagnostics)
    folder = rules if os.path.isdir(rules) else os.path.join(os.path.dirname(rules), os.pardir)
    return [_seen_from_here(item, folder, rules) for item in diagnostics]


def _seen_from_here(item: Diagnostic, folder: str, rules: str) -> Diagnostic:
    path = os.path.normpath(os.path.join(folder, item.path))
    if not os.path.isfile(path):
        return item
    return replace(item, path=rules if os.path.samefile(path, rules) else path)


def load_rulebook(rules: str | None) -> RuleBook:
    """The rules that the user named, read but not compiled. Raises RulesError like `load_engine`."""
    from moderation.packs.load import read_rules

    try:
        return read_rules(rules)
    except RulesError as error:
        raise RulesError(seen_from_here(error.diagnostics, rules)) from None
