"""Walking over the conditions of rules, and what they look for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from moderation.packs.schema import Condition, Rule
from moderation.packs.source import Location

if TYPE_CHECKING:
    from moderation.packs.load import Pack


def conditions_of(rule: Rule, at: Location = ()) -> Iterator[tuple[Location, Condition]]:
    """Every condition of a rule that stands `at` a location, with its own location, the outer ones first."""
    for key in ("when", "unless"):
        condition = getattr(rule, key)
        if condition is not None:
            yield from _walk(condition, (*at, key), [])


def conditions_in(condition: Condition) -> Iterator[tuple[Location, Condition]]:
    """A condition and every one inside of it."""
    yield from _walk(condition, (), [])


def _walk(
    condition: Condition, location: Location, found: list[tuple[Location, Condition]]
) -> list[tuple[Location, Condition]]:
    found.append((location, condition))
    for place, child in _inside(condition):
        _walk(child, location + place, found)
    return found


def _inside(condition: Condition) -> Iterator[tuple[Location, Condition]]:
    for key, children in (("all", condition.all_), ("any", condition.any_)):
        if children is not None:
            yield from (((key, index), child) for index, child in enumerate(children))
    if condition.near is not None:
        yield from ((("near", "of", index), child) for index, child in enumerate(condition.near.of))
    if condition.not_ is not None:
        yield ("not",), condition.not_
    if condition.count is not None:
        yield ("count", "of"), condition.count.of


def written_in(rules: Iterable[Rule]) -> Iterator[str]:
    """The terms and the exceptions that stand in rules themselves, not in lists."""
    for rule in rules:
        for _, condition in conditions_of(rule):
            yield from (*(condition.terms or ()), *(condition.except_ or ()))


def terms_of(condition: Condition, pack: Pack) -> tuple[str, ...]:
    """The terms that a condition itself looks for, those of lists too; empty for other kinds."""
    return (*(condition.terms or ()), *(term for name in condition.list or () for term in pack.lists[name]))


def pack_terms(pack: Pack) -> frozenset[str]:
    """All terms that the rules of a pack look for."""
    return frozenset(term for rule in pack.rules for _, found in conditions_of(rule) for term in terms_of(found, pack))


def pack_regexes(pack: Pack) -> frozenset[str]:
    """All regexes that the rules of a pack look for."""
    found = (condition.regex for rule in pack.rules for _, condition in conditions_of(rule))
    return frozenset(pattern for pattern in found if pattern is not None)
