"""Lists of terms: inline, or files with one term a line and # comments."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from moderation.errors import Diagnostic
from moderation.packs.codes import diagnostic
from moderation.packs.schema import PackFile
from moderation.packs.source import Document
from moderation.text.folding import fold_all

_COMMENT = re.compile(r"(?:^|\s)#.*")


def resolve_lists(
    file: PackFile, document: Document, sources: Mapping[str, bytes]
) -> tuple[dict[str, tuple[str, ...]], set[str], list[Diagnostic]]:
    """The pack's lists as terms, the list files that were read, and what is wrong with them."""
    lists: dict[str, tuple[str, ...]] = {}
    reads: set[str] = set()
    found: list[Diagnostic] = []
    for name, source in file.lists.items():
        lines: list[tuple[int, int, str]] = []
        if source.file is None:
            lists[name] = source.terms or ()
            places = [document.place(("lists", name, index)) for index in range(len(lists[name]))]
            found += _lint_terms(
                document.path, [(p.line, p.column, t) for p, t in zip(places, lists[name], strict=True)], document.lines
            )
            continue
        path = posixpath.normpath(str(PurePosixPath(document.path).parent / source.file))
        place = document.place(("lists", name, "file"))
        if path.startswith("..") or posixpath.isabs(source.file):
            found.append(document.report("M033", place, name=source.file))
        elif path not in sources:
            found.append(document.report("M032", place, name=source.file, problem="no such file"))
        else:
            reads.add(path)
            try:
                text = sources[path].decode("utf-8-sig")
            except UnicodeDecodeError as error:
                found.append(
                    document.report("M032", place, name=source.file, problem=f"not UTF-8 at byte {error.start}")
                )
                continue
            lines = read_terms(text)
            lists[name] = tuple(term for _, _, term in lines)
            if not lines:
                found.append(document.report("M032", place, name=source.file, problem="it holds no term"))
            found += _lint_terms(path, lines, tuple(text.splitlines()))
    return lists, reads, found


def read_terms(text: str) -> list[tuple[int, int, str]]:
    """(line, column, term) of a list file."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        term = _COMMENT.sub("", line).strip()
        if term:
            found.append((number, line.index(term) + 1, term))
    return found


def _lint_terms(path: str, terms: list[tuple[int, int, str]], lines: tuple[str, ...]) -> list[Diagnostic]:
    found, seen = [], dict[str, str]()
    for (line, column, term), folded in zip(terms, fold_all([term for _, _, term in terms]), strict=True):
        source_line = lines[line - 1] if line <= len(lines) else ""
        if not folded:
            found.append(diagnostic("M034", path, line, column, len(term), source_line, term=ascii(term)[1:-1]))
        elif folded in seen:
            found.append(diagnostic("M064", path, line, column, len(term), source_line, term=term, other=seen[folded]))
        seen.setdefault(folded, term)
    return found
