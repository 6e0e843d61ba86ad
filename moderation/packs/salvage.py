"""The sound part of a broken file, so that a misspelled key doesn't hide what else is wrong in the same file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from moderation.packs.schema import Model, PackFile, PolicyFile

M = TypeVar("M", bound=Model)
_SOUND: Mapping[type[Model], Mapping[str, Any]] = {
    PackFile: {"pack": "broken", "version": "0", "about": "broken", "languages": ("*",), "category": "broken"},
    PolicyFile: {"policy": "broken", "packs": ("*",)},
}


def salvage(model: type[M], data: Any) -> M | None:
    """A file with every broken key, list and rule replaced by one that nothing can be said of, or None.

    Rules keep their numbers, so that places still are those of the file.
    """
    if not isinstance(data, dict):
        return None
    broken = _broken(model, data)
    sound = {key: value for key, value in data.items() if key in model.model_fields and (key,) not in broken}
    for key, stand_in in (("rules", _sound_rule), ("lists", _sound_list)):
        if key in sound:
            sound[key] = _mended(sound[key], key, broken, stand_in)
    try:
        return model.model_validate({**_SOUND[model], **sound})
    except ValidationError:
        return None


def _broken(model: type[Model], data: Any) -> set[tuple[str | int, ...]]:
    """Where something is wrong: (key,), or for rules and lists (key, number or name)."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        places = [item["loc"] for item in error.errors(include_url=False, include_input=False)]
        return {loc[:2] if loc[0] in ("rules", "lists") else loc[:1] for loc in places if loc}
    return set()


def _mended(
    items: Any, key: str, broken: set[tuple[str | int, ...]], stand_in: Callable[[int | str], dict[str, Any]]
) -> Any:
    if isinstance(items, dict):
        return {name: stand_in(name) if (key, name) in broken else item for name, item in items.items()}
    return [stand_in(number) if (key, number) in broken else item for number, item in enumerate(items)]


def _sound_list(_: int | str) -> dict[str, Any]:
    return {"terms": ["broken"]}


def _sound_rule(index: int | str) -> dict[str, Any]:
    return {
        "id": f"broken-{index}",
        "verdict": "flag",
        "severity": 0,
        "when": {"terms": ["broken"]},
        "examples": {"hit": ["broken"], "miss": ["sound"]},
        "reason": {"en": "broken", "zh": "broken"},
    }
