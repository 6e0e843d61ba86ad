"""How fast the service's parts are on this machine, asked from the same machine: hook, HTTP, reloads."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moderation.authoring import generate
from moderation.errors import ModerationError
from moderation.packs.load import bundled_rules
from moderation.post import Post
from moderation.service.bench_client import Client, Clocks, children, cpu, post, run
from moderation.service.moderator import Moderator
from moderation.service.tally import UNJUDGED

CALLERS, CONNECTIONS, BATCH, SENDERS = 1000, 64, 500, 4
_SECONDS, _TICK, _FLOWS = 3.0, 0.001, 200
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
class _Server:
    port: int
    processes: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Load:
    """Posts a second at full load; milliseconds of one answer then, and when half as many are asked. `cpu_us` is how
    many microseconds each process worked for a post at full load: what does not depend on who else is on the machine.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    half_p50_ms: float
    half_p99_ms: float
    cpu_us: dict[str, float]


@dataclass(frozen=True, slots=True)
class Batches:
    """Posts a second in requests of BATCH posts, and the microseconds that each process worked for one."""

    rate: float
    cpu_us: dict[str, float]


@dataclass(frozen=True, slots=True)
class Reloads:
    """Reloads of good and broken rules while posts flow: how many posts were judged by which engines, how many got no
    answer of an engine, how late the event loop was, and for how long it was at work itself before it looked again
    (milliseconds): the rest of its lateness is time that others had the processor.
    """

    reloads: int
    refused: int
    posts: int
    engines: int
    unanswered: int
    loop_p99_ms: float
    loop_max_ms: float
    loop_work_p99_ms: float


@dataclass(frozen=True, slots=True)
class ServiceBench:
    """All of it."""

    hook: Load
    http: Load
    http_batches: Batches
    reloads: Reloads


def bench_service(rules: str | None, posts: int, reloads: int = 10, seed: int = 0, judges: int = 1) -> ServiceBench:
    """Measure on generated posts, which so many processes judge. Raises ModerationError where rules do not load."""
    found = list(generate.posts(posts, seed))
    read = [Post.of(post) for post in found]
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "rules"
        shutil.copytree(bundled_rules() if rules is None else rules, copied)
        with Moderator(copied, timeout=30, judges=judges) as moderator, _quiet(), _unwalked():
            hook = run(_hook(moderator, read))
            reloaded = run(_reloads(moderator, copied, read, reloads))
    with _serving(rules, judges) as server, _unwalked():
        http = run(_http(server, found))
        batches = run(_batches(server, found))
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


@contextmanager
def _unwalked() -> Iterator[None]:
    """The posts that are measured with are none of a service's: nor is the time to walk them for garbage."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _hook(moderator: Moderator, posts: Sequence[Post]) -> Load:
    async def ask(at: int) -> None:
        await moderator.adecide(posts[at % len(posts)])

    processes = {"service and callers": [os.getpid()], "judge": judging(moderator.info.process)}
    return await _load(ask, len(posts), CALLERS, processes)


async def _load(ask: _Ask, count: int, callers: int, processes: Mapping[str, Sequence[int]]) -> Load:
    """All callers at once, each asking again when answered; then questions evenly spaced, at half that rate."""
    await _all(ask, count // 4, callers)
    clocks = Clocks(processes)
    rate, times = await _all(ask, count, callers)
    worked = clocks.each(count)
    half = await _paced(ask, rate / 2)
    return Load(rate, *_percentiles(times), *_percentiles(half), worked)


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


async def _http(server: _Server, posts: Sequence[object]) -> Load:
    requests = [post(json.dumps(each, ensure_ascii=False).encode()) for each in posts[:5000]]
    client = await Client.connected(server.port, CONNECTIONS)

    async def ask(at: int) -> None:
        await client.ask(requests[at % len(requests)])

    found = await _load(ask, 3 * len(requests), CONNECTIONS, server.processes)
    client.close()
    return found


async def _batches(server: _Server, posts: Sequence[object]) -> Batches:
    bodies = [json.dumps({"posts": posts[at : at + BATCH]}).encode() for at in range(0, len(posts) - BATCH + 1, BATCH)]
    requests = [*map(post, bodies)]
    client = await Client.connected(server.port, SENDERS)

    async def ask(at: int) -> None:
        await client.ask(requests[at % len(requests)])

    clocks = Clocks(server.processes)
    rate, _ = await _all(ask, 3 * len(requests), SENDERS)
    worked = clocks.each(3 * len(requests) * BATCH)
    client.close()
    return Batches(rate * BATCH, worked)


@contextmanager
def _serving(rules: str | None, judges: int) -> Iterator[_Server]:
    """A service in a process of its own."""
    command = [sys.executable, "-c", "from moderation.cli.main import main; main()", "serve", "--port", "0"]
    command += ["--judges", str(judges)]
    command += [] if rules is None else ["--rules", rules]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines: list[str] = []
    try:
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"listening on http://\S+:(\d+)", line):
                first = max(children(process.pid), key=lambda child: cpu(child) or 0, default=process.pid)
                processes = {"service": [process.pid], "judge": judging(first), "client": [os.getpid()]}
                yield _Server(int(found[1]), processes)
                return
        raise ModerationError("the service does not start: " + "".join(lines))
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def judging(first: int) -> list[int]:
    """The processes that judge: the first, and those that it became."""
    return [first, *children(first)]


async def _reloads(moderator: Moderator, folder: Path, posts: Sequence[Post], number: int) -> Reloads:
    """Good and broken rules in turn, in a copy of the rules, while posts flow and the loop's lateness is taken."""
    stop, late, work, engines = asyncio.Event(), list[float](), list[float](), Counter[str]()
    unanswered = 0

    async def flow(at: int) -> None:
        nonlocal unanswered
        while not stop.is_set():
            decision = await moderator.adecide(posts[at % len(posts)])
            engines[decision.engine] += 1
            unanswered += bool(UNJUDGED.intersection(decision.unknown))
            at += _FLOWS

    async def watch() -> None:
        while not stop.is_set():
            started, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - started - _TICK)
            work.append(time.thread_time() - worked)

    flows = [asyncio.ensure_future(flow(at)) for at in range(_FLOWS)]
    watching = asyncio.ensure_future(watch())
    for turn in range(number):
        (folder / "zz-bench.yaml").write_text(_BROKEN if turn % 2 else _SOUND.format(turn=turn), "utf-8")
        await moderator.areload()
    stop.set()
    await asyncio.gather(watching, *flows)
    (_, p99), (_, work_p99) = _percentiles(late), _percentiles(work)
    judged, most = sum(engines.values()), max(late) * 1000
    done, failed = moderator.reloads, moderator.failed_reloads
    return Reloads(done, failed, judged, len(engines), unanswered, p99, most, work_p99)
