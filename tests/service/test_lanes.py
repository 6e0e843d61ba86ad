"""Event loops have their own way to the process that judges: large batches, loops that end, processes that die."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from moderation import Decision, Moderator, Post, PostError, load
from moderation.decision import FAILURE
from moderation.engine.engine import Engine
from moderation.service.asking import Answer
from moderation.service.bench_client import children, cpu
from moderation.service.frames import FrameError, Splitter, packed, replies
from moderation.service.frames import Refused as Refusal
from moderation.service.tally import Tally

from .conftest import write_rules


def test_more_than_a_socket_holds(moderator: Moderator) -> None:
    posts: list[Any] = [{"id": at, "text": f"casino {at} " + "甲乙丙丁 " * 400} for at in range(1500)]

    async def ask() -> list[list[Decision]]:
        return await asyncio.gather(*(moderator.adecide_batch(posts[at:]) for at in (0, 500, 1000)))

    for at, found in zip((0, 500, 1000), asyncio.run(ask()), strict=True):
        assert [decision.id for decision in found] == list(range(at, 1500))
        assert {decision.verdict for decision in found} == {"flagged"}


def test_closed_within_the_loop(rules: Path) -> None:
    """As a service does at its end: what is on its way is still answered, and nobody waits for long."""

    async def run() -> tuple[Decision, float]:
        moderator = Moderator(rules, timeout=20)
        asked = asyncio.ensure_future(moderator.adecide("casino"))
        while not moderator.waiting:
            await asyncio.sleep(0)
        await asyncio.sleep(0.005)
        started = time.monotonic()
        moderator.close()
        return await asked, time.monotonic() - started

    decision, seconds = asyncio.run(run())
    assert decision.verdict == "flagged" and not decision.unknown and seconds < 10


def test_closed_while_the_loop_rests(rules: Path) -> None:
    loop = asyncio.new_event_loop()
    moderator = Moderator(rules, timeout=20)
    assert loop.run_until_complete(moderator.adecide("casino")).verdict == "flagged"
    started = time.monotonic()
    moderator.close()
    assert time.monotonic() - started < 10
    assert loop.run_until_complete(moderator.adecide("casino")).unknown == (FAILURE,)
    loop.close()


def test_loops_that_end_leave_nothing(moderator: Moderator) -> None:
    def descriptors() -> int:
        asyncio.run(moderator.adecide("hello"))
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    assert [descriptors() for _ in range(10)][-1] == before


def test_a_process_that_dies_under_load(rules: Path) -> None:
    """No exception: posts are judged, or flagged as unknown, and counted so; soon another process judges."""
    tallies: list[Tally] = []
    with Moderator(rules, timeout=20) as found:
        found.observe(lambda tally, seconds: tallies.append(tally))

        async def run() -> list[Decision]:
            await found.adecide("casino")
            asked = [asyncio.ensure_future(found.adecide("casino")) for _ in range(200)]
            await asyncio.sleep(0)
            os.kill(found.info.process, signal.SIGKILL)
            lost = await asyncio.gather(*asked)
            deadline = time.monotonic() + 30
            while (last := await found.adecide("casino")).unknown and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            return [*lost, last]

        *lost, last = asyncio.run(run())
        assert {decision.unknown for decision in lost} <= {(), (FAILURE,)}
        assert lost[-1].unknown == (FAILURE,) and not last.unknown and found.restarts == 1
        assert sum(tally.unjudged.get(FAILURE, 0) for tally in tallies) >= 1


def test_several_judges(tmp_path: Path) -> None:
    """They say the same, they all work, and where one of them ends others take the place of all."""
    posts = [{"id": at, "text": "casino" if at % 3 else "hello"} for at in range(600)]
    with Moderator(write_rules(tmp_path), judges=2, batch=50, timeout=20) as found:
        first = found.info.process
        judges = [first, *children(first)]
        before = [cpu(judge) for judge in judges]

        async def run() -> list[Decision]:
            return await asyncio.gather(*(found.adecide(post) for post in posts))

        decisions = asyncio.run(run())
        assert [decision.id for decision in decisions] == list(range(600))
        assert [decision.verdict for decision in decisions] == [
            decision.verdict for decision in found.decide_batch(posts)
        ]
        assert len(judges) == 2 and all(cpu(judge) != was for judge, was in zip(judges, before, strict=True))
        os.kill(judges[1], signal.SIGKILL)
        deadline = time.monotonic() + 30
        while found.info.process == first and time.monotonic() < deadline:
            asyncio.run(run())
        assert found.restarts == 1 and not any(decision.unknown for decision in asyncio.run(run()))
        assert len(children(found.info.process)) == 1
    assert not any(Path(f"/proc/{judge}").exists() for judge in judges)


def test_a_reload_ends_the_process_before(tmp_path: Path) -> None:
    folder = write_rules(tmp_path)

    async def run() -> tuple[str, str, int]:
        with Moderator(folder, timeout=20) as found:
            before = found.info.process
            first = (await found.adecide("lottery")).verdict
            write_rules(folder, "lottery")
            assert (await found.areload()).ok
            second = (await found.adecide("lottery")).verdict
            for _ in range(200):
                if not Path(f"/proc/{before}/cmdline").exists():
                    break
                await asyncio.sleep(0.05)
            return first, second, Path(f"/proc/{before}/cmdline").exists()

    assert asyncio.run(run()) == ("allowed", "flagged", False)


@pytest.mark.parametrize("isolated", [True, False])
def test_posts_as_json(rules: Path, engine: Engine, isolated: bool) -> None:
    posts: list[Any] = [{"id": 1, "text": "casino"}, "hello", {"id": "x", "title": "terrible", "body": "你好"}]
    expected = [decision.to_json() for decision in engine.decide_batch(posts)]
    heard: list[tuple[Post, Decision]] = []
    tallies: list[Tally] = []

    async def run(found: Moderator) -> None:
        one, many = await asyncio.gather(
            found.adecide_json(json.dumps(posts[0]).encode()),
            found.adecide_json(json.dumps({"posts": posts}).encode(), 3),
        )
        assert one.json == expected[0] and one.engine == many.engine == engine.fingerprint
        assert many.json == b'{"decisions":[' + b",".join(expected) + b"]}"
        for body, code in ((b"{", "P005"), (b"[]", "P007"), (b'{"posts": [1]}', "P007"), (b"{}", "P002")):
            with pytest.raises(PostError, match=code):
                await found.adecide_json(body)

    def hear(post: Post, decision: Decision) -> None:
        heard.append((post, decision))

    with Moderator(rules if isolated else engine, timeout=20, on_flagged=hear, on_blocked=hear) as found:
        found.observe(lambda tally, seconds: tallies.append(tally))
        asyncio.run(run(found))
    assert sorted((str(post.id), decision.verdict) for post, decision in heard) == [
        ("1", "flagged"),
        ("1", "flagged"),
        ("x", "blocked"),
    ]
    assert sum(tally.posts for tally in tallies) == 4 and sum(tally.verdicts["flagged"] for tally in tallies[:1]) == 2


def test_json_that_is_not_judged_in_time(engine: Engine) -> None:
    async def run(found: Moderator) -> list[Any]:
        bodies = (b'{"id": 7, "text": "x"}', b'{"posts": [{"id": 8, "text": "x"}, "y"]}')
        return [await found.adecide_json(body) for body in bodies]

    with Moderator(engine, timeout=0.02) as found:
        release = threading.Event()
        found._backend._threads.submit(release.wait)  # type: ignore[attr-defined]
        one, many = asyncio.run(run(found))
        release.set()
    assert json.loads(one.json)["unknown"] == ["engine/timeout"] and json.loads(one.json)["id"] == 7
    assert [each["unknown"] for each in json.loads(many.json)["decisions"]] == [["engine/timeout"]] * 2


@pytest.mark.parametrize("policy", ["flag", "allow"])
def test_a_post_on_which_the_engine_fails_takes_no_other_along(
    rules: Path, tmp_path: Path, policy: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_rules(tmp_path)
    (folder / "policy.yaml").write_text(f"policy: p\npacks: [x/*]\nunknown: {policy}\n", "utf-8")
    engine = load(folder)
    decide = engine.decide_batch

    def fail(posts: Any) -> Any:
        if any("poison" in str(post) for post in posts):
            raise IndexError("poison")
        return decide(posts)

    monkeypatch.setattr(engine, "decide_batch", fail)
    monkeypatch.setattr(engine, "write_batch", fail)
    posts = [{"id": at, "text": "poison" if at == 37 else "casino"} for at in range(100)]

    async def run(found: Moderator) -> tuple[list[Decision], list[Answer]]:
        bodies = [json.dumps(post).encode() for post in posts]
        return (
            await asyncio.gather(*map(found.adecide, posts)),
            await asyncio.gather(*map(found.adecide_json, bodies)),
        )

    with Moderator(engine, timeout=20) as found:
        decisions, answers = asyncio.run(run(found))
    expected = {at: ((), "flagged") for at in range(100)} | {
        37: ((FAILURE,), "flagged" if policy == "flag" else "allowed")
    }
    assert {int(str(each.id)): (each.unknown, each.verdict) for each in decisions} == expected
    assert [answer.json for answer in answers] == [decision.to_json() for decision in decisions]
    assert "failed on post 37: IndexError" in caplog.text and "poison" not in caplog.text


def test_frames_come_in_any_pieces() -> None:
    sent = b"".join(packed(Refusal("x" * at), at) for at in (0, 3, 70_000))
    for size in (1, 7, 4096, len(sent)):
        splitter = Splitter()
        found = [each for at in range(0, len(sent), size) for each in splitter.feed(sent[at : at + size])]
        assert [(number, len(replies.decode(body).message)) for number, body in found] == [
            (0, 0),
            (3, 3),
            (70_000, 70_000),
        ]
    with pytest.raises(FrameError, match="larger than"):
        list(Splitter().feed(b"\xff" * 8))
