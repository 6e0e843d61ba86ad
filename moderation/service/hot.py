"""The route that is asked most, `POST /v1/decide`, before what reads requests for the others: bytes in, bytes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from moderation.errors import PostError
from moderation.service import bodies
from moderation.service.keys import Keys
from moderation.service.limits import HttpError, Limits
from moderation.service.metrics import Metrics
from moderation.service.moderator import Moderator

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

ROUTE = "/v1/decide"
_STATUS = {bodies.NO_JSON: (400, "H400"), bodies.NO_POSTS: (422, "H422")}


class Decide:
    """Middleware that answers the route itself."""

    def __init__(self, app: App, moderator: Moderator, keys: Keys, limits: Limits, metrics: Metrics) -> None:
        self._app, self._moderator, self._keys, self._limits = app, moderator, keys, limits
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http" or scope["path"] != ROUTE:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        try:
            if scope["method"] != "POST":
                raise HttpError(405, "H405", f"POST {ROUTE}", allow=b"POST")
            json, engine = await self._decided(scope["headers"], receive)
            status, headers = 200, [(b"x-engine", engine.encode())]
        except PostError as error:
            status, code = _STATUS.get(error.code, (422, error.code))
            status, json, headers = HttpError(status, code, error.message).answer()
        except HttpError as error:
            status, json, headers = error.answer()
        except ConnectionAbortedError:  # nobody waits for an answer
            return
        self._metrics.request(ROUTE, status, time.perf_counter() - started)
        headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(json))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json})

    async def _decided(self, headers: Headers, receive: Receive) -> tuple[bytes, str]:
        told = dict(headers)
        self._keys.check(told, "decide")
        if self._moderator.waiting >= self._moderator.waiting_limit:
            raise HttpError(429, "H429", "too many posts wait to be judged: come again", retry=1)
        body = await body_of(told, receive, self._limits)
        posts = bodies.count(body)
        if posts > self._limits.posts:
            raise HttpError(413, "H413", f"{posts:,} posts are more than {self._limits.posts:,}: send fewer at a time")
        return await self._moderator.adecide_json(body, posts)


async def body_of(headers: MutableMapping[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """The whole body. Raises HttpError: 413 for one that is too large, told or not, 408 for one that does not come."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > limits.body:
        raise limits.too_large()
    try:
        async with asyncio.timeout(limits.seconds):
            return await _read(receive, limits)
    except TimeoutError:
        raise HttpError(
            408, "H408", f"the body did not come within {limits.seconds:g} s: send it at once", close=True
        ) from None


async def _read(receive: Receive, limits: Limits) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limits.body:
            raise limits.too_large()
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)
