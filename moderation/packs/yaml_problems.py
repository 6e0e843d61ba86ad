"""What YAML's parser objects to, in the words of somebody who writes rules."""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """What is wrong and how to mend it; `opens` where the beginning of the thing tells more than its end."""

    message: str
    hint: str
    opens: bool = False


_SPACES = "indent with spaces"
_KNOWN = (
    (
        "found unexpected end of stream",
        Problem("the quote that opens here is never closed", "close it; inside '…' a quote is written twice: ''", True),
    ),
    (
        "found unexpected document indicator",
        Problem("the quote that opens here is never closed", "close it; inside '…' a quote is written twice: ''", True),
    ),
    (
        "mapping values are not allowed",
        Problem(
            "a colon and a space stand where no key can be",
            "quote the text if the colon belongs to it, or indent the line like the key above",
        ),
    ),
    (
        "could not find expected ':'",
        Problem("this is neither `key: value` nor an item of a list", "add the colon, or quote the text", True),
    ),
    (
        "expected ',' or ']'",
        Problem("the `[` that opens here is not closed", "close it with `]`, and put commas between the items", True),
    ),
    (
        "expected ',' or '}'",
        Problem("the `{` that opens here is not closed", "close it with `}`, and put commas between the keys", True),
    ),
    (
        "found unknown escape character",
        Problem("double quotes know no such escape", "use single quotes: nothing is escaped there"),
    ),
    ("character escape", Problem("this escape is no character", "write the character itself")),
    ("did not find expected hexdecimal number", Problem("this escape lacks digits", "use single quotes for regexes")),
    (
        "did not find expected '-' indicator",
        Problem("this does not go on with the list above", "indent it like the `-` of the items, or further"),
    ),
    (
        "did not find expected key",
        Problem("this does not go on with the keys above", "indent keys of one mapping alike, and close quotes before"),
    ),
    (
        "but found",
        Problem("this does not go on with what stands above", "indent keys and items of one level alike"),
    ),
    (
        "found a tab character",
        Problem("a tab where spaces are expected", "indent with spaces"),
    ),
    ("anchor", Problem("`&` and `*` start anchors and aliases", "quote the text")),
    ("alias", Problem("`&` and `*` start anchors and aliases", "quote the text")),
    ("did not find expected <document start>", Problem("text stands outside of all keys", "put it under a key")),
    ("a block scalar", Problem("`|` and `>` start a text of several lines", "quote the text, or write it on one line")),
    ("while scanning a tag", Problem("`!` starts a tag", "quote the text")),
    ("while scanning a directive", Problem("`%` starts a directive", "quote the text")),
)
_START = "cannot start any token"


_REGEX = re.compile(r"""\b(?:regex|- ?):?\s+[\[{]""")
_FULL_WIDTH_KEY = re.compile(r"^\s*(?:- )?[\w.-]+：")


def explained(error: Any, character: str, line: str = "") -> Problem:
    """The problem that a marked error of the parser means; `character` is the one that it stands at, on `line`."""
    problem = _explained(error, character)
    if _FULL_WIDTH_KEY.match(line):
        return Problem("`：` is no colon to YAML", "write `: `, an ASCII colon and a space", problem.opens)
    if _REGEX.search(line) and "does not go on" in problem.message:
        return problem._replace(hint="put it in single quotes: what begins with `[` or `{` is a list or keys to YAML")
    return problem


def _explained(error: Any, character: str) -> Problem:
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if _START in said:
        if character == "\t":
            return Problem("a tab where spaces are expected", _SPACES)
        return Problem(f"a text cannot start with `{character}`", "quote the text")
    for words, problem in _KNOWN:
        if words in said:
            return problem
    return Problem(" ".join(said.split())[:200], "")
