"""Terms: they fold to something, can be met in the pack's scripts, and exceptions belong to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from moderation.errors import Diagnostic
from moderation.packs.schema import Condition
from moderation.packs.source import Document, Location
from moderation.text.codes import scripts_of
from moderation.text.folding import fold_all
from moderation.text.scripts import COMMON, script_of

if TYPE_CHECKING:
    from moderation.packs.load import Pack


def lint_terms(condition: Condition, location: Location, pack: Pack, document: Document) -> Iterator[Diagnostic]:
    """Every finding about the terms and exceptions of one condition."""
    terms = list(condition.terms or ())
    for index, (term, folded) in enumerate(zip(terms, fold_all(terms), strict=True)):
        place = document.place((*location, "terms", index))
        if not folded:
            yield document.report("M034", place, term=ascii(term)[1:-1])
        elif not _can_be_met(folded, pack):
            yield document.report("M067", place, term=term, languages=", ".join(pack.file.languages))
    phrases = list(condition.except_ or ())
    for index, (phrase, folded) in enumerate(zip(phrases, fold_all(phrases), strict=True)):
        place = document.place((*location, "except", index))
        if not folded:
            yield document.report("M034", place, term=ascii(phrase)[1:-1])
        elif condition.regex is None and not _overlaps_one(folded, condition, pack):
            yield document.report("M065", place, phrase=phrase)


def _can_be_met(folded: str, pack: Pack) -> bool:
    languages = pack.file.languages
    if "*" in languages:
        return True
    held = set(script_of[np.frombuffer(folded.encode("utf-32-le"), np.uint32)].tolist()) - {COMMON}
    return not held or bool(held & {script for tag in languages for script in scripts_of(tag)})


def _overlaps_one(phrase: str, condition: Condition, pack: Pack) -> bool:
    """Whether a hit of some term could overlap the phrase: one holds the other, or they share an end."""
    terms = [*(condition.terms or ()), *(term for name in condition.list or () for term in pack.lists.get(name, ()))]
    return any(_meet(phrase, term) for term in fold_all(terms))


def _meet(phrase: str, term: str) -> bool:
    if term in phrase or phrase in term:
        return True
    shorter = min(len(phrase), len(term))
    return any(phrase.endswith(term[:n]) or term.endswith(phrase[:n]) for n in range(1, shorter))
