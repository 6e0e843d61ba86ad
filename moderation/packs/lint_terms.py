"""Terms: they fold to something, can be met in the pack's scripts, and exceptions belong to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from moderation.errors import Diagnostic
from moderation.packs.lists import fold_terms, inline_terms, lint_once
from moderation.packs.schema import Condition, PolicyFile
from moderation.packs.source import Document, Location
from moderation.text.codes import scripts_of
from moderation.text.scripts import COMMON, script_of

if TYPE_CHECKING:
    from moderation.packs.load import Pack


def lint_terms(
    condition: Condition, location: Location, pack: Pack, policy: PolicyFile | None, document: Document
) -> Iterator[Diagnostic]:
    """Every finding about the terms and exceptions of one condition."""
    terms = inline_terms(document, (*location, "terms"), condition.terms or ())
    yield from lint_once(document.path, terms, document.lines)
    for index, folded in enumerate(fold_terms(condition.terms or ())):
        if folded and not _can_be_met(folded, pack.file.languages):
            place = document.place((*location, "terms", index))
            yield document.report("M067", place, term=terms[index].text, languages=", ".join(pack.file.languages))
    # A regex says in general what it finds, and in the text as written nothing is folded.
    if condition.view != "original":
        phrases = inline_terms(document, (*location, "except"), condition.except_ or ())
        yield from lint_once(document.path, phrases, document.lines)
    if condition.regex is None:
        yield from _idle_exceptions(condition, location, pack, policy, document)


def _can_be_met(folded: str, languages: tuple[str, ...]) -> bool:
    written = _scripts(languages)
    held = set(script_of[np.frombuffer(folded.encode("utf-32-le"), np.uint32)].tolist()) - {COMMON}
    return written is None or not held or bool(held & written)


@lru_cache(maxsize=64)
def _scripts(languages: tuple[str, ...]) -> frozenset[int] | None:
    """The scripts that languages are written in, None where they are any."""
    return None if "*" in languages else frozenset(script for tag in languages for script in scripts_of(tag))


def _idle_exceptions(
    condition: Condition, location: Location, pack: Pack, policy: PolicyFile | None, document: Document
) -> Iterator[Diagnostic]:
    """Exceptions that no hit of the terms can overlap."""
    if condition.except_ is None and condition.except_list is None:
        return
    terms = [*fold_terms(condition.terms or ())]
    terms += (term for name in condition.list or () for term in fold_terms(pack.lists.get(name, ())))
    may_meet = _one_shares_a_character if _may_resist(pack, policy, location) else _one_meets
    for index, phrase in enumerate(fold_terms(condition.except_ or ())):
        if phrase and not may_meet(phrase, terms):
            written = (condition.except_ or ())[index]
            yield document.report("M065", document.place((*location, "except", index)), phrase=written)
    for index, name in enumerate(condition.except_list or ()):
        phrases = fold_terms(pack.lists.get(name, ()))
        if phrases and not any(may_meet(phrase, terms) for phrase in phrases):
            yield document.report("M065", document.place((*location, "except_list", index)), phrase=name)


def _may_resist(pack: Pack, policy: PolicyFile | None, location: Location) -> bool:
    """Whether the terms of a rule may hit in disguise: an exception then need not hold them as they are written."""
    rule = pack.file.rules[int(location[1])]
    general = policy.resist if policy is not None else ()
    return bool(next(names for names in (rule.resist, pack.file.resist, general) if names is not None))


def _one_shares_a_character(phrase: str, terms: Sequence[str]) -> bool:
    characters = set(phrase)
    return not all(map(characters.isdisjoint, terms))


def _one_meets(phrase: str, terms: Sequence[str]) -> bool:
    """Whether any of the terms may overlap a phrase: most phrases hold one."""
    return any(term in phrase or phrase in term for term in terms) or any(_laps(phrase, term) for term in terms)


def _laps(phrase: str, term: str) -> bool:
    shorter = min(len(phrase), len(term))
    return any(phrase.endswith(term[:n]) or term.endswith(phrase[:n]) for n in range(1, shorter))
