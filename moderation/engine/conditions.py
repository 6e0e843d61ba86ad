"""Conditions as they are decided: three-valued (Kleene's strong logic), pure, one small class a kind.

Every condition gives an `Outcome`: True, False or None (unknown: a signal that it needs could not be had), and the hits
that made it true. `needs` are sets of signals: unless one of each set has fired (or is unknown), the condition is
false. Without sets, nothing can be said before it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from moderation.engine.evidence import Evidence
from moderation.engine.hits import Hit
from moderation.post import attribute

_MOST_HITS = 50

Needs: TypeAlias = "tuple[frozenset[int], ...]"


class Outcome(NamedTuple):
    """True, False or None (unknown), and the hits that speak for it."""

    value: bool | None
    hits: tuple[Hit, ...] = ()


FALSE = Outcome(False)
UNKNOWN = Outcome(None)


class Condition(Protocol):
    """What a rule's `when` and `unless` are made of."""

    @property
    def kind(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def children(self) -> tuple[Condition, ...]: ...
    def evaluate(self, evidence: Evidence) -> Outcome: ...
    def needs(self) -> Needs: ...


@dataclass(frozen=True, slots=True)
class Text:
    """Terms, a list or a regex: true where its signal has a hit."""

    kind: str
    label: str
    signal: int
    children: tuple[Condition, ...] = ()

    def evaluate(self, evidence: Evidence) -> Outcome:
        hits = evidence.hits.get(self.signal)
        if hits:
            return Outcome(True, hits)
        return UNKNOWN if self.signal in evidence.unknown else FALSE

    def needs(self) -> Needs:
        return (frozenset((self.signal,)),)


@dataclass(frozen=True, slots=True)
class Near:
    """One hit of each item, in one field, not overlapping, neighbours at most `within` code points apart."""

    label: str
    children: tuple[Text, ...]
    within: int
    ordered: bool
    kind: str = "near"

    def evaluate(self, evidence: Evidence) -> Outcome:
        outcomes = _unless_false(self.children, evidence)
        if outcomes is None:
            return FALSE
        if any(outcome.value is None for outcome in outcomes):
            return UNKNOWN
        found = tuple(dict.fromkeys(hit for group in self._groups(outcomes) for hit in group))
        if found:
            return Outcome(True, found)
        return UNKNOWN if any(child.signal in evidence.unknown for child in self.children) else FALSE

    def needs(self) -> Needs:
        return _all_of(self.children)

    def _groups(self, outcomes: Sequence[Outcome]) -> Iterator[tuple[Hit, ...]]:
        for items in _by_row([outcome.hits for outcome in outcomes]):
            yield from (group for group in _tuples(items, self.within) if self._stands_near(group))

    def _stands_near(self, group: tuple[Hit, ...]) -> bool:
        chain = group if self.ordered else sorted(group, key=_place)
        return all([0 <= after.start - before.end <= self.within for before, after in pairwise(chain)])


def _by_row(items: Sequence[tuple[Hit, ...]]) -> Iterator[Sequence[Sequence[Hit]]]:
    """The hits of each item in each field that has some of all."""
    row = items[0][0].row
    if all(hits[0].row == row == hits[-1].row and len(hits) <= _MOST_HITS for hits in items):
        yield items
        return
    for row in sorted(set.intersection(*({found.row for found in hits} for hits in items))):
        # A field with hundreds of hits of each item would make the product explode: the first 50 tell as much.
        yield [[found for found in hits if found.row == row][:_MOST_HITS] for hits in items]


def _place(hit: Hit) -> tuple[int, int]:
    return hit.start, hit.end


def _tuples(items: Sequence[Sequence[Hit]], within: int) -> Iterator[tuple[Hit, ...]]:
    """Candidates for `near`: pairs are taken whole, longer groups grow only by hits in reach of the group."""
    if len(items) == 2:
        return iter(product(*items))
    groups: list[tuple[Hit, ...]] = [(found,) for found in items[0]]
    for position, item in enumerate(items[1:], start=1):
        reach = within * (len(items) - 1) + sum(_longest(other) for other in items)
        groups = [(*group, found) for group in groups for found in item if abs(found.start - group[-1].start) <= reach][
            : 5000 // position
        ]
    return iter(groups)


def _longest(hits: Sequence[Hit]) -> int:
    return max((found.end - found.start for found in hits), default=0)


@dataclass(frozen=True, slots=True)
class Count:
    """At least `at_least` hits that don't overlap; `distinct` counts each matched text once."""

    label: str
    children: tuple[Text]
    at_least: int
    distinct: bool
    kind: str = "count"

    def evaluate(self, evidence: Evidence) -> Outcome:
        outcome = self.children[0].evaluate(evidence)
        if not outcome.value:
            return outcome
        found = _apart(outcome.hits)
        number = len({evidence.matched(item) for item in found}) if self.distinct else len(found)
        if number >= self.at_least:
            return Outcome(True, tuple(found))
        return UNKNOWN if self.children[0].signal in evidence.unknown else FALSE

    def needs(self) -> Needs:
        return self.children[0].needs()


def _apart(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that don't overlap, taken from the left, the earliest end first."""
    kept: list[Hit] = []
    row, end = -1, -1
    for found in sorted(hits, key=lambda item: (item.row, item.end, item.start)):
        if found.row != row or found.start >= end:
            kept.append(found)
            row, end = found.row, found.end
    return kept


@dataclass(frozen=True, slots=True)
class Field:
    """Tests of one attribute. A missing or incomparable value is unknown, never false; `exists` is always known."""

    label: str
    name: str
    tests: tuple[tuple[str, Any], ...]
    kind: str = "field"
    children: tuple[Condition, ...] = ()

    def evaluate(self, evidence: Evidence) -> Outcome:
        value = attribute(evidence.attributes, self.name)
        results = [_test(operator, value, wanted) for operator, wanted in self.tests]
        if False in results:
            return FALSE
        return UNKNOWN if None in results else Outcome(True)

    def needs(self) -> Needs:
        return ()


def _test(operator: str, value: Any, wanted: Any) -> bool | None:
    if operator == "exists":
        return (value is not None) is wanted
    if value is None:
        return None
    if operator == "eq":
        return _same(value, wanted)
    if operator == "in":
        return any(_same(value, item) for item in wanted)
    number = _number(value)
    limit = _number(wanted)
    if number is None or limit is None:
        return None
    return {"lt": number < limit, "le": number <= limit, "gt": number > limit, "ge": number >= limit}[operator]


def _same(value: Any, wanted: Any) -> bool:
    """Packs hold texts: 7 and "7", True and "true" are the same value there."""
    if isinstance(value, bool):
        return str(wanted).lower() == str(value).lower()
    if isinstance(value, int | float):
        number = _number(wanted)
        return number is not None and number == value
    return str(value) == str(wanted)


def _number(value: Any) -> float | None:
    """A number, or a date as seconds, so that `created_at` compares too."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        instant = as_instant(value)
        return None if instant is None else instant.timestamp()


@dataclass(frozen=True, slots=True)
class Language:
    """The detected languages in `codes` hold at least `share` of the post's letters (any share where it is 0)."""

    label: str
    codes: tuple[str, ...]
    share: float
    kind: str = "language"
    children: tuple[Condition, ...] = ()

    def evaluate(self, evidence: Evidence) -> Outcome:
        held = sum(share for code, share in evidence.languages.items() if self.names(code))
        return Outcome(held > 0 and held >= self.share)

    def names(self, code: str) -> bool:
        """Whether it asks for a language: `zh` also means zh-Hant and zh-Latn."""
        return any(code == item or code.startswith(item + "-") for item in self.codes)

    def among(self, names: tuple[str, ...]) -> NDArray[np.bool_]:
        """Which of the detector's languages it asks for."""
        return _asked_for(self, names)

    def needs(self) -> Needs:
        return ()


@lru_cache(maxsize=1 << 12)
def _asked_for(condition: Language, names: tuple[str, ...]) -> NDArray[np.bool_]:
    return np.array([condition.names(name) for name in names])


@dataclass(frozen=True, slots=True)
class Classifier:
    """The classifier's score for a category is above a threshold; unknown where there is no score."""

    label: str
    category: str
    above: float
    kind: str = "classifier"
    children: tuple[Condition, ...] = ()

    def evaluate(self, evidence: Evidence) -> Outcome:
        score = evidence.scores.get(self.category)
        return UNKNOWN if score is None else Outcome(score > self.above)

    def needs(self) -> Needs:
        return ()


@dataclass(frozen=True, slots=True)
class Period:
    """`from` and `until` of a rule: the post's `created_at` lies in [start, end); unknown where the post has none."""

    label: str
    start: datetime | None
    end: datetime | None
    kind: str = "period"
    children: tuple[Condition, ...] = ()

    def evaluate(self, evidence: Evidence) -> Outcome:
        instant = as_instant(attribute(evidence.attributes, "created_at"))
        if instant is None:
            return UNKNOWN
        return Outcome((self.start is None or instant >= self.start) and (self.end is None or instant < self.end))

    def needs(self) -> Needs:
        return ()


@dataclass(frozen=True, slots=True)
class All:
    """Every child holds."""

    children: tuple[Condition, ...]
    kind: str = "all"
    label: str = "all of"

    def evaluate(self, evidence: Evidence) -> Outcome:
        outcomes = _unless_false(self.children, evidence)
        if outcomes is None:
            return FALSE
        value = None if any(outcome.value is None for outcome in outcomes) else True
        return Outcome(value, tuple(found for outcome in outcomes for found in outcome.hits))

    def needs(self) -> Needs:
        return _all_of(self.children)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one child holds; the hits of all that do are kept."""

    children: tuple[Condition, ...]
    kind: str = "any"
    label: str = "any of"

    def evaluate(self, evidence: Evidence) -> Outcome:
        outcomes = [child.evaluate(evidence) for child in self.children]
        holding = [outcome for outcome in outcomes if outcome.value]
        if len(holding) == 1:
            return holding[0]
        if holding:
            return Outcome(True, tuple([hit for outcome in holding for hit in outcome.hits]))
        return UNKNOWN if any(outcome.value is None for outcome in outcomes) else FALSE

    def needs(self) -> Needs:
        """Set by set, one of any child's: less than could be said, and as many sets as the longest child has."""
        found = [child.needs() for child in self.children]
        if not all(found):
            return ()
        most = max(map(len, found))
        return tuple(frozenset().union(*(sets[number % len(sets)] for sets in found)) for number in range(most))


@dataclass(frozen=True, slots=True)
class Not:
    """The child does not hold."""

    children: tuple[Condition]
    kind: str = "not"
    label: str = "not"

    def evaluate(self, evidence: Evidence) -> Outcome:
        value = self.children[0].evaluate(evidence).value
        return UNKNOWN if value is None else Outcome(not value)

    def needs(self) -> Needs:
        return ()


def _unless_false(children: Sequence[Condition], evidence: Evidence) -> list[Outcome] | None:
    """The outcomes of all children; None as soon as one is false."""
    outcomes = []
    for child in children:
        outcome = child.evaluate(evidence)
        if outcome.value is False:
            return None
        outcomes.append(outcome)
    return outcomes


def _all_of(children: Sequence[Condition]) -> Needs:
    return tuple(dict.fromkeys(needed for child in children for needed in child.needs()))


def attributes_asked(condition: Condition) -> frozenset[str]:
    """The paths of all attributes that a condition and what is below it look at."""
    match condition:
        case Field():
            return frozenset((condition.name,))
        case Period():
            return frozenset(("created_at",))
    return frozenset[str]().union(*map(attributes_asked, condition.children))


def as_instant(value: Any) -> datetime | None:
    """A moment in time from a datetime, a date, an ISO 8601 text or seconds since 1970; UTC where it names no zone."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
