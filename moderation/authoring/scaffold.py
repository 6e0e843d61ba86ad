"""Scaffolds a pack in another language: the same rules, with the terms left to translate beside those of the source."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from moderation.errors import ModerationError
from moderation.packs.load import Pack, RuleBook
from moderation.text.codes import is_language_tag, nearest_tags

# What is in the words of the source's language.
_TO_TRANSLATE = ("terms", "except", "hit", "miss")
_WIDTH = 100
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./ ")


def scaffold(book: RuleBook, language: str, source: str) -> str:
    """A pack file for `language` with the rules of the pack `source`: same ids, categories, verdicts, conditions.

    Lists of terms and examples are empty, with those of the source as comments above: `moderation check` names every
    one that is still to be written. Regexes and tests of fields stand as they are. Raises ModerationError
    where there is no such pack or language.
    """
    pack = _pack(book, source)
    _check_language(language, pack)
    content: dict[str, Any] = yaml.load(book.sources[pack.path], yaml.BaseLoader)
    name = pack.id.partition("/")[2]
    content |= {"pack": f"{language}/{name}", "languages": [language]}
    for key, value in content.get("lists", {}).items():
        content["lists"][key] = {"terms": list(pack.lists[key])} if isinstance(value, Mapping) else value
    glosses = {rule["id"]: rule["reason"].get("en", "") for rule in content["rules"]}
    lines = [
        f"# Scaffolded from {pack.id} {pack.file.version}. Write the terms as people do, not word for word;",
        "# `moderation check` on this file names what is still empty. Delete rules that don't fit the language.",
        *_mapping(content, 0, glosses),
    ]
    return "\n".join(lines) + "\n"


def _pack(book: RuleBook, source: str) -> Pack:
    found = {pack.id: pack for pack in book.packs}
    if source in found:
        return found[source]
    raise ModerationError(f"there is no pack {source!r}: choose one of {', '.join(sorted(found))}")


def _check_language(language: str, pack: Pack) -> None:
    if not is_language_tag(language):
        meant = "".join(f": did you mean {tag}?" for tag in nearest_tags(language)[:1])
        raise ModerationError(f"{language!r} is no language tag{meant}")
    if language in pack.file.languages:
        raise ModerationError(f"{pack.id} is in {language!r} already: name another language")


def _mapping(content: Mapping[str, Any], indent: int, glosses: Mapping[str, str]) -> Iterator[str]:
    pad = " " * indent
    for key, value in content.items():
        listed = key in _TO_TRANSLATE or (indent == 2 and isinstance(value, list) and "rules" not in content)
        if listed and isinstance(value, list):
            yield from _to_translate(key, value, pad)
        elif key == "rules":
            yield f"{pad}rules:"
            for rule in value:
                yield f"{pad}  # {glosses[rule['id']]}"
                yield from _item(rule, indent + 2, glosses)
        elif isinstance(value, Mapping) and value:
            yield f"{pad}{key}:"
            yield from _mapping(value, indent + 2, glosses)
        elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
            yield f"{pad}{key}:"
            for one in value:
                yield from _item(one, indent + 2, glosses)
        else:
            yield f"{pad}{key}: {_inline(value)}"


def _item(value: Any, indent: int, glosses: Mapping[str, str]) -> Iterator[str]:
    pad = " " * indent
    if not isinstance(value, Mapping):
        yield f"{pad}- {_inline(value)}"
        return
    lines = list(_mapping(value, indent + 2, glosses))
    first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (line.replace("  #", "#", 1) if line.startswith(pad + "  #") else line for line in lines[:first])
    yield f"{pad}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def _to_translate(key: str, value: list[Any], pad: str) -> Iterator[str]:
    """An empty list under the source's entries as comments: examples one a line, terms as many as fit."""
    shown = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in value]
    lines = shown if key in ("hit", "miss") else textwrap.wrap(" | ".join(shown), _WIDTH, break_long_words=False)
    yield from (f"{pad}#   {' '.join(line.split())}" for line in lines)
    yield f"{pad}{key}: []"


def _inline(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_inline(one)}" for key, one in value.items()) + "}"
    text = str(value)
    if text and set(text) <= _PLAIN and text == text.strip() and not text.startswith("-"):
        return text
    return "'" + text.replace("'", "''") + "'"
