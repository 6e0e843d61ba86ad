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


def render(diagnostics: Iterable[Diagnostic], color: bool = False, files: int | None = None) -> str:
    """All diagnostics, and a line that counts them. Carets stand by display width: a Chinese character is two cells.

    `files`: how many files were read; those with findings are counted where it is not known.
    """
    found = list(diagnostics)
    blocks = [_block(item, color) for item in found]
    return "\n\n".join([*blocks, counts(found, files)]) + "\n"


def counts(found: Iterable[Diagnostic], files: int | None = None) -> str:
    """`2 errors, 1 warning, 12 files`."""
    items = list(found)
    errors = sum(item.severity == "error" for item in items)
    read = len({item.path for item in items}) if files is None else files
    return f"{_number(errors, 'error')}, {_number(len(items) - errors, 'warning')}, {_number(read, 'file')}"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _block(item: Diagnostic, color: bool) -> str:
    paint = _COLORS if color else dict.fromkeys(_COLORS, "")
    gutter = " " * len(str(item.line))
    bar = f"{paint['faint']}|{paint['end']}"
    head = f"{paint[item.severity]}{item.severity}[{item.code}]{paint['end']}: {visible(item.message)}"
    lines = [head, f"{gutter}{paint['faint']}-->{paint['end']} {visible(item.path)}:{item.line}:{item.column}"]
    if item.source_line.strip():
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
    end = start + item.length
    # A line may be as long as a file is: only what could be shown is looked at.
    before = visible(item.source_line[max(0, start - _WIDTH) : start])
    marked = visible(item.source_line[start : min(end, start + 2 * _WIDTH)])
    after = visible(item.source_line[end : end + 2 * _WIDTH])
    if start > _WIDTH or cell_len(before) > _WIDTH // 2:
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
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, text[max(0, index - 2) : index]) for index, character in enumerate(text))


def _shown(character: str, before: str) -> str:
    """One character, or its escape; marks stay with their letter, as in हिन्दी, unless they are heaped up."""
    if character == "\t":
        return "    "
    category = unicodedata.category(character)
    if category in ("Mn", "Me") and ord(character) not in _BLANKS:
        stands = before and unicodedata.category(before[-1])[0] in "LM" and not _heaped(before)
        return character if stands else _escape(character)
    hidden = category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or ord(character) in _BLANKS
    return _escape(character) if hidden else character


def _heaped(before: str) -> bool:
    return len(before) == 2 and all(unicodedata.category(character) in ("Mn", "Me") for character in before)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Letters, marks and signs that nobody sees: fillers, variation selectors, the grapheme joiner, the empty Braille cell.
_BLANKS = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
}
