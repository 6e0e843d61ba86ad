"""Text as a terminal shows it, with marks under parts of it that stay aligned.

Chinese is two cells wide and combining marks none; whatever has no shape of its own (controls, zero-width characters,
lone surrogates) is shown as its escape, so that it is seen and the marks still meet what they mean.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# They have no shape but other categories: variation selectors, the combining grapheme joiner, Hangul fillers …
_SELECTORS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10)}
_SELECTORS.update(range(0x180B, 0x1810), range(0xE0100, 0xE01F0))

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A piece of a text that fits a line: what is shown, and a line of marks (or nothing) for each set of ranges."""

    text: str
    marks: tuple[str, ...]


def visible(text: str) -> str:
    """The text with everything unseen as an escape."""
    return "".join(map(_shown, text))


def rows(text: str, marked: Sequence[Iterable[Range]], width: int) -> Iterator[Row]:
    """Break a text into rows of at most `width` cells, and mark ranges of code points under them with `^`."""
    shown = [_shown(letter) for letter in text]
    if shown and unicodedata.combining(text[0]):
        shown[0] = _escape(text[0])
    covered = [_cover(ranges, len(text)) for ranges in marked]
    for start, end in _breaks(shown, width):
        marks = (
            "".join(_mark(piece, on) for piece, on in zip(shown[start:end], row[start:end], strict=True))
            for row in covered
        )
        yield Row("".join(shown[start:end]), tuple(line.rstrip() for line in marks))


def _cover(ranges: Iterable[Range], length: int) -> list[bool]:
    covered = [False] * length
    for start, end in ranges:
        covered[start:end] = [True] * (min(end, length) - start)
    return covered


def _mark(shown: str, on: bool) -> str:
    return ("^" if on else " ") * cell_len(shown)


def _breaks(shown: Sequence[str], width: int) -> Iterator[Range]:
    """Where rows begin and end: a mark of no width stays with the letter before it."""
    start, filled = 0, 0
    for index, piece in enumerate(shown):
        cells = cell_len(piece)
        if filled and cells and filled + cells > width:
            yield start, index
            start, filled = index, 0
        filled += cells
    yield start, len(shown)


def _shown(letter: str) -> str:
    if letter in _NAMED:
        return _NAMED[letter]
    if ord(letter) in _SELECTORS or unicodedata.category(letter) in _UNSEEN:
        return _escape(letter)
    return letter


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
