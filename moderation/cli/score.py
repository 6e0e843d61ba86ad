"""`moderation score`: posts in, decisions out."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from moderation.cli.options import field_option, load_engine, rules_option
from moderation.dumps.formats import FORMATS, OUTPUT_FORMATS, Format, OutputFormat

if TYPE_CHECKING:
    from moderation.decision import Verdict
    from moderation.dumps.readers import Source
    from moderation.dumps.runner import Plan, Progress
    from moderation.dumps.summary import Summary
    from moderation.engine.engine import Engine

_MASTER = re.compile(r"(?:spark|k8s)://\S|local(?:\[|-|$)|yarn(?:-|$)")
_ON_SPARK = ("fields", "input_format", "quiet")
_WORSE: Mapping[str, tuple[Verdict, ...]] = {"flagged": ("flagged", "blocked"), "blocked": ("blocked",)}


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "-o", "--output", metavar="FILE", help="Where decisions go; it appears whole or not at all.  [default: stdout]"
)
@rules_option
@field_option
@click.option("--keep", metavar="PATHS", help="What of a post goes with its decision: `author.id,lang`, or `all`.")
@click.option("--only", metavar="VERDICTS", help="Write only these, as in `flagged,blocked`; all are counted.")
@click.option("--input-format", type=click.Choice(FORMATS), help="[default: told by content and name]")
@click.option("--output-format", type=click.Choice(OUTPUT_FORMATS), help="[default: told by its name, or jsonl]")
@click.option(
    "--jobs", type=click.IntRange(0, 1024), default=1, show_default=True, help="Processes; 0: as many as cores."
)
@click.option("--resume", is_flag=True, help="Keep finished parts beside the output, and go on from them.")
@click.option("--fail-on", type=click.Choice(list(_WORSE)), help="Exit 1 where a decision is this or worse.")
@click.option("--rejects", metavar="FILE", help="Where records go that could not be read, with place and reason.")
@click.option("--summary", "counts", metavar="FILE", help="Where the counts go, as JSON.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True, help="Where.")
@click.option("--master", metavar="URL", help="Spark's master: spark://host:7077.  [default: Spark's own settings]")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@click.pass_context
def score(
    ctx: click.Context, /, files: tuple[str, ...], output: str | None, rules: str | None, engine: str, **options: Any
) -> None:
    """Judge a dump: posts in, decisions out, in the same order.

    FILE is JSON lines, CSV, TSV, plain text, Parquet or Arrow, a folder of such files, or a glob; gzip and zstd are
    unzipped. `-` or no FILE is standard input. A line of JSON is a post:

      {"id": 7, "text": "加我微信 abc12345", "author": {"age_days": 3}}

    A post without an id gets its line number. What cannot be read is named and counted, and nothing stops for it.

    With `--engine spark`, FILEs are paths that Spark knows, the last one (or -o) a folder for what comes out.
    """
    master = options.pop("master")
    if engine == "spark":
        _score_on_spark(ctx, files, output, rules, master, options)
        return
    if master is not None:
        raise click.UsageError("--master goes with --engine spark", ctx)
    if not files and sys.stdin is not None and sys.stdin.isatty():
        click.echo(ctx.get_help())
        ctx.exit(2)
    from moderation.dumps.readers import find_sources
    from moderation.dumps.writers import refuse_overlap

    asked = _Asked(output=output, verdicts=_verdicts(options.pop("only")), **options)
    if asked.rejects == "-" or asked.counts == "-":
        name = "--rejects" if asked.rejects == "-" else "--summary"
        raise click.BadParameter("decisions go to standard output: name a file", ctx, param_hint=name)
    if asked.resume and not _outlives(output):
        raise click.UsageError("--resume needs an output that outlives the run: name it with -o", ctx)
    sources = find_sources(files)
    refuse_overlap(sources, (output or "-", asked.rejects, asked.counts))
    with _terminable():
        summary = _run(asked, sources, load_engine(rules))
    if asked.fail_on and any(summary.verdicts()[verdict] for verdict in _WORSE[asked.fail_on]):
        ctx.exit(1)


def _score_on_spark(
    ctx: click.Context, files: Sequence[str], output: str | None, rules: str | None, master: str | None,
    options: Mapping[str, Any],
) -> None:  # fmt: skip
    """The job, and its counts on standard error."""
    *inputs, target = (*files, output) if output else files or ("",)
    if not inputs:
        raise click.UsageError("--engine spark reads a path and writes another: moderation score IN OUT", ctx)
    given = [name for name in options if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if other := [name for name in given if name not in _ON_SPARK]:
        raise click.UsageError(f"--engine spark has no --{other[0].replace('_', '-')}", ctx)
    if master is not None and not _MASTER.match(master):
        raise click.UsageError(f"--master {master} is none: spark://HOST:7077, local[2], yarn or k8s://HOST:443", ctx)
    kind = options["input_format"]
    if kind not in (None, "jsonl", "parquet"):
        raise click.UsageError(f"--engine spark reads jsonl and parquet, not {kind}", ctx)
    from moderation.adapters.spark_job import run_job

    counts = run_job(inputs, target, master=master, rules=rules, fields=options["fields"], kind=kind)
    if not options["quiet"]:
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        click.echo(f"{sum(counts.values()):,} posts: {told}; in {target}", err=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the user asked for, besides inputs and rules."""

    output: str | None
    verdicts: frozenset[Verdict]
    fields: tuple[str, ...]
    keep: str | None
    input_format: Format | None
    output_format: OutputFormat | None
    jobs: int
    resume: bool
    fail_on: str | None
    rejects: str | None
    counts: str | None
    quiet: bool


def _run(asked: _Asked, sources: Sequence[Source], engine: Engine) -> Summary:
    """Score, write all that was asked for, and tell what it came to."""
    plan = _plan(asked, sources, engine)
    gc.collect()
    gc.freeze()  # the engine stays to the end: no need to walk it again for every few thousand records
    # Arrow's own pool keeps a tenth more memory than the system's, and is no faster here.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    started = time.perf_counter()
    with _progress(sources, asked.quiet or (asked.output is None and sys.stdout.isatty())) as progress:
        summary = _scored(asked, sources, engine, plan, progress)
    _report(summary, time.perf_counter() - started, asked.rejects, asked.quiet)
    return summary


def _plan(asked: _Asked, sources: Sequence[Source], engine: Engine) -> Plan:
    from moderation.dumps.fields import FieldMap, Keep
    from moderation.dumps.outputs import Output
    from moderation.dumps.runner import Plan

    fields = FieldMap.of(asked.fields, engine.text_fields)
    output = Output.of(asked.output, asked.output_format, Keep.of(asked.keep))
    return Plan(fields, output, asked.verdicts, asked.input_format, len(sources) > 1)


def _scored(asked: _Asked, sources: Sequence[Source], engine: Engine, plan: Plan, progress: Progress | None) -> Summary:
    import msgspec

    from moderation.dumps.jobs import cores
    from moderation.dumps.runner import score_dump
    from moderation.dumps.writers import open_sink

    jobs = asked.jobs or cores()
    with ExitStack() as stack:
        counts = stack.enter_context(open_sink(asked.counts)) if asked.counts else None
        if asked.resume:
            summary = _resumed(asked, sources, engine, plan, jobs, progress)
        else:
            sink = stack.enter_context(open_sink(asked.output))
            rejected = stack.enter_context(open_sink(asked.rejects)) if asked.rejects else None
            summary = score_dump(engine, sources, sink, rejected, plan=plan, jobs=jobs, progress=progress)
        if counts is not None:
            counts.write(msgspec.json.format(msgspec.json.encode(summary.told(engine.fingerprint))) + b"\n")
    return summary


def _resumed(
    asked: _Asked, sources: Sequence[Source], engine: Engine, plan: Plan, jobs: int, progress: Progress | None
) -> Summary:
    from moderation.dumps.resume import resume_dump

    assert asked.output is not None
    try:
        return resume_dump(
            engine, engine.fingerprint, sources, asked.output, asked.rejects, plan=plan, jobs=jobs, progress=progress
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"the same command goes on from {asked.output}.parts") from None


def _outlives(output: str | None) -> bool:
    """Whether an output is a file, and no pipe or device."""
    return output not in (None, "-") and (os.path.isfile(output) or not os.path.exists(output))


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
    show_rejects(summary, rejects, console, "--rejects")


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
