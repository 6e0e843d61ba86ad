"""The hook: same decisions as the engine's, from any thread or loop, and no exception whatever happens."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import moderation
from moderation import Decision, Moderator, Post, PostError
from moderation.decision import OVERLOAD, TIMEOUT
from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.service.bodies import Body
from moderation.service.frames import Judge, Request, Said
from moderation.service.lanes import Done, Lane, Room

from .conftest import write_rules

POSTS: list[Any] = [
    "casino",
    {"id": 7, "text": "加微信 hello"},
    Post("p", (("title", "terrible"), ("body", "ok"))),
    "नमस्ते",
    "مرحبا",
    "👍🏽",
    "",
    {"id": "t", "text": "x", "created_at": "2026-01-02T03:04:05Z", "author": {"age_days": 3}},
]


def test_decisions_are_those_of_the_engine(moderator: Moderator, rules: Path) -> None:
    engine = moderation.load(rules)
    expected = [decision.to_json() for decision in engine.decide_batch(POSTS)]
    assert [decision.to_json() for decision in moderator.decide_batch(POSTS)] == expected
    assert [moderator.decide(post).to_json() for post in POSTS] == expected
    assert moderator.fingerprint == engine.fingerprint and moderator.alive


@pytest.mark.parametrize("identity", [10**30, -(10**25), 1 << 64, "a\ud800", (1 << 64) - 1])
def test_ids_of_any_length_come_back_and_take_nobody_along(moderator: Moderator, rules: Path, identity: Any) -> None:
    posts: list[Any] = [{"id": 1, "text": "hello"}, {"id": identity, "text": "casino", "n": 10**40}]
    expected = [decision.to_json() for decision in moderation.load(rules).decide_batch(posts)]
    restarts = moderator.restarts

    async def ask() -> list[Decision]:
        return await asyncio.gather(*map(moderator.adecide, posts))

    async def ask_json() -> list[bytes]:
        bodies = [*map(json_of, posts), b'{"posts": [' + b", ".join(map(json_of, posts)) + b"]}"]
        asked = (moderator.adecide_json(body, posts) for body, posts in zip(bodies, (1, 1, 2), strict=True))
        return [answer.json for answer in await asyncio.gather(*asked)]

    assert [decision.to_json() for decision in moderator.decide_batch(posts)] == expected
    assert [decision.to_json() for decision in asyncio.run(ask())] == expected
    assert b"casino" in asyncio.run(moderator.aexplain(posts[1]))
    if isinstance(identity, int):
        one, other, both = asyncio.run(ask_json())
        assert [one, other] == expected and both == b'{"decisions":[' + b",".join(expected) + b"]}"
        answers = moderator.begin_json([Body(json_of(post)) for post in posts])()
        assert answers is not None and [said.json for said in answers if isinstance(said, Said)] == expected
    assert moderator.restarts == restarts and moderator.alive


def json_of(post: Any) -> bytes:
    return json.dumps(post).encode()


def test_many_callers_at_once(moderator: Moderator) -> None:
    async def ask() -> list[Decision]:
        return await asyncio.gather(*(moderator.adecide({"id": at, "text": f"casino {at}"}) for at in range(3000)))

    decisions = asyncio.run(ask())
    assert [decision.id for decision in decisions] == list(range(3000))
    assert {decision.verdict for decision in decisions} == {"flagged"}
    assert moderator.waiting == 0


def test_an_engine_judges_on_a_thread(rules: Path) -> None:
    with Moderator(moderation.load(rules)) as found:
        assert found.decide("terrible").verdict == "blocked"
        assert asyncio.run(found.adecide("casino")).verdict == "flagged"
        assert asyncio.run(found.adecide_batch(["casino", "hello"]))[1].verdict == "allowed"


def test_what_cannot_be_read_is_said(moderator: Moderator) -> None:
    with pytest.raises(PostError, match="P002"):
        moderator.decide({"id": 1})
    with pytest.raises(PostError, match="P001"):
        asyncio.run(moderator.adecide(7))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "post",
    [
        "casino \ud800 x",
        {"text": "casino", "n": -(10**30), "deep": [{"\udfff": 10**400}]},
        {"text": "casino", "odd": {1, 2}, "when": date(2026, 1, 1), 5: b"x"},
    ],
)
def test_what_other_processes_cannot_be_told_as_it_is(moderator: Moderator, post: Any) -> None:
    assert moderator.decide(post).verdict == "flagged"


def test_callbacks_hear_and_may_fail(rules: Path, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def fail(post: Post, decision: Decision) -> None:
        raise ValueError("no")

    engine = moderation.load(rules)
    with Moderator(engine, on_flagged=lambda post, decision: heard.append(post.fields[0][1]), on_blocked=fail) as found:
        found.decide("casino")
        assert found.decide("terrible secret").verdict == "blocked"
    assert heard == ["casino"]
    assert "a callback failed" in caplog.text and "secret" not in caplog.text


def test_surges_are_heard(rules: Path) -> None:
    heard: list[str] = []
    with Moderator(moderation.load(rules), on_surge=lambda surge: heard.append(surge.message)) as found:
        for day in range(1, 6):
            for hour in range(24):
                text = "good morning everybody" if day == 5 and hour > 10 else "今天天气真好啊朋友们"
                post = {"text": text, "created_at": f"2026-01-{day:02}T{hour:02}:00:00Z"}
                found.decide_batch([post] * 120)
    assert any("en" in message for message in heard)


def test_the_decorator(moderator: Moderator) -> None:
    @moderator.judged("text")
    def publish(author: str, text: str, decision: Decision) -> str:
        return f"{author}: {decision.verdict}"

    @moderator.judged("text")
    async def apublish(text: str, *, decision: Decision) -> str:
        return decision.verdict

    assert publish("ann", text="terrible") == "ann: blocked"
    assert asyncio.run(apublish("hello")) == "allowed"


def test_too_late_is_unknown(rules: Path) -> None:
    engine = moderation.load(rules)
    with Moderator(engine, timeout=0.02) as found:
        blocked = threading.Event()
        found._backend._threads.submit(blocked.wait)  # type: ignore[attr-defined]
        decision = found.decide("hello")
        later = asyncio.run(found.adecide("hello"))
        blocked.set()
    for each in (decision, later):
        assert each.unknown == (TIMEOUT,) and each.engine == engine.fingerprint
        assert each.verdict == ("flagged" if engine.rulebook.policy.unknown == "flag" else "allowed")


def test_too_many_are_unknown(rules: Path) -> None:
    async def ask(found: Moderator) -> list[Decision]:
        return await asyncio.gather(*(found.adecide("hello") for _ in range(50)))

    with Moderator(moderation.load(rules), waiting=20) as found:
        decisions = asyncio.run(ask(found))
    assert sum(decision.unknown == (OVERLOAD,) for decision in decisions) == 30


class Slow:
    """Hands on what it gets to another lane, late."""

    def __init__(self, lane: Lane, loop: asyncio.AbstractEventLoop, sizes: list[int]) -> None:
        self.lane, self.loop, self.sizes = lane, loop, sizes

    def send(self, request: Request, done: Done, room: Room) -> None:
        assert isinstance(request, Judge)
        self.sizes.append(len(request.posts))
        self.loop.call_later(0.05, lambda: self.lane.send(request, done, room))


class Deaf:
    """Answers nothing."""

    def send(self, request: Request, done: Done, room: Room) -> None:
        pass


def test_posts_gather_while_others_are_judged(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches grow with the load: many small ones behind each other would each cost as much as a big one."""
    sizes: list[int] = []
    with Moderator(engine, timeout=20) as found:
        lanes, made = found.lanes, list[Lane]()

        def slow(loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
            made.extend(() if made else (Slow(lanes(loop)[0], loop, sizes),))
            return made

        monkeypatch.setattr(found, "lanes", slow)

        async def run() -> list[Decision]:
            tasks = []
            for at in range(100):
                tasks.append(asyncio.ensure_future(found.adecide({"id": at, "text": "casino"})))
                await asyncio.sleep(0.003)
            return await asyncio.gather(*tasks)

        assert [decision.id for decision in asyncio.run(run())] == list(range(100))
    assert sum(sizes) == 100 and len(sizes) < 25 and max(sizes) > 5


def test_large_requests_wait_for_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each goes to whoever is free, rather than all of them to the first; those behind them gather."""
    first, second = list[int](), list[int]()
    with Moderator(engine, window=1.0, timeout=20) as found:
        lanes, made = found.lanes, list[Lane]()

        def two(loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
            made.extend(() if made else (Slow(lanes(loop)[0], loop, sizes) for sizes in (first, second)))
            return made

        monkeypatch.setattr(found, "lanes", two)
        posts = ["casino", "hello"] * 250

        async def run() -> list[list[Decision]]:
            return await asyncio.gather(*(found.adecide_batch(posts) for _ in range(4)))

        started = time.monotonic()
        answers = asyncio.run(run())
    assert time.monotonic() - started < 1.0 and {len(each) for each in answers} == {500}
    assert sorted([*first, *second]) == [500, 500, 1000] and first[0] == second[0] == 500


def test_what_is_never_judged_holds_up_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with Moderator(engine, timeout=0.2) as found:
        lanes = found.lanes
        deaf = Deaf()
        monkeypatch.setattr(found, "lanes", lambda loop: (deaf,))

        async def run() -> list[Decision]:
            lost = [asyncio.ensure_future(found.adecide("casino")) for _ in range(3)]
            for _ in range(5):
                await asyncio.sleep(0.01)
                lost.append(asyncio.ensure_future(found.adecide("casino")))
            done = await asyncio.gather(*lost)
            monkeypatch.setattr(found, "lanes", lanes)
            return [*done, await found.adecide("casino")]

        *lost, last = asyncio.run(run())
    assert {decision.unknown for decision in lost} == {("engine/timeout",)}
    assert last.verdict == "flagged" and not last.unknown


def test_callers_may_give_up(moderator: Moderator) -> None:
    async def ask() -> None:
        task = asyncio.ensure_future(moderator.adecide("hello"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0.05)

    asyncio.run(ask())
    assert moderator.waiting == 0 and moderator.decide("casino").verdict == "flagged"


def test_reloads_while_posts_flow(tmp_path: Path) -> None:
    """Good and broken rules in turn: every post is judged by one whole engine, and none is lost."""
    folder = write_rules(tmp_path / "r", "casino")
    seen: set[tuple[str, str]] = set()
    with Moderator(folder, timeout=30) as found:
        fingerprints = {found.fingerprint: "casino"}

        async def flow(stop: asyncio.Event) -> int:
            count = 0
            while not stop.is_set():
                for term in ("casino", "lottery"):
                    decision = await found.adecide(f"see you at the {term} tomorrow")
                    seen.add((decision.engine, f"{term} {decision.verdict}"))
                    assert not decision.unknown
                    count += 1
            return count

        async def run() -> int:
            stop = asyncio.Event()
            flows = [asyncio.ensure_future(flow(stop)) for _ in range(8)]
            for turn in range(4):
                broken = turn % 2 == 1
                write_rules(folder, "lottery" if turn < 2 else "casino", "no such thing" if broken else None)
                done = await found.areload()
                assert done.ok is not broken and ("M080" in done.problem) is broken
                fingerprints[found.fingerprint] = "lottery" if turn < 2 else "casino"
            stop.set()
            return sum(await asyncio.gather(*flows))

        assert asyncio.run(run()) > 100
        assert (found.reloads, found.failed_reloads) == (2, 2)
    for fingerprint, said in seen:
        term, verdict = said.split()
        assert (verdict == "flagged") == (fingerprints[fingerprint] == term)


def test_a_change_of_files_reloads(tmp_path: Path) -> None:
    folder = write_rules(tmp_path / "r", "casino")
    with Moderator(folder, watch=True, timeout=20) as found:
        assert found.decide("lottery").verdict == "allowed"
        time.sleep(0.6)
        write_rules(folder, "lottery")
        deadline = time.monotonic() + 20
        while found.decide("lottery").verdict != "flagged":
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_process_that_dies_is_replaced(rules: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    with Moderator(rules, timeout=10) as found:
        os.kill(found.info.process, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while (decision := found.decide("terrible")).verdict != "blocked":
            assert decision.unknown and time.monotonic() < deadline
            time.sleep(0.1)
        assert found.restarts == 1


def test_rules_that_do_not_load(tmp_path: Path) -> None:
    with pytest.raises(ModerationError, match="M080"):
        Moderator(write_rules(tmp_path / "r", "casino", "no such thing"))
    with pytest.raises(ModerationError, match="nowhere"):
        Moderator(tmp_path / "nowhere")
