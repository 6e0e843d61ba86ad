"""The command `moderation`: which commands there are, and what their errors look like.

Exit status: 0 ran through, 1 found what was asked for (`score --fail-on`, `check`), 2 a mistake that stands on standard
error in one line with its cure, 130 interrupted, 141 the reader of the output went away.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any

import click

from moderation.cli.attack import attack
from moderation.cli.bench import bench
from moderation.cli.bundle import bundle
from moderation.cli.check import check
from moderation.cli.coverage import coverage
from moderation.cli.evaluate import evaluate
from moderation.cli.explain import explain
from moderation.cli.languages import languages
from moderation.cli.new_pack import new_pack
from moderation.cli.sample import sample
from moderation.cli.schema import schema
from moderation.cli.score import score
from moderation.cli.serve import keys, serve
from moderation.cli.stream import stream
from moderation.cli.surge import surge
from moderation.cli.train import train
from moderation.cli.version import version
from moderation.errors import ModerationError, RulesError

INTERRUPTED = 130
READER_GONE = 141
UNWRITABLE = 2


class Commands(click.Group):
    """A group whose commands never show a traceback for a user's mistake."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RulesError as error:
            from moderation.cli.terminal import show_diagnostics

            show_diagnostics(error.diagnostics)
            ctx.exit(2)
        except ModerationError as error:
            _complain(str(error))
            ctx.exit(2)
        except KeyboardInterrupt as interrupt:
            _complain(f"interrupted: {str(interrupt) or 'no output file was changed'}")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            ctx.exit(READER_GONE)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="moderation", message="moderation %(version)s")
def cli() -> None:
    """Tag the posts of a mixed-language feed as allowed, flagged or blocked, by rules."""


for command in (
    score,
    check,
    explain,
    attack,
    languages,
    coverage,
    surge,
    new_pack,
    serve,
    keys,
    bundle,
    stream,
    bench,
    train,
    evaluate,
    sample,
    schema,
    version,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit."""
    _stand_in("stdout", 1, os.O_RDONLY)  # refuses what is written to it, as a closed stream should
    _stand_in("stderr", 2, os.O_WRONLY)
    for standard in (sys.stdout, sys.stderr):
        if isinstance(standard, io.TextIOWrapper):
            standard.reconfigure(errors="backslashreplace")
    try:
        status = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        status = READER_GONE
    except OSError as error:
        status = UNWRITABLE
        with suppress(OSError):
            _complain(_cause(error))
    except KeyboardInterrupt:
        status = INTERRUPTED
    _drop_unwritten()
    sys.exit(status)


def _stand_in(name: str, descriptor: int, flags: int) -> None:
    """Put a stream in the place of one that was closed at the start: no file that is opened later gets its number."""
    if getattr(sys, name) is None:
        opened = os.open(os.devnull, flags)
        os.dup2(opened, descriptor)
        setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False))


def _drop_unwritten() -> None:
    """What is still buffered has nowhere to go; without this, the interpreter complains on its way out."""
    for standard in (sys.stdout, sys.stderr):
        try:
            standard.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), standard.fileno())


def _run() -> int:
    try:
        cli(prog_name="moderation")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0


def _cause(error: OSError) -> str:
    from moderation.dumps.writers import unwritable

    return str(error) if error.filename else str(unwritable("standard output", error))


def _complain(message: str) -> None:
    from moderation.cli.marks import visible
    from moderation.cli.terminal import colours

    click.secho("error: ", fg="red", bold=True, nl=False, err=True, color=colours(sys.stderr))
    click.echo(visible(message), err=True)
