"""ASGI middleware: judges named JSON fields of named routes before the application sees them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

import msgspec

from moderation.errors import PostError
from moderation.service.moderator import Moderator

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BODY = 1 << 20


class ModerationMiddleware:
    """Judges what is sent (POST, PUT, PATCH) to `routes`, paths with the JSON fields that hold text.

    The application finds the decision as `scope["state"]["moderation"]`; a blocked post is answered with 422 and never
    reaches it, unless `block` is false. A body that is no JSON object, or has none of the fields, goes through as it
    is. One larger than `body` bytes is answered with 413.
    """

    def __init__(
        self,
        app: App,
        moderator: Moderator,
        routes: Mapping[str, Sequence[str]],
        block: bool = True,
        body: int = BODY,
    ) -> None:
        self._app, self._moderator, self._routes = app, moderator, dict(routes)
        self._block, self._most = block, body

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Judge, then hand on."""
        fields = self._routes.get(scope.get("path", ""), ()) if scope["type"] == "http" else ()
        if not fields or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._body(receive)
        except ConnectionAbortedError:  # nobody waits for an answer
            return
        if body is None:
            await _answer(send, 413, {"code": "H413", "message": f"the body is larger than {self._most:,} bytes"})
            return
        decision = await self._decided(body, fields)
        if decision is not None:
            scope.setdefault("state", {})["moderation"] = decision
            if decision.verdict == "blocked" and self._block:
                rules = [reason.rule for reason in decision.reasons]
                await _answer(send, 422, {"code": "blocked", "message": "this cannot be posted", "rules": rules})
                return
        await self._app(scope, _replayed(body, receive), send)

    async def _body(self, receive: Receive) -> bytes | None:
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise ConnectionAbortedError
            part = message.get("body", b"")
            size += len(part)
            if size > self._most:
                return None
            parts.append(part)
            more = message.get("more_body", False)
        return b"".join(parts)

    async def _decided(self, body: bytes, fields: Sequence[str]) -> Any:
        sent = _decoded(body)
        texts = [(name, sent[name]) for name in fields if isinstance(sent, dict) and isinstance(sent.get(name), str)]
        if not texts:
            return None
        from moderation.post import Post

        try:
            return await self._moderator.adecide(Post(None, tuple(texts), sent))
        except PostError:
            return None


def _decoded(body: bytes) -> Any:
    """What an application may read in a body: Python's own reader takes UTF-16, NaN and lone surrogates as well, which
    must be no way around.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _answer(send: Send, status: int, error: Mapping[str, Any]) -> None:
    body = json.dumps({"error": error}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
