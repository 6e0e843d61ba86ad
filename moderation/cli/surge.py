"""`moderation surge`: when a language surged in a feed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from moderation.authoring.figures import counted
from moderation.cli.options import Finite, field_option, load_engine, rules_option
from moderation.cli.reports import UNDATED, posts_of

if TYPE_CHECKING:
    from moderation.authoring.surge import Surge, SurgeMonitor
    from moderation.post import Post


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--window", type=click.IntRange(10, 43200), default=120, show_default=True, help="Minutes that are looked at."
)
@click.option("--threshold", type=Finite(1), default=5.0, show_default=True, help="Standard errors above usual.")
@click.option("--least-share", type=Finite(0, 1), default=0.02, show_default=True, help="Share that matters.")
@field_option
@rules_option
def surge(
    files: tuple[str, ...],
    window: int,
    threshold: float,
    least_share: float,
    fields: tuple[str, ...],
    rules: str | None,
) -> None:
    """Tell when a language's share rose above what is usual at that time of day: an alarm a line, as JSON.

    FILE is a dump in any format that `score` reads, with `created_at`, in the order of time; `-` or no FILE is
    standard input, which may be a live stream. What was counted stands on standard error.
    """
    from moderation.authoring.surge import SurgeMonitor
    from moderation.post import attribute

    engine = load_engine(rules)
    monitor = SurgeMonitor(_tell, window=timedelta(minutes=window), threshold=threshold, least_share=least_share)

    def take(posts: Sequence[Post]) -> None:
        for post, decision in zip(posts, engine.decide_batch(posts), strict=True):
            monitor.add(decision, attribute(post.attributes, "created_at"))

    posts_of(files, engine.text_fields, take, fields)
    monitor.close()
    _summarise(monitor)


def _summarise(monitor: SurgeMonitor) -> None:
    """What was counted, and what was not, on standard error."""
    told = f"{counted(monitor.posts, 'post')}, {counted(monitor.alarms, 'alarm')}"
    few = "" if monitor.judged else f": no window had {monitor.least_posts:,} posts and as many before it"
    click.echo(told + few, err=True)
    left_out = [
        f"{count:,} {why}"
        for count, why in (
            (monitor.undated, UNDATED),
            (monitor.late, "came too late: sort the dump by `created_at`"),
            (monitor.early, "more than a day ahead of the others"),
        )
        if count
    ]
    if left_out:
        click.echo(f"posts left out: {'; '.join(left_out)}", err=True)


def _tell(alarm: Surge) -> None:
    click.echo(alarm.to_json())
    sys.stdout.flush()
