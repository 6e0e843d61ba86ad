"""The format of packs and policies, as models: the one source of validation, of JSON Schema and of what is compiled."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from moderation.evasion.tricks import NAMES as TRICKS
from moderation.packs.source import Plain
from moderation.post import TEXT_FIELDS

KINDS = ("terms", "list", "regex", "near", "count", "field", "language", "classifier", "rate", "all", "any", "not")
UNAVAILABLE_KINDS = ("rate",)
TEXT_KINDS = ("terms", "list", "regex")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def _many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """A value as JSON would have it: only what stands without quotes may be a number, true, false or null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Plain) and (value in ("true", "false", "null") or _JSON_NUMBER.fullmatch(value)):
        return json.loads(value)
    return str(value)


def _example(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return _plain(value)
    raise PydanticCustomError("example", "a text or a post", {"found": value})


def _slug(value: str) -> str:
    if not re.fullmatch(_ID, value):
        raise PydanticCustomError("slug", "id", {"slash": ""})
    return value


def _pack_id(value: str) -> str:
    if not re.fullmatch(rf"{_ID}(?:/{_ID})*", value):
        raise PydanticCustomError("slug", "id", {"slash": ", in parts divided by /"})
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("filled", "empty")
    return value


def _date(value: Any) -> datetime | date:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise PydanticCustomError("iso_date", "date") from None
    return found if len(str(value)) > 10 else found.date()


# An editor reads 1488 and 1.0 as numbers; packs read every scalar as a text.
_ANY_SCALAR = {"type": ["string", "number", "boolean"]}
_ID = r"[a-z0-9]+(?:-[a-z0-9]+)*"
Text = Annotated[str, AfterValidator(_filled), WithJsonSchema(_ANY_SCALAR)]
Slug = Annotated[str, AfterValidator(_slug), WithJsonSchema({"type": "string", "pattern": f"^{_ID}$"})]
PackId = Annotated[str, AfterValidator(_pack_id), WithJsonSchema({"type": "string", "pattern": f"^{_ID}(?:/{_ID})*$"})]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
Names = Annotated[tuple[Text, ...], BeforeValidator(_many), Field(min_length=1), WithJsonSchema(_ONE_OR_MORE)]
Instant = Annotated[datetime | date | None, BeforeValidator(_date), WithJsonSchema({"type": "string"})]
Example = Annotated[
    str | dict[str, Any],
    BeforeValidator(_example),
    WithJsonSchema({"type": ["string", "number", "boolean", "object"]}),
]
_REASON = {
    "type": "object",
    "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
    "required": ["en", "zh"],
    "additionalProperties": {"type": "string"},
}
Trick = Literal[TRICKS]  # type: ignore[valid-type]


class Model(BaseModel):
    """Frozen; a key that the format doesn't know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Near(Model):
    """One hit of each condition, in one field, not overlapping."""

    of: tuple[Condition, ...] = Field(description="text conditions: terms, list or regex")
    within: int = Field(ge=0, le=200, description="at most so many characters between neighbours")
    ordered: bool = Field(False, description="whether they stand in this order")


class Count(Model):
    """A text condition's hits, counted over the post."""

    of: Condition = Field(description="a text condition: terms, list or regex")
    at_least: int = Field(ge=1, description="so many hits that do not overlap")
    distinct: bool = Field(False, description="count each matched text once")


class FieldTest(Model):
    """Tests of one attribute of the post; a missing attribute is unknown."""

    name: Text = Field(description="dotted path: author.age_days")
    lt: Text | None = Field(None, description="less than this number, or before this date")
    le: Text | None = Field(None, description="this number or less, at this date or before")
    gt: Text | None = Field(None, description="more than this number, or after this date")
    ge: Text | None = Field(None, description="this number or more, at this date or after")
    eq: Text | None = Field(None, description="this value")
    in_: Texts | None = Field(None, alias="in", description="one of these values")
    exists: bool | None = Field(None, description="true: the post has it; false: it has not")


class LanguageTest(Model):
    """The detected languages of the post."""

    is_: Names = Field(alias="is", description="language codes: zh, en, zh-Latn")
    share: float = Field(
        0.0, ge=0, le=1, allow_inf_nan=False, description="they hold at least this share; any share if 0"
    )


class ClassifierTest(Model):
    """What the policy's classifier says of the post; unknown where it has no head for its language."""

    category: Slug = Field(description="what a head of the model finds: offence, spam")
    above: float = Field(gt=0, lt=1, allow_inf_nan=False, description="its score, from 0 to 1, is greater")


class Condition(Model):
    """Exactly one kind, and the options that go with it."""

    terms: Texts | None = Field(None, description="any of these stands in the text, on its edges")
    list: Names | None = Field(None, description="any term of these lists of the pack")
    regex: Text | None = Field(None, description="a regular expression over the folded text")
    near: Near | None = Field(None, description="hits of several conditions stand near each other in one field")
    count: Count | None = Field(None, description="a condition has so many hits in the post")
    field: FieldTest | None = Field(None, description="tests of one attribute of the post, as author.age_days")
    language: LanguageTest | None = Field(None, description="the post is in one of these languages")
    classifier: ClassifierTest | None = Field(None, description="the classifier's score for a category")
    rate: dict[str, Any] | None = Field(None, description="not available in this version")
    all_: tuple[Condition, ...] | None = Field(None, alias="all", description="every one holds")
    any_: tuple[Condition, ...] | None = Field(None, alias="any", description="at least one holds")
    not_: Condition | None = Field(None, alias="not", description="this one does not hold")
    edges: Literal["script", "words", "none"] | None = Field(None, description="terms: script; regexes: none")
    fields: Names | None = Field(None, description="look in these text fields only")
    except_: Texts | None = Field(None, alias="except", description="hits that overlap one of these don't count")
    except_list: Names | None = Field(None, description="the same, from lists of the pack")
    view: Literal["folded", "original"] | None = Field(None, description="regexes: which reading of the text")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are given: exactly one in a valid condition."""
        given = self.__dict__
        return tuple([kind for kind, name in _KIND_FIELDS if given[name] is not None])

    @model_validator(mode="after")
    def _one_kind(self) -> Condition:
        if len(self.kinds) != 1:
            raise PydanticCustomError(
                "kinds", "kinds", {"kinds": " and ".join(f"`{kind}`" for kind in self.kinds) or "none"}
            )
        return self


_KIND_FIELDS = tuple((kind, f"{kind}_" if kind in ("all", "any", "not") else kind) for kind in KINDS)


class Examples(Model):
    """Posts that hold the rule to what its author meant."""

    hit: tuple[Example, ...] = Field(description="the rule must hold")
    miss: tuple[Example, ...] = Field(description="the rule must not hold")


class Rule(Model):
    """One condition and what follows."""

    id: Slug = Field(description="unique in the pack: lower-case letters, digits and hyphens")
    verdict: Literal["allow", "flag", "block"] = Field(description="what the rule says of the posts that it holds for")
    category: Slug | None = Field(None, description="the pack's unless given")
    severity: int = Field(ge=0, le=100, description="orders reasons and review")
    mode: Literal["live", "shadow"] = Field("live", description="shadow: reported, but decides nothing")
    over: tuple[Slug, ...] = Field((), description="allow rules: the categories that it overrides")
    from_: Instant = Field(None, alias="from", description="holds for posts created at or after this")
    until: Instant = Field(None, description="holds for posts created before this")
    sample: str | None = Field(None, description="not available in this version")
    audiences: tuple[str, ...] | None = Field(None, description="not available in this version")
    resist: tuple[Trick, ...] | None = Field(
        None, description="tricks of evasion that its terms are seen through; the pack's or the policy's unless given"
    )
    when: Condition = Field(description="the rule holds where this holds")
    unless: Condition | None = Field(None, description="and where this does not: it vetoes the whole rule")
    examples: Examples = Field(description="posts that the rule must hold for, and posts that it must not")
    reason: Annotated[dict[str, Text], WithJsonSchema(_REASON)] = Field(
        description="what is told to people, by language: en and zh at least"
    )


class TermList(Model):
    """A list of terms: inline, or a file with a term a line."""

    terms: Texts | None = Field(None, description="the terms")
    file: Text | None = Field(None, description="a file with one term a line, relative to the pack")

    @model_validator(mode="before")
    @classmethod
    def _inline(cls, value: Any) -> Any:
        return {"terms": value} if isinstance(value, list) else value


_TERM_LIST = {
    "anyOf": [
        {"type": "array", "items": _ANY_SCALAR, "minItems": 1},
        {
            "type": "object",
            "properties": {"file": {"type": "string", "description": "one term a line, relative to the pack"}},
            "required": ["file"],
            "additionalProperties": False,
        },
    ]
}


class PackFile(Model):
    """A pack: rules with an id, a version and the languages that it serves."""

    pack: PackId = Field(description="id, as in zh/spam")
    version: Text = Field(description="of these rules, as in 2026.11.1")
    about: Text = Field(description="what the pack is for, in one line")
    languages: Names = Field(description="language codes, or '*' for any")
    category: Slug = Field(description="what its rules find, unless they say otherwise")
    resist: tuple[Trick, ...] | None = Field(
        None, description="tricks of evasion that terms are seen through; the policy's unless given"
    )
    lists: dict[Text, Annotated[TermList, WithJsonSchema(_TERM_LIST)]] = Field(
        {}, description="terms by name, for `list` and `except_list`"
    )
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)] = Field(description="in any order: all are judged")


class Limits(Model):
    """Bounds on the work for one post."""

    post_chars: int = Field(20_000, ge=1, le=1_000_000, description="code points of a post that are judged")
    regex_ms: float = Field(20.0, gt=0, le=10_000, allow_inf_nan=False, description="time for one regex on one field")


class Uncovered(Model):
    """What a post gets that is mostly in languages which no live pack serves."""

    verdict: Literal["allow", "flag"] = Field(description="what such a post gets")
    share: float = Field(0.5, gt=0, le=1, allow_inf_nan=False, description="where they hold at least this share of it")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"verdict": value} if isinstance(value, str) else value


_UNCOVERED = {
    "anyOf": [
        {"enum": ["allow", "flag"]},
        {
            "type": "object",
            "properties": {
                "verdict": {"enum": ["allow", "flag"]},
                "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.5},
            },
            "required": ["verdict"],
            "additionalProperties": False,
        },
    ]
}


class PolicyFile(Model):
    """Which packs are live, which languages go where, and what happens at the margins."""

    policy: Slug = Field(description="id of this policy")
    packs: Names = Field(description="globs of pack ids: zh/*")
    routes: dict[str, Names] | None = Field(None, description="packs by language; '*' for every language")
    uncovered: Annotated[Uncovered, WithJsonSchema(_UNCOVERED)] = Field(
        Uncovered(verdict="flag", share=0.5), description="posts in languages that no live pack serves"
    )
    unknown: Literal["allow", "flag"] = Field("flag", description="a post whose verdict hangs on an unknown signal")
    over: tuple[Slug, ...] = Field((), description="the `over` of allow rules that give none")
    fields: Names = Field(TEXT_FIELDS, description="keys of a post that are text")
    limits: Limits = Field(Limits(post_chars=20_000, regex_ms=20.0), description="bounds on the work for one post")
    languages: Names | None = Field(
        None, description="languages that detection chooses from; others are named where they are plain"
    )
    cjk_english: float = Field(
        6.0,
        ge=0,
        le=50,
        allow_inf_nan=False,
        description="evidence for English that Latin letters in CJK posts start with",
    )
    detection: Literal["close", "quick"] = Field(
        "close", description="close: doubtful Latin text is read a second time; quick: once, in half the time"
    )
    classifier: Text | None = Field(None, description="the model that rules ask, relative to this file")
    audiences: dict[str, Any] | None = Field(None, description="not available in this version")
    resist: tuple[Trick, ...] = Field((), description="tricks of evasion that terms are seen through")
