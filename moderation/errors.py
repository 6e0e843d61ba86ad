"""The exception tree.

ModerationError
├── RulesError     packs or policy do not load; carries every diagnostic of every file
├── PostError      one post cannot be read; carries a stable code
└── DumpError      an input or output file cannot be used
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One finding in a rule file: what is wrong, where, and how to mend it.

    `line` and `column` count from 1, in code points; `length` is how much of the line the caret underlines.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    length: int = 1
    hint: str = ""
    severity: Severity = "error"
    source_line: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"


class ModerationError(Exception):
    """Base of everything that this package raises for a user's mistake."""


class RulesError(ModerationError):
    """Packs or policy do not load: `diagnostics` holds all that is wrong, in the order of files and lines."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(diagnostics))
        super().__init__("\n".join(map(str, self.diagnostics)))


class PostError(ModerationError):
    """One post cannot be judged: `code` is stable, the message says what was seen and what is expected."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")

    def __reduce__(self) -> tuple[type[PostError], tuple[str, str]]:
        return type(self), (self.code, self.message)


class DumpError(ModerationError):
    """An input or output file cannot be used: the message names the file, the cause and the cure."""
