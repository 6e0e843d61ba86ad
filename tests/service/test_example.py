"""The example service does what it shows."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import httpx

EXAMPLE = Path(__file__).parents[2] / "examples" / "ingestion_service.py"


def test_the_ingestion_service() -> None:
    spec = importlib.util.spec_from_file_location("ingestion_service", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert len(EXAMPLE.read_text("utf-8").splitlines()) <= 45

    async def ask() -> list[Any]:
        posts = ({"id": 1, "text": "今天天气真好"}, {"id": 2, "text": "加我微信 abc12345"})
        async with (
            module.life(module.app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app=module.app), base_url="http://test") as client,
        ):
            return [(await client.post("/posts", json=post)).json() for post in posts]

    assert asyncio.run(ask()) == [
        {"verdict": "allowed", "waiting_for_review": 0},
        {"verdict": "flagged", "waiting_for_review": 1},
    ]
    assert set(module.shown) == {1, 2}
