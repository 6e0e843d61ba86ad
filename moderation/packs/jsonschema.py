"""JSON Schema of packs and policies, for editors: made from the models that validate."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from moderation.packs.schema import Model, PackFile, PolicyFile

MODELS: dict[str, type[Model]] = {"pack": PackFile, "policy": PolicyFile}


class _Generator(GenerateJsonSchema):
    """Keys that may be left out, but not be null; no titles, which say the key again."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default", ()) in (None, (), [], {}):
            found.pop("default", None)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of `pack` or `policy` files. Raises KeyError for another kind."""
    schema = MODELS[kind].model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": f"moderation {kind}"}


def dump_schema(kind: str) -> str:
    """The schema as text, the same every time."""
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
