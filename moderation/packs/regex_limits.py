"""What is asked of a regex before it is compiled, because compiling or trying it could take all memory.

The `regex` package writes out what must be there n times, so `(?:(?:a{1000}){1000}){1000}` fills any machine, and so
does `(?R)` while matching.
"""

from __future__ import annotations

import re

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
