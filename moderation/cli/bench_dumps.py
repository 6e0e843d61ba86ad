"""`moderation bench --dumps`: how fast this machine scores dumps, beside the floor and other ways."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from moderation.adapters.bench_dumps import DumpBench


def bench_dumps(rules: str | None, posts: int, seed: int, style: str) -> None:
    """Measure, and show. Raises RulesError where rules do not load."""
    from moderation.adapters.bench_dumps import bench_dumps as measure
    from moderation.cli.terminal import console_on

    found = measure(rules, posts, seed)
    if style == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found)))
        return
    console_on(sys.stdout).print(_table(found))


def _table(found: DumpBench) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("way")
    table.add_column("posts/s", justify="right")
    table.add_column("how")
    for way in found.ways:
        how = f"start-up of {way.start_seconds:.1f} s taken off; {way.peak_mib:,.0f} MiB at most"
        table.add_row(way.name, f"{way.rate:,.0f}", how)
    table.add_row("decide_many", f"{found.memory_rate:,.0f}", "in memory, one core")
    distance = found.floor_rate / found.ways[0].rate
    how = f"decode, one scan for {found.terms:,} terms, encode: {distance:.1f} times as fast as the first"
    table.add_row("the floor", f"{found.floor_rate:,.0f}", how)
    for peer in found.peers:
        rate = "not installed" if peer.rate is None else f"{peer.rate:,.0f}"
        how = "" if peer.rate is None else f"the first is {_times(found.ways[0].rate / peer.rate)} times as fast"
        table.add_row(peer.name, rate, how)
    return table


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"
