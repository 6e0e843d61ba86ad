"""The middleware: named fields of named routes, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from moderation import Moderator
from moderation.adapters.asgi import ModerationMiddleware


def app(moderator: Moderator, **options: Any) -> Any:
    inner = FastAPI()

    @inner.post("/posts")
    @inner.post("/other")
    async def posts(request: Request) -> dict[str, Any]:
        decision = getattr(request.state, "moderation", None)
        return {"verdict": decision and decision.verdict, "body": (await request.body()).decode()}

    return ModerationMiddleware(inner, moderator, {"/posts": ("title", "body")}, **options)


def ask(application: Any, path: str, content: bytes) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(path, content=content)

    return asyncio.run(send())


def test_what_the_application_sees(moderator: Moderator) -> None:
    application = app(moderator)
    for path, sent, verdict in (
        ("/posts", {"title": "hello", "body": "casino"}, "flagged"),
        ("/posts", {"title": "你好"}, "allowed"),
        ("/posts", {"text": "terrible"}, None),
        ("/posts", {"title": ["terrible"]}, None),
        ("/other", {"title": "terrible"}, None),
        ("/posts", ["terrible"], None),
    ):
        found = ask(application, path, json.dumps(sent).encode()).json()
        assert found == {"verdict": verdict, "body": json.dumps(sent)}, sent
    assert ask(application, "/posts", b"{").json()["verdict"] is None


@pytest.mark.parametrize(
    "sent",
    [
        '{"title": "terrible"}'.encode("utf-16"),
        '{"title": "terrible"}'.encode("utf-32-le"),
        b'\xef\xbb\xbf{"title": "terrible"}',
        b'{"title": "terrible", "n": NaN}',
        b'{"title": "terrible \\ud800"}',
        b'{"title": "hello", "title": "terrible"}',
        b'{"t\\u0069tle": "terrible"}',
    ],
)
def test_no_way_around_by_how_it_is_written(moderator: Moderator, sent: bytes) -> None:
    """What the application would read, as `json.loads` does, is judged."""
    assert json.loads(sent)["title"].startswith("terrible")
    assert ask(app(moderator), "/posts", sent).status_code == 422


def test_who_hangs_up_in_the_middle(moderator: Moderator) -> None:
    """Half a body is no post: neither judged nor handed on."""
    messages = iter([{"type": "http.request", "body": b'{"title"', "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def never(*_: Any) -> None:
        raise AssertionError

    guarded = ModerationMiddleware(never, moderator, {"/posts": ("title",)})
    asyncio.run(guarded({"type": "http", "method": "POST", "path": "/posts"}, receive, never))


def test_what_it_never_sees(moderator: Moderator) -> None:
    sent = json.dumps({"title": "terrible"}).encode()
    blocked = ask(app(moderator), "/posts", sent)
    assert blocked.status_code == 422 and blocked.json()["error"]["rules"] == ["x/one/bad"]
    assert ask(app(moderator, block=False), "/posts", sent).json()["verdict"] == "blocked"
    assert ask(app(moderator, body=10), "/posts", sent).status_code == 413
