"""What is asked of a regex before it is compiled, because compiling or trying it could take all memory.

The `regex` package writes out what must be there n times, so `(?:(?:a{1000}){1000}){1000}` fills any machine, and so
does `(?R)` while matching.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST = 20_000
"""Characters that a regex may demand; one costs up to a kilobyte when compiled."""

DEEPEST = 100
"""Groups inside groups: compiling recurses."""

_TOKEN = re.compile(
    r"""
    \\. | \[ \^? \]? (?: \[:\^?\w+:\] | \\. | [^\]\\] )* \]?
  | (?P<none> \(\?\#[^)]*\) | \{,\d*\} | [*+?] ) | \{(?P<low>\d+)(?:,\d*)?\}
  | (?P<open> \( (?: \?(?: <?[=!] | P?<\w+> | [a-zA-Z]*[:>|] ) )? ) | (?P<close>\)) | .
    """,
    re.VERBOSE | re.DOTALL,
)


def size_of(pattern: str) -> tuple[int, int]:
    """(size, depth): the single characters and classes that are left when counted repeats are written out, at most
    LARGEST + 1, and how deep groups are nested."""
    groups, last, deepest = [0], 0, 0
    for token in _TOKEN.finditer(pattern):
        if token["open"]:
            groups.append(0)
            last, deepest = 0, max(deepest, len(groups) - 1)
        elif token["close"] and len(groups) > 1:
            last = groups.pop()
            groups[-1] = min(groups[-1] + last, LARGEST + 1)
        elif token["low"]:
            more = last * (max(_times(token["low"]), 1) - 1)
            last = min(last + more, LARGEST + 1)
            groups[-1] = min(groups[-1] + more, LARGEST + 1)
        elif not token["close"] and not token["none"]:
            last = 1
            groups[-1] += 1
    return min(sum(groups), LARGEST + 1), deepest


_DIGIT = re.compile(r"\\d|[0-9]|\[(?:[0-9]|[0-9]-[0-9])+\]")


@dataclass(slots=True)
class _Group:
    """What is counted within a group: `branch` the digits of the alternative being read, `least` of those before it."""

    silent: bool = False
    branch: int = 0
    least: int | None = None

    def digits(self) -> int:
        if self.silent:
            return 0
        return self.branch if self.least is None else min(self.branch, self.least)


def digits_of(pattern: str) -> int:
    """At least how many digits every match of a regex holds: what it looks around at is no part of a match."""
    groups, last, repeated = [_Group()], 0, False
    for token in _TOKEN.finditer(pattern):
        text, repeats = token[0], bool(token["low"]) or token[0][0] in "*+?{"
        if token["open"]:
            groups.append(_Group(silent=text in _AROUND))
        elif token["close"] and len(groups) > 1:
            last = groups.pop().digits()
            groups[-1].branch += last
        elif token["low"] and not repeated:
            groups[-1].branch += last * (_times(token["low"]) - 1)
        elif (text in ("?", "*") or text.startswith("{,")) and not repeated:
            groups[-1].branch -= last
        elif text == "|":
            groups[-1] = _Group(groups[-1].silent, 0, groups[-1].digits())
        elif not repeats:
            last = int(_DIGIT.fullmatch(text) is not None)
            groups[-1].branch += last
        repeated = repeats and not repeated
    return groups[0].digits()


_AROUND = ("(?=", "(?!", "(?<=", "(?<!")
_CALL = r"\(\?(?:R|[-+]?\d+|&\w+|P>\w+)\)"
_FLAGS = r"\(\?[a-zA-Z01]*?(?:V1|r|L)[a-zA-Z01]*[:)]"
_REFUSED = re.compile(rf"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(?P<refused>{_CALL}|{_FLAGS})", re.DOTALL)


def refused(pattern: str) -> tuple[int, str] | None:
    """(offset, text) of the first construct that packs may not use: a pattern calling itself, and flags that change how
    it is read (`V1`, `r`, `L`)."""
    found = next((found for found in _REFUSED.finditer(pattern) if found["refused"]), None)
    return None if found is None else (found.start(), found[0])


def _times(digits: str) -> int:
    return int(digits) if len(digits) < 9 else LARGEST + 1
