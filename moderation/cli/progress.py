"""The progress bar of `moderation score`: bytes where the size is known, else how much was read."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from moderation.cli.terminal import console_on
from moderation.dumps.readers import Source
from moderation.dumps.runner import Progress as Callback

_EVERY = 0.1


@contextmanager
def progress_bar(sources: Sequence[Source]) -> Iterator[Callback]:
    """A bar on standard error while the sources are read; it is gone afterwards."""
    sizes = [source.size for source in sources]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    timing = [TaskProgressColumn(), TimeRemainingColumn()] if total is not None else []
    columns = [TextColumn("{task.description}"), BarColumn(), *timing, DownloadColumn()]
    with Progress(*columns, console=console_on(sys.stderr), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("scoring", total=total)
        yield _counter(bar, task)


def _counter(bar: Progress, task: object) -> Callback:
    """Tell the bar of all sources' bytes together, a few times a second: drawing costs more than a block of posts."""
    read: dict[int, int] = {}
    shown = time.monotonic()

    def count(source: Source, taken: int) -> None:
        nonlocal shown
        read[id(source)] = taken
        now = time.monotonic()
        if now - shown >= _EVERY:
            shown = now
            bar.update(task, completed=sum(read.values()), refresh=True)  # type: ignore[arg-type]

    return count
