"""A service that takes posts in and judges each before it is shown.

pip install 'moderation[service]'
uvicorn examples.ingestion_service:app

curl -d '{"id": 1, "text": "加我微信 abc12345"}' http://127.0.0.1:8000/posts
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException

from moderation import Decision, Moderator, Post

shown: dict[Any, dict[str, Any]] = {}
queue: list[tuple[Post, Decision]] = []
moderator: Moderator


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    global moderator
    # The bundled rules; give a folder of your own and watch=True to reload them as they change.
    with Moderator(on_flagged=lambda post, decision: queue.append((post, decision))) as moderator:
        yield


app = FastAPI(lifespan=life)


@app.post("/posts")
async def publish(post: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
    decision = await moderator.adecide(post)
    if decision.verdict == "blocked":
        raise HTTPException(422, [reason.message for reason in decision.reasons])
    shown[post.get("id")] = post
    return {"verdict": decision.verdict, "waiting_for_review": len(queue)}
