"""Lists of terms: inline, or files with one term a line and # comments."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from moderation.errors import Diagnostic
from moderation.packs.codes import diagnostic
from moderation.packs.files import Files, OutsideError, reason
from moderation.packs.schema import PackFile
from moderation.packs.shape import bounded
from moderation.packs.source import MAX_BYTES, Document, Location, decode
from moderation.text.folding import fold_all

_COMMENT = re.compile(r"(?:^|\s)#.*")
_PARTING = re.compile(r"(?<=.)[，、；](?=.)|(?<=.),(?=.+,.)")
_QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", '"': '"', "'": "'"}


LONGEST_TERM: Final = 1000
"""Folded characters of a term; Hyperscan refuses expressions of more than 16,000 bytes."""


class Lists(NamedTuple):
    """A pack's lists as terms, the bytes of the list files read, and what is wrong with them."""

    terms: dict[str, tuple[str, ...]]
    reads: dict[str, bytes]
    found: list[Diagnostic]


class Term(NamedTuple):
    """A term and where it stands: line and column from 1, and how many characters of the line it takes."""

    line: int
    column: int
    length: int
    text: str


def resolve_lists(file: PackFile, document: Document, files: Files) -> Lists:
    """The terms of all lists of a pack; a list that cannot be read is left out."""
    lists = Lists({}, {}, [])
    for name, source in file.lists.items():
        if source.file is None:
            lists.terms[name] = source.terms or ()
            terms = inline_terms(document, ("lists", name), lists.terms[name])
            lists.found.extend(bounded(lint_once(document.path, terms, document.lines), document.path))
        else:
            _read_list(name, source.file, document, files, lists)
    return lists


def inline_terms(document: Document, location: Location, terms: Iterable[str]) -> list[Term]:
    """The terms that stand in a pack itself, with their places."""
    places = ((document.place((*location, index)), term) for index, term in enumerate(terms))
    return [Term(place.line, place.column, place.length, term) for place, term in places]


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
    terms, found = _terms_of(path, content)
    lists.found.extend(found)
    if not terms and not found:
        lists.found.append(document.report("M032", place, name=written, problem="it holds no term"))
    lists.terms[name] = tuple(term.text for term in terms)


def _terms_of(path: str, content: bytes) -> tuple[list[Term], list[Diagnostic]]:
    """The terms of a list file, and what is wrong with it, each at its own line."""
    if len(content) > MAX_BYTES:
        return [], [diagnostic("M006", path, limit=f"{MAX_BYTES:,}")]
    text, broken = decode(path, content)
    if broken is not None:
        return [], [broken]
    lines = text.replace("\r\n", "\n").split("\n")
    terms = list(_read_terms(lines))
    return terms, bounded(lint_once(path, terms, lines), path)


def _read_terms(lines: Iterable[str]) -> Iterator[Term]:
    for number, line in enumerate(lines, start=1):
        term = _COMMENT.sub("", line).strip()
        if term:
            yield Term(number, line.index(term) + 1, len(term), term)


@lru_cache(maxsize=1024)
def fold_terms(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Terms as the folded text holds them; a list is asked for by every condition that names it."""
    return tuple(fold_all(terms)) if terms else ()


def lint_once(path: str, terms: list[Term], lines: Sequence[str]) -> Iterator[Diagnostic]:
    """Terms that fold to nothing, to too much or to the same as one before them, or are hardly meant as one term."""
    seen: dict[str, Term] = {}
    for term, folded in zip(terms, fold_terms(tuple(term.text for term in terms)), strict=True):
        place = (path, term.line, term.column, term.length, lines[term.line - 1] if term.line <= len(lines) else "")
        if not folded:
            yield diagnostic("M034", *place, term=ascii(term.text)[1:-1])
        elif len(folded) > LONGEST_TERM:
            yield diagnostic("M059", *place, characters=f"{len(folded):,}", limit=f"{LONGEST_TERM:,}")
        elif folded in seen:
            first = seen[folded]
            yield diagnostic("M064", *place, term=term.text, other=first.text, first=first.line)
        elif mark := _PARTING.search(term.text):
            yield diagnostic("M070", *place, term=term.text, mark=mark[0])
        elif term.text[0] in _QUOTES and term.text[-1] == _QUOTES[term.text[0]] and len(term.text) > 1:
            yield diagnostic("M071", *place, term=term.text)
        seen.setdefault(folded, term)
