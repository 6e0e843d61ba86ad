"""Tricks that terms are said to be seen through: there are terms, and they are long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from moderation.errors import Diagnostic
from moderation.evasion.literals import are_enough
from moderation.packs.schema import Rule
from moderation.packs.source import Document, Location
from moderation.packs.walk import conditions_in, terms_of

if TYPE_CHECKING:
    from moderation.packs.load import Pack

_SHOWN = 4


def lint_resist(pack: Pack, document: Document) -> Iterator[Diagnostic]:
    """Findings about the tricks that rules name, and those that the pack names for rules which name none.

    What a policy names is for all packs, and says nothing of a term.
    """
    for index, rule in enumerate(pack.file.rules):
        if rule.resist:
            yield from _findings([rule], ("rules", index, "resist"), pack, document)
    if pack.file.resist:
        yield from _findings([rule for rule in pack.file.rules if rule.resist is None], ("resist",), pack, document)


def _findings(rules: Sequence[Rule], at: Location, pack: Pack, document: Document) -> Iterator[Diagnostic]:
    sought = (terms_of(condition, pack) for rule in rules for _, condition in conditions_in(rule.when))
    terms = tuple(dict.fromkeys(term for found in sought for term in found))
    if not terms:
        yield document.report("M068", document.key_place(at))
    folded = pack.fold(terms)
    columns = zip(terms, folded, are_enough(folded).tolist(), strict=True)
    short = [term for term, text, enough in columns if text and not enough]
    if short:
        more = f" and {len(short) - _SHOWN} more" if len(short) > _SHOWN else ""
        yield document.report("M069", document.key_place(at), terms="`, `".join(short[:_SHOWN]), more=more)
