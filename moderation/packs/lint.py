"""What is wrong with packs that have the right shape: checks over rules, and over packs and policy together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from moderation.errors import Diagnostic
from moderation.packs.lint_regex import lint_regex
from moderation.packs.lint_terms import lint_terms
from moderation.packs.schema import KINDS, TEXT_KINDS, Condition, PolicyFile, Rule
from moderation.packs.shape import did_you_mean
from moderation.packs.source import Document, Location
from moderation.text.codes import LANGUAGES, is_language_tag, nearest_tags

if TYPE_CHECKING:
    from moderation.packs.load import Pack

Found = Iterator[Diagnostic]
_UNAVAILABLE_KINDS = ("classifier", "rate")
_OPTION_KINDS = {
    "edges": TEXT_KINDS,
    "except": TEXT_KINDS,
    "except_list": TEXT_KINDS,
    "view": ("regex",),
    "fields": TEXT_KINDS,
}


def lint(
    packs: Sequence[Pack], policy: PolicyFile, documents: Mapping[str, Document], *, whole: bool
) -> list[Diagnostic]:
    """Every finding over packs and policy. `whole`: all files were read, so what no pack holds is really missing."""
    found = [item for pack in packs for item in lint_pack(pack, policy, documents[pack.path])]
    found += _unique_packs(packs, documents)
    document = documents.get("policy.yaml")
    if document is not None:
        found += _lint_policy(packs, policy, document, whole)
    if whole and not any(_matches(pack.id, policy.packs) for pack in packs):
        found.append(_policy_or_pack(documents).report("M048", _policy_or_pack(documents).place(("packs",))))
    return found


def _policy_or_pack(documents: Mapping[str, Document]) -> Document:
    return documents.get("policy.yaml") or next(iter(documents.values()))


def _unique_packs(packs: Sequence[Pack], documents: Mapping[str, Document]) -> Found:
    seen: dict[str, str] = {}
    for pack in sorted(packs, key=lambda pack: pack.path):
        if pack.id in seen:
            document = documents[pack.path]
            yield document.report(
                "M030", document.place(("pack",)), id=pack.id, other=seen[pack.id], scope="among packs"
            )
        seen.setdefault(pack.id, pack.path)


# The policy


def _lint_policy(packs: Sequence[Pack], policy: PolicyFile, document: Document, whole: bool) -> Found:
    for key in ("classifier", "audiences", "resist"):
        if getattr(policy, key):
            yield document.report("M029", document.key_place((key,)), name=key)
    ids = [pack.id for pack in packs]
    if whole:
        yield from _lint_globs(policy.packs, ("packs",), ids, document)
        for language, globs in (policy.routes or {}).items():
            yield from _lint_globs(globs, ("routes", language), ids, document)
        yield from _unreached(packs, policy, document)
    tags: list[tuple[Location, str]] = [(("routes", tag), tag) for tag in policy.routes or {} if tag != "*"]
    tags += [(("languages", index), tag) for index, tag in enumerate(policy.languages or ())]
    for location, tag in tags:
        if not is_language_tag(tag):
            yield document.report("M035", document.key_place(location), _nearest_tag(tag), tag=tag)
        elif location[0] == "languages" and tag not in LANGUAGES:
            yield document.report("M049", document.place(location), did_you_mean(tag, LANGUAGES), tag=tag)


def _lint_globs(globs: Sequence[str], location: Location, ids: Sequence[str], document: Document) -> Found:
    for index, glob in enumerate(globs):
        if not _matches_one(ids, glob):
            place = document.place((*location, index))
            yield document.report("M036", place, did_you_mean(glob, ids) or "packs: " + ", ".join(ids), glob=glob)


def _unreached(packs: Sequence[Pack], policy: PolicyFile, document: Document) -> Found:
    if policy.routes is None:
        return
    routed = [glob for globs in policy.routes.values() for glob in globs]
    for pack in packs:
        if _matches(pack.id, policy.packs) and not _matches(pack.id, routed):
            place = document.key_place(("routes",))
            named = ", ".join(pack.file.languages)
            yield document.report("M063", place, f"add a route for {named} to `{pack.id}`", languages=named)


def _matches(pack_id: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(pack_id, glob) for glob in globs)


def _matches_one(ids: Iterable[str], glob: str) -> bool:
    return any(fnmatchcase(item, glob) for item in ids)


def _nearest_tag(tag: str) -> str:
    near = nearest_tags(tag)
    return (
        f"did you mean {' or '.join(f'`{item}`' for item in near)}?"
        if near
        else "codes are those of BCP 47: en, zh, zh-Hant"
    )


# A pack


def lint_pack(pack: Pack, policy: PolicyFile, document: Document) -> Found:
    """Every finding over one pack by itself."""
    file = pack.file
    if file.resist:
        yield document.report("M029", document.place(("resist", 0)), name=file.resist[0])
    for index, tag in enumerate(file.languages):
        if tag != "*" and not is_language_tag(tag):
            yield document.report("M035", document.place(("languages", index)), _nearest_tag(tag), tag=tag)
    seen: dict[str, int] = {}
    for index, rule in enumerate(file.rules):
        place = document.place(("rules", index, "id"))
        if rule.id in seen:
            yield document.report("M030", place, id=rule.id, other=f"line {seen[rule.id]}", scope="in a pack")
        seen.setdefault(rule.id, place.line)
        yield from _lint_rule(rule, index, pack, policy, document)
    used = {name for rule in file.rules for _, condition in _conditions(rule, 0) for name in _lists_of(condition)}
    for name in sorted(set(file.lists) - used):
        yield document.report("M062", document.key_place(("lists", name)), name=name)


def _lint_rule(rule: Rule, index: int, pack: Pack, policy: PolicyFile, document: Document) -> Found:
    at: Location = ("rules", index)
    for key, name in (("sample", "sample"), ("audiences", "audiences"), ("resist", ", ".join(rule.resist))):
        if getattr(rule, key):
            yield document.report("M029", document.place((*at, key, 0)), name=name)
    if rule.verdict == "allow" and not (rule.over or policy.over):
        yield document.report("M038", document.place((*at, "verdict")))
    if rule.verdict != "allow" and rule.over:
        yield document.report("M039", document.key_place((*at, "over")))
    if rule.from_ and rule.until and _moment(rule.from_) >= _moment(rule.until):
        yield document.report("M042", document.place((*at, "until")))
    for language in ("en", "zh"):
        if language not in rule.reason:
            yield document.report("M043", document.key_place((*at, "reason")), language=language)
    for kind, does in (("hit", "must be caught"), ("miss", "must pass")):
        if not getattr(rule.examples, kind):
            yield document.report("M044", document.key_place((*at, "examples", kind)), kind=kind, does=does)
    for location, condition in _conditions(rule, index):
        yield from _lint_condition(condition, location, pack, policy, document)


def _moment(value: date) -> datetime:
    found = value if isinstance(value, datetime) else datetime.combine(value, time())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# Conditions


def _conditions(rule: Rule, index: int) -> Iterator[tuple[Location, Condition]]:
    for key in ("when", "unless"):
        condition = getattr(rule, key)
        if condition is not None:
            yield from _walk(condition, ("rules", index, key))


def _walk(condition: Condition, location: Location) -> Iterator[tuple[Location, Condition]]:
    yield location, condition
    for key, children in (
        ("all", condition.all_ or ()),
        ("any", condition.any_ or ()),
        ("near", condition.near.of if condition.near else ()),
    ):
        inside = (*location, key) if key != "near" else (*location, "near", "of")
        for index, child in enumerate(children):
            yield from _walk(child, (*inside, index))
    if condition.not_ is not None:
        yield from _walk(condition.not_, (*location, "not"))
    if condition.count is not None:
        yield from _walk(condition.count.of, (*location, "count", "of"))


def _lists_of(condition: Condition) -> tuple[str, ...]:
    return (*(condition.list or ()), *(condition.except_list or ()))


def _lint_condition(
    condition: Condition, location: Location, pack: Pack, policy: PolicyFile, document: Document
) -> Found:
    kind = condition.kinds[0]
    if kind in _UNAVAILABLE_KINDS:
        yield document.report("M029", document.key_place((*location, kind)), name=kind)
    yield from _lint_options(condition, kind, location, document)
    yield from _lint_parts(condition, kind, location, document)
    yield from _lint_names(condition, location, pack, policy, document)
    if condition.regex is not None:
        yield from lint_regex(condition, location, document)
    yield from lint_terms(condition, location, pack, document)


def _lint_options(condition: Condition, kind: str, location: Location, document: Document) -> Found:
    values = {
        "edges": condition.edges,
        "except": condition.except_,
        "except_list": condition.except_list,
        "view": condition.view,
        "fields": condition.fields,
    }
    for option, value in values.items():
        if value is not None and kind not in _OPTION_KINDS[option]:
            place = document.key_place((*location, option))
            cure = f"it goes with {', '.join(_OPTION_KINDS[option])}: move it into the conditions inside"
            yield document.report("M027", place, option=option, kind=kind, cure=cure)


def _lint_parts(condition: Condition, kind: str, location: Location, document: Document) -> Found:
    """Conditions that hold other conditions: enough of them, and of the right kind."""
    parts = {"all": condition.all_, "any": condition.any_, "near": condition.near.of if condition.near else None}.get(
        kind
    )
    least = {"all": 1, "any": 1, "near": 2}.get(kind, 0)
    if parts is not None and len(parts) < least:
        place = document.key_place((*location, kind))
        yield document.report("M040", place, kind=kind, least=f"{least} condition{'s' if least > 1 else ''}")
    if kind == "field" and condition.field is not None and len(condition.field.model_fields_set) < 2:
        least_tests = "one test (lt, le, gt, ge, eq, in, exists)"
        yield document.report("M040", document.key_place((*location, kind)), kind=kind, least=least_tests)
    texts: list[tuple[Location, Condition]] = []
    if condition.near is not None:
        texts += [((*location, "near", "of", index), child) for index, child in enumerate(condition.near.of)]
    if condition.count is not None:
        texts.append(((*location, "count", "of"), condition.count.of))
    for inside, child in texts:
        if child.kinds[0] not in TEXT_KINDS:
            yield document.report("M041", document.place(inside), kind=child.kinds[0])


def _lint_names(condition: Condition, location: Location, pack: Pack, policy: PolicyFile, document: Document) -> Found:
    for key, names in (("list", condition.list), ("except_list", condition.except_list)):
        for index, name in enumerate(names or ()):
            if name not in pack.file.lists:
                place = document.place((*location, key, index))
                hint = did_you_mean(name, pack.file.lists) or "add it under `lists`"
                yield document.report("M031", place, hint, name=name)
    for index, name in enumerate(condition.fields or ()):
        if name not in policy.fields:
            place = document.place((*location, "fields", index))
            hint = did_you_mean(name, policy.fields)
            yield document.report("M037", place, hint, field=name, known=", ".join(policy.fields))
    for index, tag in enumerate(condition.language.is_ if condition.language else ()):
        if not is_language_tag(tag):
            place = document.place((*location, "language", "is", index))
            yield document.report("M035", place, _nearest_tag(tag), tag=tag)


assert set(_UNAVAILABLE_KINDS) < set(KINDS)
