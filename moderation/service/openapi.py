"""The service's OpenAPI document."""

from __future__ import annotations

from typing import Any

import msgspec

from moderation.decision import Decision

_POST: dict[str, Any] = {
    "type": "object",
    "description": "A post: text in one of the policy's text fields, an id, and whatever rules ask for.",
    "properties": {"id": {"type": ["string", "integer", "null"]}, "text": {"type": "string"}},
    "required": ["text"],
}
_PROBLEMS = {
    "400": "The body is no JSON.",
    "401": "No known key.",
    "403": "The key may not do this.",
    "408": "The body did not come in time.",
    "413": "The body, or the list, is too large.",
    "422": "Not a post.",
    "429": "Too many posts wait; see Retry-After.",
    "503": "Not now.",
}


def document(version: str) -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    (decision,), parts = msgspec.json.schema_components([Decision], ref_template="#/components/schemas/{name}")
    many = {
        "type": "object",
        "properties": {"posts": {"type": "array", "items": {"anyOf": [_ref("Post"), {"type": "string"}]}}},
        "required": ["posts"],
        "additionalProperties": False,
    }
    decisions = {"type": "object", "properties": {"decisions": {"type": "array", "items": decision}}}
    free = {"type": "object"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "moderation", "version": version},
        "paths": {
            "/v1/decide": {
                "post": _route(
                    "Judge one post, or many.", {"anyOf": [_ref("Post"), many]}, {"anyOf": [decision, decisions]}
                )
            },
            "/v1/explain": {"post": _route("How a post is judged.", _ref("Post"), free)},
            "/v1/engine": {"get": _route("What judges.", None, free)},
            "/v1/reload": {"post": _route("Compile the rules again.", None, free, {"409": "They are not sound."})},
            "/healthz": {"get": _route("The process runs.", None, free)},
            "/readyz": {"get": _route("Posts are judged.", None, free)},
            "/metrics": {"get": _route("For Prometheus.", None, {"type": "string"}, media="text/plain")},
        },
        "components": {
            "schemas": {**parts, "Post": _POST, "Problem": _problem_schema()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}, {}],
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    error = {"type": "object", "properties": {"code": text, "message": text}, "required": ["code", "message"]}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}


def _route(
    about: str,
    body: dict[str, Any] | None,
    answer: dict[str, Any],
    more: dict[str, str] | None = None,
    media: str = "application/json",
) -> dict[str, Any]:
    problem = {"application/json": {"schema": _ref("Problem")}}
    problems = {code: {"description": why, "content": problem} for code, why in _PROBLEMS.items()}
    others = {
        code: {"description": why, "content": {"application/json": {"schema": {"type": "object"}}}}
        for code, why in (more or {}).items()
    }
    answers = {"200": {"description": "Done.", "content": {media: {"schema": answer}}}, **problems, **others}
    route: dict[str, Any] = {"summary": about, "responses": answers}
    if body is not None:
        route["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return route
