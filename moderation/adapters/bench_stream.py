"""How fast a consumer of a Redis stream is on this machine, the server beside it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from moderation.adapters.redis_streams import RedisStreams
from moderation.service.bench import Batches, judging
from moderation.service.bench_client import Clocks
from moderation.service.moderator import Moderator
from moderation.service.streams import BrokerError, Stream

_WAIT = 0.05


def bench_stream(rules: str | None, posts: Sequence[object], judges: int = 1) -> Batches | None:
    """Messages a second, judged, written and acknowledged by one consumer; None where there is no redis-server.

    Raises ModerationError where rules do not load, or the package redis is missing.
    """
    program = shutil.which("redis-server")
    if program is None:
        return None
    with _server(program) as (url, process), Moderator(rules, timeout=30, judges=judges) as moderator:
        broker = RedisStreams(url)
        broker.fill(map(msgspec.json.encode, posts))
        stream = Stream(moderator, broker)
        pids = {"consumer": [os.getpid()], "judge": judging(moderator.info.process), "Redis": [process]}
        clocks = Clocks(pids)
        started = time.perf_counter()
        stream.run(_WAIT, until_empty=True)
        seconds = time.perf_counter() - started - _WAIT
        judged = stream.counts["judged"]
        worked = clocks.each(max(judged, 1))
        broker.close()
    return Batches(judged / seconds, worked)


@contextmanager
def _server(program: str) -> Iterator[tuple[str, int]]:
    """The address and the process of a server of our own, which keeps nothing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_for(url := f"redis://127.0.0.1:{port}/0")
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str) -> None:
    broker = RedisStreams(url)
    for _ in range(200):
        try:
            broker.fill(())
            break
        except BrokerError:
            time.sleep(_WAIT)
    broker.close()
