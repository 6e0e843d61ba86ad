"""What is sent to harm: each is refused, and whoever else asks at the same time is answered."""

from __future__ import annotations

import json
import random
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from moderation.service.protocol import FIELDS, HEADERS

from .conftest import write_rules
from .test_http import code, serving

HEAD = b"POST /v1/decide HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = write_rules(tmp_path_factory.mktemp("served"))
    limits = ("--max-body", "20000", "--body-seconds", "0.8", "--header-seconds", "0.8", "--timeout", "20")
    with serving("--rules", str(folder), *limits) as (found, _):
        yield found
        assert httpx.get(f"{found}/healthz").status_code == 200


def connected(address: str) -> socket.socket:
    host, port = re.findall(r"//(.*):(\d+)", address)[0]
    return socket.create_connection((host, int(port)), timeout=10)


def answer(raw: socket.socket) -> bytes:
    """All that comes until the other side hangs up, however it does."""
    found = b""
    try:
        while part := raw.recv(65536):
            found += part
    except ConnectionError:
        pass
    return found


def flooded(raw: socket.socket, part: bytes, most: int) -> int:
    """How many bytes of a flood went out before the other side hung up."""
    sent = 0
    try:
        while sent < most:
            raw.sendall(part)
            sent += len(part)
    except ConnectionError:
        pass
    return sent


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"".join(b"X-%d: y\r\n" % at for at in range(FIELDS)) + b"\r\n",
        HEAD + b"X: " + b"y" * HEADERS,
        b"GET /" + b"a" * HEADERS,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"".join(b"X-%d: y\r\n" % at for at in range(FIELDS)),
    ],
    ids=["fields", "a field", "a path", "fields behind a body"],
)
def test_more_headers_than_are_read(address: str, sent: bytes) -> None:
    with connected(address) as raw:
        raw.sendall(sent)
        assert answer(raw).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


@pytest.mark.parametrize(
    ("begin", "part"),
    [
        (b"", b"\r\n" * 1000),
        (HEAD + b"X: ", b"y" * 4000),
        (HEAD + b"Content-Length: 1000000000\r\n\r\n", b"x" * 4000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 4000 + b"\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y" * 4000),
    ],
    ids=["empty lines", "a header", "a body", "extensions of chunks", "a trailer"],
)
def test_floods_are_cut_off(address: str, begin: bytes, part: bytes) -> None:
    with connected(address) as raw:
        raw.sendall(begin)
        assert flooded(raw, part, 50_000_000) < 50_000_000


@pytest.mark.parametrize(
    "parts",
    [
        [HEAD, *[b"X: y\r\n"] * 40],
        [HEAD + b"Content-Length: 1000\r\n\r\n", *[b"x"] * 40],
        # Answered with 413 at once, and still sending.
        [HEAD + b"Content-Length: 1000000\r\n\r\n", *[b"x"] * 40],
    ],
    ids=["headers", "a body", "a body that was refused"],
)
def test_drips_are_cut_off(address: str, parts: list[bytes]) -> None:
    started = time.monotonic()
    with connected(address) as raw:
        try:
            for part in parts:
                raw.sendall(part)
                time.sleep(0.1)
        except ConnectionError:
            pass
        found = answer(raw)
    assert time.monotonic() - started < 4
    assert not found or b" 408 " in found or b" 413 " in found


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"text": "x", "a": ' + b"[" * 9000 + b"]" * 9000 + b"}", 400),
        (b'{"text": "x", "a": ' + b"[" * 100 + b"]" * 100 + b"}", 200),
        (b'{"text": "\\ud800"}', 400),
        (b'{"text": "\\u0000 casino"}', 200),
        (b'{"text": "casino", "n": 1e999}', 400),
        (b'{"text": "casino", "n": NaN}', 400),
        (b'\xef\xbb\xbf{"text": "x"}', 400),
        (b'{"text": "hello", "text": "casino"}', 200),
        (b'{"text": "casino", "posts": [1, 2]}', 200),
        (b'{"posts": ["a"], "posts": {}}', 422),
        (b'{"posts": [{"posts": ["a"]}]}', 422),
        (b"null", 422),
        (b"", 400),
    ],
)
def test_odd_json(address: str, body: bytes, status: int) -> None:
    found = httpx.post(f"{address}/v1/decide", content=body)
    assert found.status_code == status, found.text
    if b"casino" in body and status == 200:
        assert found.json()["verdict"] == "flagged"


@pytest.mark.parametrize("number", [b"9" * 19, b"1" + b"0" * 400, b"-" + b"9" * 30])
def test_ids_of_any_length(address: str, number: bytes) -> None:
    """Numbers that do not fit are floats in JSON, which are no ids."""
    found = httpx.post(f"{address}/v1/decide", content=b'{"text": "x", "id": ' + number + b"}")
    assert found.status_code in (200, 400, 422)
    if found.status_code == 200:
        assert str(found.json()["id"]).encode() == number


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
def test_what_is_no_http(address: str, head: bytes) -> None:
    with connected(address) as raw:
        raw.sendall(head)
        assert answer(raw).startswith(b"HTTP/1.1 400 ")


def test_noise(address: str) -> None:
    dice = random.Random(7)
    for _ in range(60):
        with connected(address) as raw:
            raw.sendall(dice.choice([b"", HEAD]) + dice.randbytes(dice.randrange(1, 3000)) + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 2" not in answer(raw)


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/v1/%2e%2e/%2e%2e/etc/passwd", "//v1/decide", "/v1/decide/..;/"]
)
def test_no_way_out_by_the_path(address: str, path: str) -> None:
    with connected(address) as raw:
        raw.sendall(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
        found = answer(raw)
    assert found.startswith(b"HTTP/1.1 404 ") and b"root:" not in found


def test_requests_behind_each_other(address: str) -> None:
    """Pipelined: all are answered, in their order."""
    texts = ["casino", "hello", "terrible", "casino"]
    bodies = [json.dumps({"id": at, "text": text}).encode() for at, text in enumerate(texts)]
    sent = b"".join(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies)
    with connected(address) as raw:
        raw.sendall(sent + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found = answer(raw).decode()
    verdicts = re.findall(r'"id":(\d),"verdict":"(\w+)"', found)
    assert verdicts == [("0", "flagged"), ("1", "allowed"), ("2", "blocked"), ("3", "flagged")] and '"ok"' in found


def test_who_asks_beside_them_is_answered(address: str) -> None:
    """Posts that are judged as one batch: what is wrong with one is said of that one."""
    bodies = [
        (b'{"id": 1, "text": "casino"}', (200, "flagged")),
        (b'{"id": 1}', (422, "P002")),
        (b"{", (400, "H400")),
        (b'{"posts": ["casino", {"text": 1}]}', (422, "P003")),
        (b'{"posts": ["terrible"]}', (200, "blocked")),
    ]

    def ask(at: int) -> None:
        body, expected = bodies[at % len(bodies)]
        found = client.post("/v1/decide", content=body)
        if expected[0] == 200:
            decision = found.json().get("decisions", [found.json()])[0]
            assert (found.status_code, decision["verdict"]) == expected
            assert found.headers["x-engine"] == decision["engine"]
        else:
            assert code(found) == expected

    with httpx.Client(base_url=address, timeout=30) as client, ThreadPoolExecutor(20) as pool:
        list(pool.map(ask, range(300)))


def test_what_the_metrics_tell(address: str, tmp_path: Path) -> None:
    httpx.post(f"{address}/v1/decide", json={"text": "hello"})
    text = httpx.get(f"{address}/metrics").text
    for name in ("posts", "rules", "languages", "unknown", "unjudged", "requests", "reloads", "failed_reloads"):
        assert f"# TYPE moderation_{name}_total counter" in text
    for name in ("batch", "request"):
        assert f"# TYPE moderation_{name}_seconds histogram" in text
    assert 'moderation_unjudged_total{why="engine/timeout"} 0.0' in text
    assert "hello" not in text
