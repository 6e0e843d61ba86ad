"""What is wrong with a condition that has the right shape: it could never hold, or names what there is not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from moderation.errors import Diagnostic
from moderation.packs.lint_regex import lint_regex
from moderation.packs.lint_terms import lint_terms
from moderation.packs.schema import TEXT_KINDS, UNAVAILABLE_KINDS, Condition, FieldTest, PolicyFile
from moderation.packs.shape import did_you_mean, nearest_tag
from moderation.packs.source import Document, Location
from moderation.text.codes import DEFAULT_LANGUAGES, LANGUAGES, can_be_said, is_language_tag

if TYPE_CHECKING:
    from moderation.packs.load import Pack

Found = Iterator[Diagnostic]
_OPTIONS = {
    "edges": TEXT_KINDS,
    "fields": TEXT_KINDS,
    "except": TEXT_KINDS,
    "except_list": TEXT_KINDS,
    "view": ("regex",),
}
_TESTS = "a test (lt, le, gt, ge, eq, in, exists)"


def lint_condition(
    condition: Condition, location: Location, pack: Pack, policy: PolicyFile | None, document: Document
) -> Found:
    """Every finding over one condition, what is inside it left out; without a policy, nothing that depends on it."""
    kind = condition.kinds[0]
    if kind in UNAVAILABLE_KINDS:
        yield document.report("M029", document.key_place((*location, kind)), name=kind)
    if len(condition.model_fields_set) > 1:
        yield from _lint_options(condition, kind, location, document)
    if condition.list is not None or condition.except_list is not None:
        yield from _lint_lists(condition, location, pack, document)
    if condition.all_ == () or condition.any_ == ():
        yield document.report("M040", document.key_place((*location, kind)), kind=kind, least="one condition")
    if condition.near is not None:
        yield from _lint_near(condition.near.of, location, document)
    if condition.count is not None:
        yield from _lint_texts([condition.count.of], [(*location, "count", "of")], document)
    if condition.field is not None:
        yield from _lint_field(condition.field, (*location, "field"), document)
    if condition.regex is not None:
        yield from lint_regex(condition, location, document)
    yield from lint_terms(condition, location, pack, policy, document)
    if policy is not None and condition.fields is not None:
        yield from _lint_fields(condition, location, policy, document)
    if condition.language is not None:
        yield from _lint_languages(condition.language.is_, (*location, "language", "is"), policy, document)


def _lint_options(condition: Condition, kind: str, location: Location, document: Document) -> Found:
    values = {
        "edges": condition.edges,
        "fields": condition.fields,
        "except": condition.except_,
        "except_list": condition.except_list,
        "view": condition.view,
    }
    for option, value in values.items():
        if value is not None and kind not in _OPTIONS[option]:
            place = document.key_place((*location, option))
            cure = f"it goes with {', '.join(_OPTIONS[option])}"
            cure += ": move it into the conditions inside" if kind in ("all", "any", "not", "near", "count") else ""
            yield document.report("M027", place, option=option, kind=kind, cure=cure)


def _lint_lists(condition: Condition, location: Location, pack: Pack, document: Document) -> Found:
    for key, names in (("list", condition.list), ("except_list", condition.except_list)):
        for index, name in enumerate(names or ()):
            if name not in pack.file.lists:
                hint = did_you_mean(name, pack.file.lists) or "add it under `lists`"
                yield document.report("M031", document.place((*location, key, index)), hint, name=name)


# What holds text conditions


def _lint_near(parts: tuple[Condition, ...], location: Location, document: Document) -> Found:
    place = document.key_place((*location, "near"))
    yield from _lint_texts(parts, [(*location, "near", "of", index) for index in range(len(parts))], document)
    if len(parts) < 2:
        yield document.report("M040", place, kind="near", least="two conditions")
    if len({part.view or "folded" for part in parts if part.regex is not None or part.terms or part.list}) > 1:
        yield document.report("M052", place)
    chosen = [set(part.fields) for part in parts if part.fields is not None]
    if chosen and not set.intersection(*chosen):
        yield document.report("M053", place)


def _lint_texts(parts: tuple[Condition, ...] | list[Condition], places: list[Location], document: Document) -> Found:
    for part, location in zip(parts, places, strict=True):
        if part.kinds[0] not in TEXT_KINDS:
            yield document.report("M041", document.place(location), kind=part.kinds[0])


# Attributes and fields


def _lint_field(test: FieldTest, location: Location, document: Document) -> Found:
    if len(test.model_fields_set) < 2:
        yield document.report("M040", document.key_place(location), kind="field", least=_TESTS)
    limits = {key: getattr(test, key) for key in ("lt", "le", "gt", "ge")}
    for key, limit in limits.items():
        if limit is not None and _number(limit) is None:
            yield document.report("M054", document.place((*location, key)), key=key, value=limit)
    if _never(test, limits):
        yield document.report("M055", document.key_place(location))


def _never(test: FieldTest, limits: dict[str, str | None]) -> bool:
    """Whether no value passes all tests: gt 5 and lt 3, or anything together with `exists: false`."""
    if test.exists is False:
        return len(test.model_fields_set) > 2
    numbers = {key: _number(limit) for key, limit in limits.items() if limit is not None}
    lower = [(number, key == "gt") for key, number in numbers.items() if key in ("gt", "ge") and number is not None]
    upper = [(number, key == "lt") for key, number in numbers.items() if key in ("lt", "le") and number is not None]
    return any(
        low > high or (low == high and (open_low or open_high)) for low, open_low in lower for high, open_high in upper
    )


def _number(value: str) -> float | None:
    """A number, or a date as seconds."""
    try:
        number = float(value)
    except ValueError:
        try:
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    return number if math.isfinite(number) else None


def _lint_fields(condition: Condition, location: Location, policy: PolicyFile, document: Document) -> Found:
    for index, name in enumerate(condition.fields or ()):
        if name not in policy.fields:
            place = document.place((*location, "fields", index))
            hint = did_you_mean(name, policy.fields)
            yield document.report("M037", place, hint, field=name, known=", ".join(policy.fields))


def _lint_languages(tags: tuple[str, ...], location: Location, policy: PolicyFile | None, document: Document) -> Found:
    chosen = DEFAULT_LANGUAGES if policy is None else policy.languages or DEFAULT_LANGUAGES
    for index, tag in enumerate(tags):
        place = document.place((*location, index))
        if tag == "und":
            continue
        if not is_language_tag(tag):
            yield document.report("M035", place, nearest_tag(tag), tag=tag)
        elif tag not in LANGUAGES:
            yield document.report("M049", place, did_you_mean(tag, LANGUAGES), tag=tag)
        elif policy is not None and not can_be_said(tag, chosen, policy.detection == "close"):
            hint = "add it to `languages` in policy.yaml, or say `detection: close` there: " + ", ".join(chosen)
            yield document.report("M056", place, hint, tag=tag)
