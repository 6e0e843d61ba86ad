"""Terms: they fold to something, can be met in the pack's scripts, and exceptions belong to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from moderation.errors import Diagnostic
from moderation.packs.lists import lint_inline
from moderation.packs.schema import Condition, PolicyFile
from moderation.packs.source import Document, Location
from moderation.text.codes import scripts_of
from moderation.text.scripts import COMMON, names, script_of

if TYPE_CHECKING:
    from moderation.packs.load import Pack


def lint_terms(
    condition: Condition, location: Location, pack: Pack, policy: PolicyFile | None, document: Document
) -> Iterator[Diagnostic]:
    """Every finding about the terms and exceptions of one condition."""
    if condition.terms is not None:
        yield from lint_inline(condition.terms, pack.folded, document, (*location, "terms"))
        for index in _never_met(pack.fold(condition.terms), pack.file.languages):
            place, term = document.place((*location, "terms", index)), condition.terms[index]
            yield document.report("M067", place, term=term, languages=", ".join(pack.file.languages))
    # A regex says in general what it finds, and in the text as written nothing is folded.
    if condition.except_ is not None and condition.view != "original":
        yield from lint_inline(condition.except_, pack.folded, document, (*location, "except"))
    if condition.regex is None:
        yield from _idle_exceptions(condition, location, pack, policy, document)


def _never_met(folded: Sequence[str], languages: tuple[str, ...]) -> list[int]:
    """Which terms have letters, and none of a script that the languages are written in."""
    written = _written(languages)
    if written.take(_scripts_in("".join(folded))).all():
        return []
    held = [set(_scripts_in(text).tolist()) - {COMMON} for text in folded]
    return [at for at, scripts in enumerate(held) if scripts and not written[list(scripts)].any()]


def _scripts_in(text: str) -> NDArray[np.uint8]:
    """The script of each character."""
    return script_of.take(np.frombuffer(text.encode("utf-32-le"), np.uint32))


@lru_cache(maxsize=64)
def _written(languages: tuple[str, ...]) -> NDArray[np.bool_]:
    """By script, whether texts in these languages hold it: what all of them share is held by each."""
    written = np.full(len(names), "*" in languages)
    written[[COMMON, *(script for tag in languages for script in scripts_of(tag))]] = True
    return written


def _idle_exceptions(
    condition: Condition, location: Location, pack: Pack, policy: PolicyFile | None, document: Document
) -> Iterator[Diagnostic]:
    """Exceptions that no hit of the terms can overlap."""
    if condition.except_ is None and condition.except_list is None:
        return
    terms = [*pack.fold(condition.terms or ())]
    terms += (term for name in condition.list or () for term in pack.fold(pack.lists.get(name, ())))
    may_meet = _sharing_a_character(terms) if _may_resist(pack, policy, location) else _meeting(terms)
    for index, phrase in enumerate(pack.fold(condition.except_ or ())):
        if phrase and not may_meet(phrase):
            written = (condition.except_ or ())[index]
            yield document.report("M065", document.place((*location, "except", index)), phrase=written)
    for index, name in enumerate(condition.except_list or ()):
        phrases = pack.fold(pack.lists.get(name, ()))
        if phrases and not any(map(may_meet, phrases)):
            yield document.report("M065", document.place((*location, "except_list", index)), phrase=name)


def _may_resist(pack: Pack, policy: PolicyFile | None, location: Location) -> bool:
    """Whether the terms of a rule may hit in disguise: an exception then need not hold them as they are written."""
    rule = pack.file.rules[int(location[1])]
    general = policy.resist if policy is not None else ()
    return bool(next(names for names in (rule.resist, pack.file.resist, general) if names is not None))


def _sharing_a_character(terms: Sequence[str]) -> Callable[[str], bool]:
    """Whether a phrase has a character of any of the terms."""
    characters = frozenset("".join(terms))
    return lambda phrase: not characters.isdisjoint(phrase)


def _meeting(terms: Sequence[str]) -> Callable[[str], bool]:
    """Whether any of the terms may overlap a phrase: most phrases hold one."""
    joined = "\n".join(terms)

    def meets(phrase: str) -> bool:
        held = any(map(phrase.__contains__, terms)) or (bool(terms) and phrase in joined)
        return held or any(_laps(phrase, term) for term in terms if term[0] in phrase or phrase[0] in term)

    return meets


def _laps(phrase: str, term: str) -> bool:
    shorter = min(len(phrase), len(term))
    return any(phrase.endswith(term[:n]) or term.endswith(phrase[:n]) for n in range(1, shorter))
