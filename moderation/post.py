"""What is judged: a post, its text fields and its attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

import msgspec

from moderation.errors import PostError

TEXT_FIELDS = ("text", "title", "body", "caption", "description", "comment", "tags", "ocr", "transcript")
DECLARED_LANGUAGE = ("language", "lang")
NO_TEXT = "P002"
_EXACT = 2**53

PostId: TypeAlias = str | int | None
PostLike: TypeAlias = "str | Mapping[str, Any] | Post"


class Post(msgspec.Struct, frozen=True, gc=False):
    """A post: `fields` are its (name, text) pairs, `attributes` all that is not text (`author.id`, `created_at` …)."""

    id: PostId
    fields: tuple[tuple[str, str], ...]
    attributes: Mapping[str, Any] = {}

    @classmethod
    def of(cls, value: PostLike, text_fields: Iterable[str] = TEXT_FIELDS) -> Post:
        """Read a text, a mapping or a post.

        A list of texts in one field becomes one field an item: `tags[0]`, `tags[1]` …
        Raises PostError: P001 (not a post), P002 (no text field), P003 (a text field that is no text), P004 (a bad id).
        """
        # A feed is plain dicts: to ask one whether it is a post or some other mapping takes longer than all the rest.
        if type(value) is dict:
            return cls(_read_id(value.get("id")), _read_fields(value, text_fields), value)
        if isinstance(value, Post):
            return value
        if isinstance(value, str):
            return cls(None, (("text", value),))
        if not isinstance(value, Mapping):
            raise PostError("P001", f"a post is a text or an object, not {_kind(value)}")
        return cls(_read_id(value.get("id")), _read_fields(value, text_fields), value)


def attribute(attributes: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path (`author.age_days`), None where there is none; a key with dots wins over nesting."""
    if path in attributes:
        return attributes[path]
    value: Any = attributes
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def declared_language(attributes: Mapping[str, Any]) -> str | None:
    """What the post itself says its language is: a hint for detection, never an order."""
    for name in DECLARED_LANGUAGE:
        if name in attributes and isinstance(value := attributes[name], str) and value:
            return value
    return None


def _read_id(value: Any) -> PostId:
    if value is None or isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return int(value)  # a column of numbers in which some are missing holds them as 7.0
    raise PostError("P004", f"`id` is a text or a whole number, not {_kind(value)}")


def _read_fields(record: Mapping[str, Any], text_fields: Iterable[str]) -> tuple[tuple[str, str], ...]:
    present = [name for name in text_fields if name in record]
    if len(present) == 1 and type(value := record[present[0]]) is str:
        return ((present[0], value),)
    found = tuple(item for name in present if record[name] is not None for item in _read_items(name, record[name]))
    if not found:
        raise PostError(NO_TEXT, no_text(record, text_fields))
    return found


def _read_items(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(name, value)]
    if isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        return [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    raise PostError("P003", f"`{name}` is a text or a list of texts, not {_kind(value)}")


def no_text(record: Mapping[str, Any], text_fields: Iterable[str]) -> str:
    """Where text was looked for, and what there is."""
    if empty := [name for name in text_fields if name in record]:
        return f"no text: `{empty[0]}` holds nothing"
    has = ", ".join(f"`{key}`" for key in list(record)[:8]) or "nothing"
    wanted = ", ".join(f"`{name}`" for name in text_fields)
    return f"no text: the post has {has}; text is looked for in {wanted}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return f"the number {value!r}"[:60]
    if isinstance(value, date | datetime):
        return f"the date {value}"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, bytes):
        return "bytes (decode them first)"
    return "a list" if isinstance(value, Sequence) and not isinstance(value, str) else type(value).__name__
