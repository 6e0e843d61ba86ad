"""Diagnostics as text: the place, the line with a caret under what is meant, and the cure.

error[M020]: unknown key `serverity`
  --> zh/spam.yaml:12:5
   |
12 |     serverity: 60
   |     ^^^^^^^^^
   = help: did you mean `severity`?
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rich.cells import cell_len

from moderation.errors import Diagnostic

_WIDTH = 110
_COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "caret": "\x1b[1;31m", "faint": "\x1b[34m", "end": "\x1b[0m"}


def render(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """All diagnostics, and a line that counts them. Carets stand by display width: a Chinese character is two cells."""
    found = list(diagnostics)
    blocks = [_block(item, color) for item in found]
    return "\n\n".join([*blocks, counts(found)]) + "\n"


def counts(found: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning in 2 files`."""
    items = list(found)
    errors = sum(item.severity == "error" for item in items)
    files = len({item.path for item in items})
    return f"{_number(errors, 'error')}, {_number(len(items) - errors, 'warning')} in {_number(files, 'file')}"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _block(item: Diagnostic, color: bool) -> str:
    paint = _COLORS if color else dict.fromkeys(_COLORS, "")
    gutter = " " * len(str(item.line))
    bar = f"{paint['faint']}|{paint['end']}"
    head = f"{paint[item.severity]}{item.severity}[{item.code}]{paint['end']}: {visible(item.message)}"
    lines = [head, f"{gutter}{paint['faint']}-->{paint['end']} {visible(item.path)}:{item.line}:{item.column}"]
    if item.source_line:
        before, marked, after = _clip(item)
        caret = " " * cell_len(before) + "^" * max(cell_len(marked), 1)
        lines += [
            f"{gutter} {bar}",
            f"{paint['faint']}{item.line} |{paint['end']} {before}{marked}{after}".rstrip(),
            f"{gutter} {bar} {paint['caret']}{caret}{paint['end']}",
        ]
    if item.hint:
        lines.append(f"{gutter} {paint['faint']}={paint['end']} help: {visible(item.hint)}")
    return "\n".join(lines)


def _clip(item: Diagnostic) -> tuple[str, str, str]:
    """The line around the caret: what stands before, what is marked, and what follows, cut to fit."""
    start = item.column - 1
    before = visible(item.source_line[:start])
    marked = visible(item.source_line[start : start + item.length])
    after = visible(item.source_line[start + item.length :])
    if cell_len(before) > _WIDTH // 2:
        before = "…" + _last_cells(before, _WIDTH // 2)
    room = _WIDTH - cell_len(before)
    if cell_len(marked) > room:
        return before, _first_cells(marked, room) + "…", ""
    room -= cell_len(marked)
    return before, marked, after if cell_len(after) <= room else _first_cells(after, room) + "…"


def _first_cells(text: str, cells: int) -> str:
    while cell_len(text) > cells:
        text = text[: -max(1, (cell_len(text) - cells) // 2)]
    return text


def _last_cells(text: str, cells: int) -> str:
    while cell_len(text) > cells:
        text = text[max(1, (cell_len(text) - cells) // 2) :]
    return text


def visible(text: str) -> str:
    """Text that cannot move the cursor or turn the line around: controls, invisibles and stray marks as escapes."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\t":
        return "    "
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me")
    return f"\\u{ord(character):04x}" if hidden else character
