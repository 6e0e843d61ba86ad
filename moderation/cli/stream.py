"""`moderation stream`: judging a Redis stream."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from moderation.cli.options import rules_option
from moderation.errors import ModerationError

if TYPE_CHECKING:
    from moderation.service.moderator import Moderator
    from moderation.service.streams import Stream


@click.command()
@click.option("--url", default="redis://127.0.0.1:6379/0", show_default=True, help="The Redis server.")
@click.option("--from", "source", default="posts", show_default=True, help="The stream of posts, JSON in `post`.")
@click.option("--to", "output", default="decisions", show_default=True, help="The stream of decisions.")
@click.option("--group", default="moderation", show_default=True, help="The consumer group.")
@click.option("--batch", type=click.IntRange(1, 10_000), default=2000, show_default=True, help="Posts at a time.")
@click.option(
    "--idle", type=click.IntRange(1), default=30_000, show_default=True, help="Milliseconds till others' are ours."
)
@click.option(
    "--keep", type=click.IntRange(1), help="How many decisions stay; posts that all groups judged go.  [default: all]"
)
@click.option("--until-empty", is_flag=True, help="End when nothing is left.")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Answer Prometheus on this port of 127.0.0.1.")
@click.option("--judges", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that judge.")
@click.option("--watch", is_flag=True, help="Reload the rules when their files change.")
@rules_option
def stream(
    url: str,
    source: str,
    output: str,
    group: str,
    batch: int,
    idle: int,
    keep: int | None,
    until_empty: bool,
    metrics_port: int | None,
    judges: int,
    watch: bool,
    rules: str | None,
) -> None:
    """Judge the posts of a Redis stream as one of its consumers, until stopped (SIGTERM or Ctrl-C).

    A post is acknowledged with the write of its decision: none is lost, and one that is judged twice stands once in
    SOURCE:decisions. What cannot be judged goes to SOURCE:dead with the reason.
    """
    from moderation.adapters.redis_streams import RedisStreams
    from moderation.service.moderator import Moderator
    from moderation.service.streams import Stream

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    broker = RedisStreams(url, source, output, group, idle, keep or 0)
    try:
        with Moderator(rules, judges=judges, timeout=30, watch=watch) as moderator, ExitStack() as stack:
            running = Stream(moderator, broker, batch)
            if metrics_port is not None:
                stack.callback(_metrics(moderator, running, metrics_port))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: running.stop())
            running.run(until_empty=until_empty)
    finally:
        broker.close()
    click.echo(", ".join(f"{count:,} {what}" for what, count in running.counts.items()), err=True)


def _metrics(moderator: Moderator, running: Stream, port: int) -> Callable[[], None]:
    try:
        from moderation.service.metrics import Metrics
    except ImportError as error:
        raise ModerationError(f"metrics need {error.name}: pip install 'moderation[redis]'") from error
    metrics = Metrics(moderator)
    metrics.stream(running)
    return metrics.listen(port)
