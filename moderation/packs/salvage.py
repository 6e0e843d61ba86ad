"""The sound part of a broken pack, so that a misspelled key doesn't hide what else is wrong in the same file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from moderation.packs.schema import PackFile

_SOUND: Mapping[str, Any] = {
    "pack": "broken",
    "version": "0",
    "about": "broken",
    "languages": ("*",),
    "category": "broken",
    "resist": (),
    "rules": (),
}


def salvage(data: Any) -> PackFile | None:
    """The pack with every broken rule and key replaced by one that nothing can be said of; rules keep their numbers.

    None where too little is left: no keys, or broken lists, without which conditions can't be checked.
    """
    if not isinstance(data, dict):
        return None
    broken = _broken(data)
    if "lists" in broken or not isinstance(data.get("rules"), list):
        return None
    sound = {key: value for key, value in data.items() if key in PackFile.model_fields and key not in broken}
    rules = [_sound_rule(index) if index in broken else rule for index, rule in enumerate(data["rules"])]
    try:
        return PackFile.model_validate({**_SOUND, **sound, "rules": rules})
    except ValidationError:
        return None


def _broken(data: Any) -> set[str | int]:
    """The keys and the numbers of the rules that are wrong."""
    try:
        PackFile.model_validate(data)
    except ValidationError as error:
        places = [item["loc"] for item in error.errors(include_url=False, include_input=False)]
        return {loc[1] if loc[0] == "rules" and len(loc) > 1 else loc[0] for loc in places if loc}
    return set()


def _sound_rule(index: int) -> dict[str, Any]:
    return {
        "id": f"broken-{index}",
        "verdict": "flag",
        "severity": 0,
        "when": {"terms": ["broken"]},
        "examples": {"hit": ["broken"], "miss": [""]},
        "reason": {"en": "broken", "zh": "broken"},
    }
