"""`moderation bench --service`: what a service on this machine can do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from moderation.errors import ModerationError

if TYPE_CHECKING:
    from rich.table import Table

    from moderation.service.bench import Batches, Load, ServiceBench


def bench_service(rules: str | None, posts: int, reloads: int, judges: int, seed: int, style: str) -> None:
    """Measure, and show. Raises ModerationError where a package is missing or rules do not load."""
    import msgspec

    from moderation.authoring import generate
    from moderation.cli.terminal import console_on

    try:
        from moderation.adapters.bench_stream import bench_stream
        from moderation.service import bench as measure
    except ImportError as error:
        raise ModerationError(f"the service needs {error.name}: pip install 'moderation[service,redis]'") from error
    found = measure.bench_service(rules, posts, reloads, seed, judges)
    stream = bench_stream(rules, list(generate.posts(posts, seed)), judges)
    if style == "json":
        told = msgspec.to_builtins(found) | {"stream": msgspec.to_builtins(stream)}
        click.echo(msgspec.json.format(msgspec.json.encode(told)))
        return
    console_on(sys.stdout).print(_table(found, stream))


def _table(found: ServiceBench, stream: Batches | None) -> Table:
    from rich import box
    from rich.table import Table

    from moderation.service.bench import BATCH, CALLERS, CONNECTIONS, SENDERS

    table = Table("measured", "figure", "how", box=box.SIMPLE_HEAD, pad_edge=False)
    _add_load(table, "hook", found.hook, f"adecide, {CALLERS:,} callers at once")
    _add_load(table, "HTTP", found.http, f"a post a request, {CONNECTIONS} connections")
    _add_batches(table, "", found.http_batches, f"{BATCH} posts a request, {SENDERS} connections")
    if stream is None:
        table.add_row("stream", "not measured", "there is no redis-server")
    else:
        _add_batches(table, "stream", stream, "one consumer of a Redis stream")
    reloads = found.reloads
    table.add_row("reloads", f"{reloads.reloads} and {reloads.refused} refused", f"while {reloads.posts:,} posts flow")
    table.add_row("", f"{reloads.unanswered} posts", f"not judged; {reloads.engines} engines judged the others")
    late = f"{reloads.loop_p99_ms:.1f} ms"
    table.add_row("", late, f"the event loop was late, p99; {reloads.loop_max_ms:.1f} ms at most")
    table.add_row("", f"{reloads.loop_work_p99_ms:.1f} ms", "of its own work between two looks, p99")
    return table


def _add_load(table: Table, name: str, load: Load, how: str) -> None:
    table.add_row(name, f"{load.rate:,.0f} posts/s", how)
    table.add_row("", f"{load.p50_ms:.1f} / {load.p99_ms:.1f} ms", "an answer then: median, 99th percentile")
    table.add_row("", f"{load.half_p50_ms:.1f} / {load.half_p99_ms:.1f} ms", "at half that rate")
    _add_work(table, load.cpu_us)


def _add_batches(table: Table, name: str, found: Batches, how: str) -> None:
    table.add_row(name, f"{found.rate:,.0f} posts/s", how)
    _add_work(table, found.cpu_us)


def _add_work(table: Table, cpu_us: dict[str, float]) -> None:
    if cpu_us:
        figures = " / ".join(f"{each:.0f}" if each >= 10 else f"{each:.1f}" for each in cpu_us.values())
        table.add_row("", f"{figures} µs", f"of work for a post: {', '.join(cpu_us)}")
