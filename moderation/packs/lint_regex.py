"""Regexes: they compile, need some text, stay fast, and look for what the view can hold."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import regex

from moderation.errors import Diagnostic
from moderation.packs.regex_limits import DEEPEST, LARGEST, refused, size_of
from moderation.packs.regex_speed import explodes, parse
from moderation.packs.schema import Condition
from moderation.packs.source import Document, Location
from moderation.text.folding import fold_all

_BOUNDARY = re.compile(r"(?<!\\)(?:\\\\)*(\\[bB])")
# The ends of a range ([Ѐ-ӿ]) name a block, not letters.
_LETTERS = re.compile(r"(?<!-)[^\x00-\x7f](?!-)")


def lint_regex(condition: Condition, location: Location, document: Document) -> Iterator[Diagnostic]:
    """Every finding about one regex condition."""
    pattern = str(condition.regex)
    at = (*location, "regex")
    place = document.place(at)
    folded = condition.view != "original"
    size, depth = size_of(pattern)
    if size > LARGEST or depth > DEEPEST:
        yield document.report("M050", place, limit=f"{LARGEST:,}", depth=DEEPEST)
        return
    unsupported = refused(pattern)
    if unsupported is not None:
        offset, text = unsupported
        yield document.report("M051", document.within(at, offset, len(text)), construct=text)
        return
    try:
        compiled = _compiled(pattern, folded)
    except (regex.error, ValueError, KeyError, OverflowError, RecursionError) as error:
        position = getattr(error, "pos", None)
        where = document.within(at, position, 1) if position is not None else place
        yield document.report("M045", where, problem=getattr(error, "msg", None) or str(error))
        return
    if _matches_nothing(pattern, compiled):
        yield document.report("M046", place)
    if explodes(pattern, compiled):
        yield document.report("M047", place)
    for found in _BOUNDARY.finditer(pattern):
        yield document.report("M060", document.within(at, found.start(1), 2))
    if folded:
        yield from _unfolded(pattern, at, document)


def _compiled(pattern: str, folded: bool) -> Any:
    """A regex as it will be matched: `regex` keeps it until then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return regex.compile(pattern, regex.VERSION0 | (regex.IGNORECASE if folded else 0))


def _matches_nothing(pattern: str, compiled: Any) -> bool:
    """Whether it can match the empty text, which is no hit: `a*`, but `(?=a)` and `^` too."""
    tree = parse(pattern)
    if tree is not None:
        return bool(tree.getwidth()[0] == 0)
    try:
        return compiled.match("", timeout=1) is not None
    except TimeoutError:
        return False


def _unfolded(pattern: str, at: Location, document: Document) -> Iterator[Diagnostic]:
    letters = list(_LETTERS.finditer(pattern))
    for found, folded in zip(letters, fold_all([found[0] for found in letters]), strict=True):
        letter = found[0]
        if folded != letter.casefold() and folded != letter:
            place = document.within(at, found.start(), 1)
            folded = " " if letter.isspace() else folded
            hint = f"write `{folded}`, or use `view: original`" if folded else "use `view: original`"
            shown = letter if letter.isprintable() else ascii(letter)[1:-1]
            yield document.report("M061", place, hint, found=shown, folded=folded)
