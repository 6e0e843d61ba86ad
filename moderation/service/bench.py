"""How fast the service's parts are on this machine, asked from the same machine: hook, HTTP, reloads."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moderation.authoring import generate
from moderation.decision import FAILURE, OVERLOAD, TIMEOUT
from moderation.errors import ModerationError
from moderation.packs.load import bundled_rules
from moderation.post import Post
from moderation.service.moderator import Moderator

CALLERS, CONNECTIONS, BATCH = 1000, 64, 500
_SECONDS, _TICK, _FLOWS = 3.0, 0.001, 200
_NOT_JUDGED = {FAILURE, OVERLOAD, TIMEOUT}
_SOUND = """\
pack: zz/bench
version: "1"
about: Changes, so that rules are new.
languages: [en]
category: spam
rules:
  - id: one
    verdict: flag
    severity: 10
    when: {{terms: [zzbench{turn}]}}
    examples: {{hit: [zzbench{turn}], miss: [hello]}}
    reason: {{en: Bench, zh: 测试}}
"""
_BROKEN = "pack: zz/bench\nrules: [\n"
_Ask = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """Posts a second at full load; milliseconds of one answer then, and when half as many are asked."""

    rate: float
    p50_ms: float
    p99_ms: float
    half_p50_ms: float
    half_p99_ms: float


@dataclass(frozen=True, slots=True)
class Reloads:
    """Reloads of good and broken rules while posts flow: how many posts were judged by which engines, how many got no
    answer of an engine, and how late the event loop was (milliseconds).
    """

    reloads: int
    refused: int
    posts: int
    engines: int
    unanswered: int
    loop_p99_ms: float
    loop_max_ms: float


@dataclass(frozen=True, slots=True)
class ServiceBench:
    """`http_batches` is posts a second in requests of BATCH."""

    hook: Load
    http: Load
    http_batches: float
    reloads: Reloads


def bench_service(rules: str | None, posts: int, reloads: int = 10, seed: int = 0) -> ServiceBench:
    """Measure on generated posts. Raises ModerationError where rules do not load."""
    found = list(generate.posts(posts, seed))
    read = [Post.of(post) for post in found]
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "rules"
        shutil.copytree(bundled_rules() if rules is None else rules, copied)
        with Moderator(copied, timeout=30) as moderator, _quiet():
            hook = asyncio.run(_hook(moderator, read))
            reloaded = asyncio.run(_reloads(moderator, copied, read, reloads))
    with _serving(rules) as port:
        http = asyncio.run(_http(port, found))
        batches = asyncio.run(_batches(port, found))
    return ServiceBench(hook, http, batches, reloaded)


@contextmanager
def _quiet() -> Iterator[None]:
    """Broken rules are part of the measurement: no need to say so."""
    log = logging.getLogger("moderation")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


async def _hook(moderator: Moderator, posts: Sequence[Post]) -> Load:
    async def ask(at: int) -> None:
        await moderator.adecide(posts[at % len(posts)])

    return await _load(ask, len(posts), CALLERS)


async def _load(ask: _Ask, count: int, callers: int) -> Load:
    """All callers at once, each asking again when answered; then questions evenly spaced, at half that rate."""
    await _all(ask, count // 4, callers)
    rate, times = await _all(ask, count, callers)
    half = await _paced(ask, rate / 2)
    return Load(rate, *_percentiles(times), *_percentiles(half))


async def _all(ask: _Ask, count: int, callers: int) -> tuple[float, list[float]]:
    numbers, times = iter(range(count)), []

    async def caller() -> None:
        for at in numbers:
            started = time.perf_counter()
            await ask(at)
            times.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return count / (time.perf_counter() - started), times


async def _paced(ask: _Ask, rate: float) -> list[float]:
    times: list[float] = []
    tasks: set[asyncio.Task[None]] = set()

    async def one(at: int) -> None:
        started = time.perf_counter()
        await ask(at)
        times.append(time.perf_counter() - started)

    asked, started = 0, time.perf_counter()
    while (now := time.perf_counter() - started) < _SECONDS:
        for at in range(asked, int(now * rate)):
            tasks.add(task := asyncio.create_task(one(at)))
            task.add_done_callback(tasks.discard)
        asked = int(now * rate)
        await asyncio.sleep(0.0005)
    await asyncio.gather(*tasks)
    return times


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[len(ordered) * 99 // 100] * 1000


async def _http(port: int, posts: Sequence[object]) -> Load:
    requests = [_request(json.dumps(post, ensure_ascii=False).encode()) for post in posts[:5000]]
    with_connections = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    for _ in range(CONNECTIONS):
        with_connections.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def ask(at: int) -> None:
        reader, writer = connection = await with_connections.get()
        writer.write(requests[at % len(requests)])
        await _answer(reader)
        with_connections.put_nowait(connection)

    found = await _load(ask, 3 * len(requests), CONNECTIONS)
    while not with_connections.empty():
        _, writer = with_connections.get_nowait()
        writer.close()
        await writer.wait_closed()
    return found


async def _batches(port: int, posts: Sequence[object]) -> float:
    bodies = [json.dumps({"posts": posts[at : at + BATCH]}).encode() for at in range(0, len(posts) - BATCH + 1, BATCH)]
    requests = iter([*map(_request, bodies)] * 3)
    counted = 0

    async def caller() -> None:
        nonlocal counted
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        for request in requests:
            writer.write(request)
            await _answer(reader)
            counted += BATCH
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(4)))
    return counted / (time.perf_counter() - started)


def _request(body: bytes) -> bytes:
    return b"POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ModerationError(f"the service answered {head.splitlines()[0].decode()}")
    length = re.search(rb"content-length: (\d+)", head, re.I)
    await reader.readexactly(int(length[1]) if length else 0)


@contextmanager
def _serving(rules: str | None) -> Iterator[int]:
    """The port of a service in a process of its own."""
    command = [sys.executable, "-c", "from moderation.cli.main import main; main()", "serve", "--port", "0"]
    command += [] if rules is None else ["--rules", rules]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines: list[str] = []
    try:
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"listening on http://\S+:(\d+)", line):
                yield int(found[1])
                return
        raise ModerationError("the service does not start: " + "".join(lines))
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


async def _reloads(moderator: Moderator, folder: Path, posts: Sequence[Post], number: int) -> Reloads:
    """Good and broken rules in turn, in a copy of the rules, while posts flow and the loop's lateness is taken."""
    stop, late, engines = asyncio.Event(), [], Counter[str]()
    unanswered = 0

    async def flow(at: int) -> None:
        nonlocal unanswered
        while not stop.is_set():
            decision = await moderator.adecide(posts[at % len(posts)])
            engines[decision.engine] += 1
            unanswered += bool(_NOT_JUDGED.intersection(decision.unknown))
            at += _FLOWS

    async def watch() -> None:
        while not stop.is_set():
            started = time.perf_counter()
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - started - _TICK)

    flows = [asyncio.ensure_future(flow(at)) for at in range(_FLOWS)]
    watching = asyncio.ensure_future(watch())
    for turn in range(number):
        (folder / "zz-bench.yaml").write_text(_BROKEN if turn % 2 else _SOUND.format(turn=turn), "utf-8")
        await moderator.areload()
    stop.set()
    await asyncio.gather(watching, *flows)
    _, p99 = _percentiles(late)
    judged = sum(engines.values())
    return Reloads(moderator.reloads, moderator.failed_reloads, judged, len(engines), unanswered, p99, max(late) * 1000)
