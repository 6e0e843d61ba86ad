"""Regexes: they compile, need some text, stay fast, and look for what the view can hold."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import regex

from moderation.errors import Diagnostic
from moderation.packs.schema import Condition
from moderation.packs.source import Document, Location
from moderation.text.folding import fold

_parser: Any = import_module("re._parser")
_PROPERTY = re.compile(r"\\[pP]\{[^}]*\}|\\[hXRK]|\[\[:\^?\w+:\]\]")
_BOUNDARY = re.compile(r"(?<!\\)(?:\\\\)*(\\[bB])")
# The ends of a range ([Ѐ-ӿ]) name a block, not letters.
_LETTERS = re.compile(r"(?<!-)[^\x00-\x7f](?!-)")
_UNBOUNDED = 50
_MANY = _parser.MAXREPEAT


def lint_regex(condition: Condition, location: Location, document: Document) -> Iterator[Diagnostic]:
    """Every finding about one regex condition."""
    pattern = str(condition.regex)
    at = (*location, "regex")
    place = document.place(at)
    folded = condition.view != "original"
    try:
        compiled = regex.compile(pattern, regex.IGNORECASE if folded else 0)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        position = getattr(error, "pos", None)
        where = document.within(at, position, 1) if position is not None else place
        yield document.report("M045", where, problem=getattr(error, "msg", None) or str(error))
        return
    if _matches_nothing(compiled):
        yield document.report("M046", place)
    if _explodes(pattern):
        yield document.report("M047", place)
    for found in _BOUNDARY.finditer(pattern):
        yield document.report("M060", document.within(at, found.start(1), 2))
    if folded:
        yield from _unfolded(pattern, at, document)


def _matches_nothing(compiled: Any) -> bool:
    try:
        return compiled.match("", timeout=1) is not None
    except TimeoutError:
        return False


def _unfolded(pattern: str, at: Location, document: Document) -> Iterator[Diagnostic]:
    for found in _LETTERS.finditer(pattern):
        letter = found.group()
        folded = fold(letter)
        if folded != letter.casefold() and folded != letter:
            place = document.within(at, found.start(), 1)
            hint = f"write `{folded}`, or use `view: original`" if folded else "use `view: original`"
            shown = letter if letter.isprintable() else ascii(letter)[1:-1]
            yield document.report("M061", place, hint, found=shown, folded=folded)


def _explodes(pattern: str) -> bool:
    """Whether an unbounded repeat holds another over the same text, as (a+)+ or (a|b*)*: exponential to refute.

    Read by the standard library's parser; what only `regex` understands is simplified first, and a pattern that still
    cannot be read is left to the time limit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(_PROPERTY.sub(r"\\w", pattern))
    except (re.error, RecursionError, OverflowError, ValueError):
        return False
    return _nested(tree, False)


def _nested(items: Any, inside: bool) -> bool:
    for operator, argument in items:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            _, high, body = argument
            unbounded = high is _MANY or high > _UNBOUNDED
            if unbounded and inside:
                return True
            # (ab+c)+ is linear: something outside the inner repeat separates the rounds.
            if _nested(body, unbounded and not _separated(body)):
                return True
        elif any(_nested(part, inside) for part in _parts(name, argument)):
            return True
    return False


def _parts(name: str, argument: Any) -> list[Any]:
    if name == "SUBPATTERN":
        return [argument[-1]]
    if name == "BRANCH":
        return list(argument[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    return [argument] if name == "ATOMIC_GROUP" else []


def _separated(body: Any) -> bool:
    """Whether a repeated body has a fixed part beside its repeats."""
    items = list(body)
    while len(items) == 1 and str(items[0][0]) == "SUBPATTERN":
        items = list(items[0][1][-1])
    return len(items) > 1 and any(str(operator) in ("LITERAL", "NOT_LITERAL", "IN", "ANY") for operator, _ in items)
