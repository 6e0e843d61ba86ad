"""Terminals: which stream may be coloured, and how diagnostics are shown on it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from moderation.errors import Diagnostic

if TYPE_CHECKING:
    from rich.table import Table

NARROWEST_PIPE = 100
NARROW = 80


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let `main` tell how it ends, as for everything else that is written."""
        raise BrokenPipeError


def console_on(stream: TextIO, width: int | None = None) -> Console:
    """A console on one stream: NO_COLOR, FORCE_COLOR and TERM=dumb are honoured, each stream looks at itself."""
    console = _Console(file=stream, highlight=False, soft_wrap=False, width=width, emoji=False, markup=False)
    if width is None and not stream.isatty():
        console.width = max(console.width, NARROWEST_PIPE)
    return console


def padding(console: Console) -> tuple[int, int]:
    """The space about the cells of a table: where there is little, figures are worth more."""
    return (0, 1) if console.width >= NARROW else (0, 0)


def report_table(width: int = NARROW) -> Table:
    """A table of figures, narrow enough for nine columns in a terminal of eighty, and narrower in a narrower one."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, int(width >= NARROW), 0, 0))


def colours(stream: TextIO) -> bool:
    """Whether colours may be written to the stream."""
    console = console_on(stream)
    return console.color_system is not None and not console.no_color


def show_diagnostics(diagnostics: Iterable[Diagnostic], stream: TextIO | None = None, files: int | None = None) -> None:
    """All diagnostics, with carets, on standard error or another stream; `files` were read."""
    from moderation.packs.render import render

    stream = stream or sys.stderr
    stream.write(render(tuple(diagnostics), colours(stream), files).rstrip("\n") + "\n")
