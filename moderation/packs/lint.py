"""What is wrong with a pack that has the right shape: checks over its head and its rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from moderation.errors import Diagnostic
from moderation.packs.lint_conditions import lint_condition
from moderation.packs.lint_resist import lint_resist
from moderation.packs.schema import Condition, PolicyFile, Rule
from moderation.packs.shape import nearest_tag
from moderation.packs.source import Document, Location
from moderation.packs.walk import conditions_of
from moderation.text.codes import is_language_tag

if TYPE_CHECKING:
    from moderation.packs.load import Pack

Found = Iterator[Diagnostic]


def lint_pack(pack: Pack, policy: PolicyFile | None, document: Document) -> Found:
    """Every finding over one pack by itself; without a policy, nothing that depends on it."""
    file = pack.file
    for index, tag in enumerate(file.languages):
        if tag != "*" and not is_language_tag(tag):
            yield document.report("M035", document.place(("languages", index)), nearest_tag(tag), tag=tag)
    seen: dict[str, int] = {}
    for index, rule in enumerate(file.rules):
        place = document.place(("rules", index, "id"))
        if rule.id in seen:
            yield document.report("M030", place, id=rule.id, other=f"line {seen[rule.id]}", scope="in a pack")
        seen.setdefault(rule.id, place.line)
        yield from _lint_rule(rule, index, pack, policy, document)
    yield from lint_resist(pack, document)
    used = {name for rule in file.rules for _, condition in conditions_of(rule) for name in _lists_of(condition)}
    for name in sorted(set(file.lists) - used):
        yield document.report("M062", document.key_place(("lists", name)), name=name)


def _lint_rule(rule: Rule, index: int, pack: Pack, policy: PolicyFile | None, document: Document) -> Found:
    at: Location = ("rules", index)
    yield from _unavailable(rule, at, document)
    yield from _lint_over(rule, at, policy, document)
    if rule.from_ and rule.until and _moment(rule.from_) >= _moment(rule.until):
        yield document.report("M042", document.place((*at, "until")))
    yield from _lint_reason(rule, at, document)
    for kind, does in (("hit", "must be caught"), ("miss", "must pass")):
        if not getattr(rule.examples, kind):
            yield document.report("M044", document.key_place((*at, "examples", kind)), kind=kind, does=does)
    for location, condition in conditions_of(rule, ("rules", index)):
        yield from lint_condition(condition, location, pack, policy, document)


def _unavailable(rule: Rule, at: Location, document: Document) -> Found:
    for key in ("sample", "audiences"):
        if getattr(rule, key) is not None:
            yield document.report("M029", document.key_place((*at, key)), name=key)


def _lint_over(rule: Rule, at: Location, policy: PolicyFile | None, document: Document) -> Found:
    if rule.verdict == "allow" and policy is not None and not (rule.over or policy.over):
        yield document.report("M038", document.place((*at, "verdict")))
    if rule.verdict != "allow" and rule.over:
        yield document.report("M039", document.key_place((*at, "over")))


def _lint_reason(rule: Rule, at: Location, document: Document) -> Found:
    for language in ("en", "zh"):
        if language not in rule.reason:
            yield document.report("M043", document.key_place((*at, "reason")), language=language)
    for tag in rule.reason:
        if not is_language_tag(tag):
            yield document.report("M035", document.key_place((*at, "reason", tag)), nearest_tag(tag), tag=tag)


def _moment(value: date) -> datetime:
    found = value if isinstance(value, datetime) else datetime.combine(value, time())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _lists_of(condition: Condition) -> tuple[str, ...]:
    return (*(condition.list or ()), *(condition.except_list or ()))
