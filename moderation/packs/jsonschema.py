"""JSON Schema of packs and policies, for editors: made from the models that validate."""

from __future__ import annotations

import json
from typing import Any

from moderation.packs.schema import Model, PackFile, PolicyFile

MODELS: dict[str, type[Model]] = {"pack": PackFile, "policy": PolicyFile}


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of `pack` or `policy` files. Raises KeyError for another kind."""
    schema = MODELS[kind].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": f"moderation {kind}"}


def dump_schema(kind: str) -> str:
    """The schema as text, the same every time."""
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
