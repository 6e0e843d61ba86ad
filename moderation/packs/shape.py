"""From a parsed file to a model, and from the model's objections to diagnostics that a rule author understands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from moderation.errors import Diagnostic
from moderation.packs.codes import diagnostic
from moderation.packs.schema import (
    KINDS,
    UNAVAILABLE_KINDS,
    Condition,
    Count,
    Examples,
    LanguageTest,
    Limits,
    Model,
    Near,
    Rule,
)
from moderation.packs.source import MOST_FOUND, Document, Location
from moderation.text.codes import nearest_tags

M = TypeVar("M", bound=Model)

_EXPECTED = {
    "string_type": "a text",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
    "example": "a text or a post (keys and values)",
}


_SAMPLES = {
    "examples": "add posts that must hit and posts that must pass: `examples: {hit: ['…'], miss: ['…']}`",
    "hit": "add posts that the rule must find",
    "miss": "add posts that look alike and must pass",
    "reason": "say it to people in both languages: `reason: {en: …, zh: …}`",
    "when": "say when the rule holds, as in `when: {terms: […]}`",
    "version": "any that tells this pack from the next, as in `version: 2026.11.1`",
    "category": "one for the pack, as in `category: spam`, or one for each rule",
}
_ONE = ("when", "unless", "not")
_MEANT = {
    "and": "all", "or": "any", "none": "not", "if": "when", "except": "unless", "condition": "when",
    "keyword": "terms", "keywords": "terms", "word": "terms", "words": "terms", "phrases": "terms", "contains": "terms",
    "pattern": "regex", "regexp": "regex", "matches": "regex", "distance": "within", "min": "at_least",
    "less": "lt", "greater": "gt", "more": "gt", "equals": "eq", "is": "eq", "score": "above", "threshold": "above",
    "ban": "block", "deny": "block", "reject": "block", "remove": "block", "review": "flag", "warn": "flag",
    "pass": "allow", "dry-run": "shadow", "dry_run": "shadow", "test": "shadow", "lang": "languages", "name": "id",
    "description": "about", "message": "reason", "priority": "severity", "score_above": "above",
}  # fmt: skip
"""What authors write who know other tools, where the nearest spelling is something else."""


def validate(model: type[M], document: Document) -> tuple[M | None, list[Diagnostic]]:
    """The model of a document, or None and everything that is wrong with its shape."""
    mistaken = _mistaken(model, document)
    if mistaken is not None:
        return None, [mistaken]
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        told = (_report(item, model, document) for item in error.errors(include_url=False) if not _echo(item))
        return None, bounded(dict.fromkeys(islice(told, MOST_FOUND + 1)), document.path)


def bounded(found: Iterable[Diagnostic], path: str) -> list[Diagnostic]:
    """The first hundred findings of a file, and one that says that there are more."""
    kept = list(islice(found, MOST_FOUND + 1))
    if len(kept) > MOST_FOUND:
        kept[MOST_FOUND] = diagnostic("M017", path, kept[MOST_FOUND].line, limit=MOST_FOUND)
    return kept


def _mistaken(model: type[Model], document: Document) -> Diagnostic | None:
    """Whether this is a policy where a pack is expected, or a pack in the place of the policy."""
    for expected, found, cure in (
        ("pack", "policy", "only policy.yaml in the rules folder is read as a policy: rename this, or name its folder"),
        ("policy", "pack", "policy.yaml is the policy: give the pack another name"),
    ):
        data = document.data
        if expected in model.model_fields and isinstance(data, dict) and found in data and expected not in data:
            return document.report("M016", document.key_place((found,)), found=found, expected=expected, cure=cure)
    return None


def _echo(error: ErrorDetails) -> bool:
    """A list whose every item is wrong is also called too short: that says nothing new."""
    return error["type"] == "too_short" and bool(error["input"])


def _report(error: ErrorDetails, model: type[Model], document: Document) -> Diagnostic:
    location = _in_data(error["loc"], document.data)
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    place = document.place(location)
    if kind == "extra_forbidden":
        key = str(location[-1])
        return document.report("M020", document.key_place(location), _nearest_key(key, model, location), key=key[:60])
    if kind == "missing":
        key = str(error["loc"][-1])
        return document.report("M021", document.key_place(location), _SAMPLES.get(key, ""), key=key)
    if kind == "literal_error":
        return _not_a_choice(document, location, str(value), context["expected"])
    if kind == "slug":
        return document.report("M025", place, value=str(value)[:60], slash=context["slash"])
    if kind == "kinds":
        cure = "combine conditions by `all`, `any` or `not`" if " and " in context["kinds"] else _ONE_OF_KINDS
        return document.report("M026", place, kinds=context["kinds"], cure=cure)
    if kind == "iso_date":
        return document.report("M028", place, value=str(value)[:60])
    if kind in _EXPECTED:
        key = str(location[-1]) if location else ""
        cure = _SAMPLES.get(key, "") if _EXPECTED[kind] == "keys and values" else ""
        cure = "combine conditions by `all`, `any` or `not`" if isinstance(value, list) and key in _ONE else cure
        return document.report("M022", place, cure, expected=_EXPECTED[kind], found=_shown(value))
    return document.report("M024", place, problem=_problem(kind, context, error["msg"]), value=_shown(value))


def _in_data(loc: Iterable[str | int], data: Any) -> Location:
    """The part of pydantic's location that exists in the data: it also names union branches and missing keys."""
    found: list[str | int] = []
    for step in loc:
        inside = (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        )
        if inside:
            found.append(step)
            data = data[step]
    return tuple(found)


def _not_a_choice(document: Document, location: Location, value: str, expected: str) -> Diagnostic:
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    hint = did_you_mean(value, choices)
    return document.report("M023", document.place(location), hint, value=value[:60], choices=", ".join(choices))


def _problem(kind: str, context: dict[str, Any], message: str) -> str:
    bounds = {
        "greater_than_equal": "must be {ge} or more",
        "greater_than": "must be more than {gt}",
        "less_than_equal": "must be {le} or less",
        "finite_number": "must be a finite number",
        "filled": "must not be empty",
        "too_short": "must not be empty",
    }
    return bounds[kind].format(**context) if kind in bounds else message[:1].lower() + message[1:]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return f"`{str(value)[:60]}`" if value is not None and str(value) else "nothing"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or all names where they are few and none is near."""
    names = sorted(set(known))
    meant = _MEANT.get(name.lower(), "")
    if meant in names:
        return f"did you mean `{meant}`?"
    close = get_close_matches(name.lower(), names, 1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known: {', '.join(names)}" if 0 < len(names) <= 16 else ""


def nearest_tag(tag: str) -> str:
    """A hint for what is no language code."""
    near = nearest_tags(tag)
    return f"did you mean `{near[0]}`?" if near else "codes are those of BCP 47: en, zh, zh-Hant"


def _nearest_key(key: str, model: type[Model], location: Location) -> str:
    here = _model_at(model, location[:-1])
    for home, where in _HOMES:
        if home is not here and key in _keys(home):
            return f"`{key}` goes {where}"
    return did_you_mean(key, _keys(here) if here else ())


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


_HOMES: tuple[tuple[type[Model], str], ...] = (
    (Rule, "into a rule, beside its `id`"),
    (Condition, "into a condition, under `when` or `unless`"),
    (Near, "into `near: {…}`"),
    (Count, "into `count: {…}`"),
    (LanguageTest, "into `language: {…}`"),
    (Examples, "under `examples`"),
    (Limits, "under `limits` in policy.yaml"),
)
_ONE_OF_KINDS = f"give one of {', '.join(kind for kind in KINDS if kind not in UNAVAILABLE_KINDS)}"


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that describes the mapping at a location."""
    found: Any = model
    for step in location:
        if isinstance(step, str) and isinstance(found, type) and issubclass(found, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in found.model_fields.items()}
            found = fields.get(step)
        found = next(iter(_models_in(found)), found)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not Literal:
        for part in get_args(annotation):
            yield from _models_in(part)
