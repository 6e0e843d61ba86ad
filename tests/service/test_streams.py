"""Redis Streams on a real server: nothing is lost, whoever dies; what is judged twice stands there once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

import httpx
import pytest
import redis

from moderation import Moderator
from moderation.adapters.redis_streams import RedisStreams
from moderation.service.bodies import Body
from moderation.service.frames import Said
from moderation.service.streams import BrokerError, Message, Stream

SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="needs redis-server: apt-get install redis-server")


class Server:
    """A server with an append-only file, on a free port, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.folder, self.url = folder, f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = [str(SERVER), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis(port=self.port)
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        client.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    found.kill()


@pytest.fixture
def client(server: Server) -> Iterator[redis.Redis]:
    with redis.Redis(port=server.port) as found:
        yield found


def fill(client: redis.Redis, count: int, first: int = 0) -> None:
    with client.pipeline() as pipe:
        for at in range(first, first + count):
            text = "casino" if at % 3 == 0 else "hello"
            pipe.xadd("posts", {"post": json.dumps({"id": at, "text": text})})
        pipe.execute()


def written(client: redis.Redis) -> dict[str, str]:
    found: Any = client.hgetall("posts:decisions")
    return {name.decode(): json.loads(content)["verdict"] for name, content in found.items()}


def expected(count: int) -> dict[str, str]:
    return {str(at): "flagged" if at % 3 == 0 else "allowed" for at in range(count)}


def consumer(server: Server, rules: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from moderation.cli.main import main; main()", "stream", "--url", server.url]
    return subprocess.Popen([*command, "--rules", str(rules), *options], stderr=subprocess.PIPE, text=True)


def test_a_stream_is_judged(server: Server, client: redis.Redis, moderator: Moderator) -> None:
    fill(client, 1000)
    for body in ("{", '{"id": 1}', "[1]"):
        client.xadd("posts", {"post": body})
    client.xadd("posts", {"other": "x"})
    client.xadd("posts", {"post": '{"text": "no id"}'})
    broker = RedisStreams(server.url)
    stream = Stream(moderator, broker, batch=300)
    stream.run(wait=0.1, until_empty=True)
    found = written(client)
    assert {name: verdict for name, verdict in found.items() if "-" not in name} == expected(1000)
    assert len(found) == 1001 and client.xlen("decisions") == 1001
    dead: Any = client.xrange("posts:dead")
    assert [fields[b"reason"].split(b":")[0] for _, fields in dead] == [b"P005", b"P002", b"P001", b"P005"]
    pending: Any = client.xpending("posts", "moderation")
    assert pending["pending"] == 0 and broker.lag() == 0
    assert stream.counts == {"judged": 1001, "dead": 4, "again": 0, "failures": 0}
    broker.close()


def test_old_decisions_and_judged_posts_go(server: Server, client: redis.Redis, moderator: Moderator) -> None:
    fill(client, 6000)
    for at in range(900):
        client.xadd("posts", {"post": f"{{{at}"})
    client.xgroup_create("posts", "slow", id="0")
    slow: Any = client.xreadgroup("slow", "reader", {"posts": ">"}, count=3000)
    broker = RedisStreams(server.url, keep=700)
    broker.fill(b'{"id": "last", "text": "hello"}' for _ in range(1))
    Stream(moderator, broker, batch=1000).run(wait=0.1, until_empty=True)
    stay = {name: verdict for name, verdict in expected(6000).items() if int(name) > 5300}
    assert written(client) == {**stay, "last": "allowed"} and client.xlen("decisions") == 700
    assert 700 <= client.xlen("posts:dead") <= 800
    broker._trim()
    assert client.xlen("posts") == 6901  # the other group has not done with its first
    client.xack("posts", "slow", *(identity for identity, _ in slow[0][1]))
    broker._trim()
    assert 3900 < client.xlen("posts") < 4100  # Redis removes by the hundred
    rest: Any = client.xreadgroup("slow", "reader", {"posts": ">"}, count=9999)
    assert len(rest[0][1]) == 3901
    broker.close()


def test_what_was_judged_again_stays_as_long_as_its_newest(
    server: Server, client: redis.Redis, moderator: Moderator
) -> None:
    def judged() -> dict[str, str]:
        Stream(moderator, broker, batch=10).run(wait=0.1, until_empty=True)
        return written(client)

    before = RedisStreams(server.url)
    before.fill(b'{"id": "old", "text": "hello"}' for _ in range(1))
    Stream(moderator, before).run(wait=0.1, until_empty=True)  # when nobody wrote down which is the newest
    broker = RedisStreams(server.url, keep=20)
    posts = [f'{{"id": "{name}", "text": "hello"}}'.encode() for name in ("again", *range(10), "again", *range(10, 18))]
    broker.fill(posts)
    assert set(judged()) == {"again", *map(str, range(18))} and client.xlen("decisions") == 20
    broker.fill(f'{{"id": "more-{at}", "text": "hello"}}'.encode() for at in range(10))
    more = {f"more-{at}" for at in range(10)}
    assert set(judged()) == {"again", *more, *map(str, range(9, 18))}
    broker.fill(f'{{"id": "last-{at}", "text": "hello"}}'.encode() for at in range(5))
    left = {*more, *(f"last-{at}" for at in range(5)), *map(str, range(13, 18))}
    assert set(judged()) == left == set(map(bytes.decode, client.hkeys("posts:newest")))
    before.close()
    broker.close()


def test_everything_stays_unless_said_otherwise(server: Server, client: redis.Redis, moderator: Moderator) -> None:
    fill(client, 300)
    broker = RedisStreams(server.url)
    Stream(moderator, broker, batch=100).run(wait=0.1, until_empty=True)
    assert client.xlen("posts") == client.xlen("decisions") == client.hlen("posts:decisions") == 300
    broker.close()


def test_what_a_dead_consumer_left_is_taken_over(server: Server, client: redis.Redis, moderator: Moderator) -> None:
    fill(client, 100)
    left = RedisStreams(server.url, idle=1)
    assert len(left.read(60, 0.1)) == 60
    time.sleep(0.05)
    other = RedisStreams(server.url, idle=20)
    other._consumer = "another"
    Stream(moderator, other).run(wait=0.1, until_empty=True)
    assert written(client) == expected(100)
    left.close()
    other.close()


def test_what_is_handed_out_again_and_again_is_given_up(
    server: Server, client: redis.Redis, moderator: Moderator
) -> None:
    fill(client, 3)
    broker = RedisStreams(server.url, idle=1)
    for _ in range(4):
        assert len(broker.read(10, 0.1)) == 3
        time.sleep(0.01)
    Stream(moderator, broker).run(wait=0.1, until_empty=True)
    assert written(client) == {} and client.xlen("posts:dead") == 3
    broker.close()


def test_consumers_that_are_killed_lose_nothing(server: Server, client: redis.Redis, rules: Path) -> None:
    fill(client, 3000)
    options = ("--batch", "50", "--idle", "200", "--until-empty")
    killed = consumer(server, rules, *options)
    while not client.hlen("posts:decisions"):
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    time.sleep(0.3)
    second = consumer(server, rules, *options)
    assert "judged" in second.communicate(timeout=60)[1]
    assert second.returncode == 0 and written(client) == expected(3000)
    pending: Any = client.xpending("posts", "moderation")
    assert pending["pending"] == 0


def test_streams_and_groups_have_names(server: Server, client: redis.Redis, rules: Path) -> None:
    client.xadd("incoming", {"post": '{"id": 1, "text": "casino"}'})
    named = ("--from", "incoming", "--to", "outgoing", "--group", "others", "--watch", "--until-empty", "--keep", "9")
    assert "1 judged" in consumer(server, rules, *named).communicate(timeout=60)[1]
    groups: Any = client.xinfo_groups("incoming")
    assert [group["name"] for group in groups] == [b"others"] and client.xlen("outgoing") == 1
    assert client.hlen("incoming:decisions") == 1


def test_a_server_that_is_killed_loses_nothing(server: Server, client: redis.Redis, moderator: Moderator) -> None:
    fill(client, 600)
    broker = RedisStreams(server.url, idle=1)
    settle, calls = broker.settle, []

    def interrupted(judged: Sequence[tuple[Message, Said]], dead: Sequence[tuple[Message, str]]) -> None:
        calls.append(len(judged))
        if len(calls) == 2:
            server.kill()
        try:
            settle(judged, dead)
        finally:
            if len(calls) == 2:
                server.start()

    broker.settle = interrupted  # type: ignore[method-assign]
    stream = Stream(moderator, broker, batch=100)
    stream.run(wait=0.1, until_empty=True)
    assert stream.counts["failures"] >= 1 and written(client) == expected(600)
    broker.close()


def test_a_server_that_is_killed_under_a_consumer(server: Server, client: redis.Redis, rules: Path) -> None:
    """Whenever it dies and comes back, the consumer goes on, and nothing that was written is missing."""
    fill(client, 4000)
    running = consumer(server, rules, "--batch", "40", "--idle", "300")
    for part in (1, 1000, 2500):
        deadline = time.monotonic() + 60
        while client.hlen("posts:decisions") < part:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        server.kill()
        server.start()
    deadline = time.monotonic() + 60
    while len(written(client)) < 4000 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.terminate()
    told = running.communicate(timeout=30)[1]
    assert running.returncode == 0 and "trying again" in told and "casino" not in told
    assert written(client) == expected(4000)
    pending: Any = client.xpending("posts", "moderation")
    assert pending["pending"] == 0
    # Idempotent by the post's id: one that was judged twice stands twice in the stream, and once in the hash.
    ids = {json.loads(fields[b"decision"])["id"] for _, fields in client.xrange("decisions")}  # type: ignore[union-attr]
    assert ids == set(range(4000)) and client.xlen("posts:dead") == 0


def test_nothing_is_acknowledged_that_is_not_written(server: Server, client: redis.Redis, moderator: Moderator) -> None:
    """A stream of decisions that is none: the write fails, so nothing is acknowledged, and all comes again."""
    client.set("decisions", "in the way")
    fill(client, 10)
    broker = RedisStreams(server.url)
    stream = Stream(moderator, broker)
    Timer(2, stream.stop).start()
    stream.run(wait=0.1)
    assert stream.counts["failures"] >= 1 and stream.counts["judged"] == 0
    pending: Any = client.xpending("posts", "moderation")
    assert pending["pending"] == 10
    broker.close()


class Memory:
    """A broker that hands out the same messages until they are settled, when nothing is being judged."""

    def __init__(self, bodies: dict[str, bytes], deliveries: int) -> None:
        self.left, self.times = bodies, deliveries
        self.judged: dict[str, bytes] = {}
        self.dead: dict[str, str] = {}

    def read(self, count: int, wait: float) -> Sequence[Message]:
        if not wait:
            return []
        self.times += 1
        return [Message(name, body, self.times) for name, body in self.left.items()]

    def settle(self, judged: Sequence[tuple[Message, Said]], dead: Sequence[tuple[Message, str]]) -> None:
        self.judged |= {message.id: said.json for message, said in judged}
        self.dead |= {message.id: reason for message, reason in dead}
        for message, _ in (*judged, *dead):
            self.left.pop(message.id, None)

    def lag(self) -> int:
        return len(self.left)


def test_a_post_that_ends_who_judges_it_takes_no_other_along(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    posts = {str(at): json.dumps({"id": at, "text": "poison" if at == 3 else "casino"}).encode() for at in range(6)}
    broker = Memory(posts, deliveries=1)
    with Moderator(rules, timeout=10) as moderator:
        begin = moderator.begin_json

        def poisoned(asked: Sequence[Body]) -> Any:
            if any(b"poison" in body.json for body in asked):
                with suppress(ProcessLookupError):
                    os.kill(moderator.info.process, signal.SIGKILL)
            return begin(asked)

        monkeypatch.setattr(moderator, "begin_json", poisoned)
        stream = Stream(moderator, broker)
        stream.run(wait=0.1, until_empty=True)
    assert set(broker.judged) == {"0", "1", "2", "4", "5"} and list(broker.dead) == ["3"]
    assert broker.dead["3"].startswith("P008") and stream.counts["again"] == 6


def test_who_cannot_be_reached(moderator: Moderator) -> None:
    broker = RedisStreams("redis://127.0.0.1:1/0")
    with pytest.raises(BrokerError, match="Redis"):
        broker.read(1, 0.1)


def test_metrics_tell_of_the_lag(server: Server, client: redis.Redis, rules: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    fill(client, 20)
    running = consumer(server, rules, "--metrics-port", str(port), "--batch", "7")
    wanted = {'moderation_stream_messages_total{what="judged"} 20.0', "moderation_stream_lag 0.0"}
    wanted.add('moderation_posts_total{verdict="flagged"} 7.0')
    text = ""
    for _ in range(300):
        with suppress(httpx.HTTPError):
            text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        if wanted <= set(text.splitlines()):
            break
        time.sleep(0.05)
    running.terminate()
    assert "20 judged" in running.communicate(timeout=30)[1] and running.returncode == 0
    assert wanted <= set(text.splitlines())
