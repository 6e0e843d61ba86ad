"""`moderation score`: posts in, decisions out."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

from moderation.cli.options import load_engine, rules_option

if TYPE_CHECKING:
    from moderation.decision import Verdict
    from moderation.dumps.readers import Source
    from moderation.dumps.runner import Progress
    from moderation.dumps.summary import Summary

_WORSE: Mapping[str, tuple[Verdict, ...]] = {"flagged": ("flagged", "blocked"), "blocked": ("blocked",)}


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "-o", "--output", metavar="FILE", help="Where decisions go; it appears whole or not at all.  [default: stdout]"
)
@rules_option
@click.option(
    "--text-field",
    "text_fields",
    metavar="NAME",
    multiple=True,
    help="A key that holds text, in place of the policy's `fields`; repeatable.",
)
@click.option("--only", metavar="VERDICTS", help="Write only these, as in `flagged,blocked`; all are counted.")
@click.option("--fail-on", type=click.Choice(list(_WORSE)), help="Exit 1 where a decision is this or worse.")
@click.option("--rejects", metavar="FILE", help="Where records go that could not be read, with place and reason.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@click.pass_context
def score(
    ctx: click.Context,
    files: tuple[str, ...],
    output: str | None,
    rules: str | None,
    text_fields: tuple[str, ...],
    only: str | None,
    fail_on: str | None,
    rejects: str | None,
    quiet: bool,
) -> None:
    """Judge a dump: JSON lines in, a decision a line out, in the same order.

    FILE is a file of JSON lines, gzipped or not; `-` or no FILE is standard input. Each line is a post:

      {"id": 7, "text": "加我微信 abc12345", "author": {"age_days": 3}}

    A post without an id gets its line number. What cannot be read is named and counted, and nothing stops for it.
    """
    if not files and sys.stdin is not None and sys.stdin.isatty():
        click.echo(ctx.get_help())
        ctx.exit(2)
    from moderation.dumps.readers import find_sources
    from moderation.dumps.runner import score_dump
    from moderation.dumps.writers import open_sink, refuse_overlap

    if rejects == "-":
        raise click.BadParameter("decisions go to standard output: name a file", ctx, param_hint="--rejects")
    verdicts = _verdicts(only)
    sources = find_sources(files)
    refuse_overlap(sources, (output or "-", rejects))
    with _terminable(), ExitStack() as stack:
        engine = load_engine(rules)
        gc.collect()
        gc.freeze()  # the engine stays to the end: no need to walk it again for every few thousand records
        sink = stack.enter_context(open_sink(output))
        rejected = stack.enter_context(open_sink(rejects)) if rejects else None
        started = time.perf_counter()
        with _progress(sources, quiet or (output is None and sys.stdout.isatty())) as progress:
            summary = score_dump(
                engine, sources, sink, rejected, text_fields=text_fields, only=verdicts, progress=progress
            )
        seconds = time.perf_counter() - started
    _report(summary, seconds, rejects, quiet)
    if fail_on and any(summary.verdicts()[verdict] for verdict in _WORSE[fail_on]):
        ctx.exit(1)


def _verdicts(only: str | None) -> frozenset[Verdict]:
    from moderation.decision import VERDICTS

    if only is None:
        return frozenset(VERDICTS)
    named = {name.strip() for name in only.split(",")}
    if unknown := sorted(named - set(VERDICTS)):
        raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(VERDICTS)}", param_hint="'--only'")
    return frozenset(verdict for verdict in VERDICTS if verdict in named)


def _progress(sources: Sequence[Source], hidden: bool) -> AbstractContextManager[Progress | None]:
    if hidden or not sys.stderr.isatty():
        return nullcontext()
    from moderation.cli.progress import progress_bar

    return progress_bar(sources)


def _report(summary: Summary, seconds: float, rejects: str | None, quiet: bool) -> None:
    from moderation.cli.summary_table import show_rejects, show_summary
    from moderation.cli.terminal import console_on

    console = console_on(sys.stderr)
    if not quiet:
        show_summary(summary, seconds, console)
    show_rejects(summary, rejects, console)


@contextmanager
def _terminable() -> Iterator[None]:
    """While this lasts, being told to end (kill, a closed terminal) cleans up like an interrupt does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None)) if number is not None]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
