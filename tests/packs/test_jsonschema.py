"""JSON Schema for editors: what ships is what the models say, and it says what a key is for."""

from __future__ import annotations

import json

import pytest

from moderation.packs.jsonschema import MODELS, dump_schema, json_schema
from moderation.packs.load import bundled_rules


@pytest.mark.parametrize("kind", list(MODELS))
def test_shipped_schemas_are_those_of_the_models(kind: str) -> None:
    shipped = bundled_rules() / f"{kind}.schema.json"
    assert shipped.read_text("utf-8") == dump_schema(kind), f"run: moderation schema {kind} > rules/{kind}.schema.json"
    assert json.loads(shipped.read_text("utf-8")) == json_schema(kind)
    assert json_schema(kind)["additionalProperties"] is False


def test_shipped_files_point_editors_at_the_schema() -> None:
    for file in bundled_rules().rglob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / schema).resolve().is_file(), f"{file}: {first}"


@pytest.mark.parametrize("kind", list(MODELS))
def test_keys_are_described_and_never_null(kind: str) -> None:
    schema = json_schema(kind)
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        assert [key for key, value in part["properties"].items() if not value.get("description")] == []
    assert '"null"' not in dump_schema(kind)


def test_editors_complete_what_is_chosen_from() -> None:
    rule = json_schema("pack")["$defs"]["Rule"]["properties"]
    assert rule["verdict"]["enum"] == ["allow", "flag", "block"]
    assert rule["mode"]["default"] == "live"
    assert json_schema("pack")["$defs"]["Condition"]["properties"]["edges"]["enum"] == ["script", "words", "none"]


def test_short_forms_are_allowed() -> None:
    pack, policy = json_schema("pack")["properties"], json_schema("policy")["properties"]
    assert pack["lists"]["additionalProperties"]["anyOf"][0]["type"] == "array"
    assert {"enum": ["allow", "flag"]} in policy["uncovered"]["anyOf"]
    assert "number" in pack["version"]["type"], "1.0 is a number to an editor"
