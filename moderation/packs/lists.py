"""Lists of terms: inline, or files with one term a line and # comments."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from moderation.errors import Diagnostic
from moderation.packs.codes import diagnostic
from moderation.packs.files import Files, OutsideError, reason
from moderation.packs.schema import PackFile
from moderation.packs.shape import bounded
from moderation.packs.source import MAX_BYTES, Document, Location, Place, decode
from moderation.text.folding import fold_all

_COMMENT = re.compile(r"(?:^|\s)#.*")
_PARTING = re.compile(r"(?<=.)[，、；](?=.)|(?<=.),(?=.+,.)")
_MARKS = "，、；,"
_QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", '"': '"', "'": "'"}


LONGEST_TERM: Final = 1000
"""Folded characters of a term: more is no term."""


class Lists(NamedTuple):
    """A pack's lists as terms, how these fold, the bytes of the list files read, and what is wrong with them."""

    terms: dict[str, tuple[str, ...]]
    folded: dict[str, str]
    reads: dict[str, bytes]
    found: list[Diagnostic]


def resolve_lists(file: PackFile, document: Document, files: Files) -> Lists:
    """The terms of all lists of a pack; a list that cannot be read is left out."""
    lists = Lists({}, {}, {}, [])
    for name, source in file.lists.items():
        if source.file is None:
            lists.terms[name] = source.terms or ()
            lists.folded.update(folds_of(lists.terms[name]))
            found = lint_inline(lists.terms[name], lists.folded, document, ("lists", name))
            lists.found.extend(bounded(found, document.path))
        else:
            _read_list(name, source.file, document, files, lists)
    return lists


def lint_inline(
    terms: Sequence[str], folded: Mapping[str, str], document: Document, location: Location
) -> Iterator[Diagnostic]:
    """The findings of `lint_once` over terms that stand in a pack itself."""

    def place(index: int) -> Place:
        return document.place((*location, index))

    yield from lint_once(terms, folded, document.path, document.lines, place)


def _read_list(name: str, written: str, document: Document, files: Files, lists: Lists) -> None:
    """Adds the terms of a list file, or what is wrong: at its mention, or at a place of its own."""
    place = document.place(("lists", name, "file"))
    path = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), written))
    try:
        if posixpath.isabs(written) or path == ".." or path.startswith("../"):
            raise OutsideError
        content = lists.reads[path] if path in lists.reads else files.read(path)
    except OutsideError:
        lists.found.append(document.report("M033", place, name=written))
        return
    except (OSError, ValueError) as error:
        lists.found.append(document.report("M032", place, name=written, problem=reason(error)))
        return
    lists.reads[path] = content
    terms, found = _terms_of(path, content, lists.folded)
    lists.found.extend(found)
    if not terms and not found:
        lists.found.append(document.report("M032", place, name=written, problem="it holds no term"))
    lists.terms[name] = terms


def _terms_of(path: str, content: bytes, folded: dict[str, str]) -> tuple[tuple[str, ...], list[Diagnostic]]:
    """The terms of a list file, and what is wrong with it, each at its own line; notes how they fold."""
    if len(content) > MAX_BYTES:
        return (), [diagnostic("M006", path, limit=f"{MAX_BYTES:,}")]
    text, broken = decode(path, content)
    if broken is not None:
        return (), [broken]
    lines = text.replace("\r\n", "\n").split("\n")
    found = [(number, term) for number, line in enumerate(lines) if (term := _COMMENT.sub("", line).strip())]
    terms = tuple(term for _, term in found)
    folded.update(folds_of(terms))

    def place(index: int) -> Place:
        number, term = found[index]
        return Place(number + 1, lines[number].index(term) + 1, len(term))

    return terms, bounded(lint_once(terms, folded, path, lines, place), path)


def folds_of(terms: Iterable[str]) -> dict[str, str]:
    """By term, how the folded text holds it. All at once, as to fold one takes longer than to fold a hundred."""
    distinct = list(dict.fromkeys(terms))
    pairs = zip(distinct, fold_all(distinct), strict=True) if distinct else ()
    return {term: term if folded == term else folded for term, folded in pairs}


def lint_once(
    terms: Sequence[str],
    folded: Mapping[str, str],
    path: str,
    lines: Sequence[str],
    place: Callable[[int], Place],
) -> Iterator[Diagnostic]:
    """Terms that fold to nothing, to too much or to the same as one before them, or are hardly meant as one term.

    `place` tells by its number where a term stands.
    """
    if _are_plain(terms, folded):
        return
    seen: dict[str, int] = {}
    for index, term in enumerate(terms):
        text = folded[term]
        first = seen.setdefault(text, index)
        odd = _oddity(term, text, None if first == index else (terms[first], place(first).line))
        if odd is not None:
            at = place(index)
            line = lines[at.line - 1] if at.line <= len(lines) else ""
            yield diagnostic(odd[0], path, at.line, at.column, at.length, line, **odd[1])


def _are_plain(terms: Sequence[str], folded: Mapping[str, str]) -> bool:
    """Whether there is nothing to say of any of them, as of most lists: a quick look that may err to the other side."""
    texts = {folded[term] for term in terms}
    written = "\n".join(terms)
    return (
        len(texts) == len(terms)
        and "" not in texts
        and max(map(len, texts), default=0) <= LONGEST_TERM
        and not any(mark in written for mark in (*_MARKS, *_QUOTES))
    )


def _oddity(term: str, folded: str, first: tuple[str, int] | None) -> tuple[str, dict[str, str]] | None:
    """What there is to say of a term; `first` is the one before it that folds alike, and its line."""
    if not folded:
        return "M034", {"term": ascii(term)[1:-1]}
    if len(folded) > LONGEST_TERM:
        return "M059", {"characters": f"{len(folded):,}", "limit": f"{LONGEST_TERM:,}"}
    if first is not None:
        return "M064", {"term": term, "other": first[0], "first": str(first[1])}
    if mark := _PARTING.search(term):
        return "M070", {"term": term, "mark": mark[0]}
    if term[0] in _QUOTES and term[-1] == _QUOTES[term[0]] and len(term) > 1:
        return "M071", {"term": term}
    return None
