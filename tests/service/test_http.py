"""The HTTP service as a process, asked over a socket: decisions, keys, limits, hostile requests, the end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool as Pool
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

import moderation
from moderation.service.keys import add_key
from moderation.service.openapi import document

from .conftest import write_rules


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a service that is ready, and its process."""
    command = [sys.executable, "-c", "from moderation.cli.main import main; main()", "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"listening on (http://\S+)", line):
                yield found[1], process
                return
        raise AssertionError("".join(lines))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stderr.close()


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    return path, add_key(path, "all", ("decide", "explain", "metrics", "reload")), add_key(path, "feed", ("decide",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def address(folder: Path, keyring: tuple[Path, str, str]) -> Iterator[str]:
    limits = ("--max-body", "20000", "--max-posts", "100", "--timeout", "20")
    with serving("--rules", str(folder), "--keys", str(keyring[0]), *limits) as (found, _):
        yield found


@pytest.fixture
def client(address: str, keyring: tuple[Path, str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {keyring[1]}"}, timeout=30) as found:
        yield found


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_decisions_are_those_of_the_engine(client: httpx.Client, folder: Path) -> None:
    engine = moderation.load(folder)
    posts: list[dict[str, Any]] = [{"id": 1, "text": "casino"}, {"id": "二", "text": "你好 🙂"}, {"text": "terrible"}]
    expected = [json.loads(decision.to_json()) for decision in engine.decide_batch(posts)]
    one = client.post("/v1/decide", json=posts[0])
    assert one.json() == expected[0] and one.headers["x-engine"] == engine.fingerprint
    assert client.post("/v1/decide", json={"posts": posts}).json() == {"decisions": expected}
    assert client.post("/v1/decide", json={"posts": []}).json() == {"decisions": []}


def test_what_else_it_tells(client: httpx.Client) -> None:
    explained = client.post("/v1/explain", json={"text": "casino"}).json()
    assert any(rule["rule"] == "x/one/spam" for rule in explained["rules"])
    assert client.get("/v1/engine").json()["rules"] == ["x/one/spam", "x/one/bad"]
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    client.post("/v1/decide", json={"text": "casino"})
    text = client.get("/metrics").text
    assert re.search(r'^moderation_posts_total\{verdict="flagged"\} [1-9]', text, re.M)
    assert re.search(r'^moderation_rules_total\{rule="x/one/spam"\} [1-9]', text, re.M)
    assert "moderation_batch_seconds_bucket" in text and "moderation_failed_reloads_total" in text


def test_keys(address: str, keyring: tuple[Path, str, str]) -> None:
    path, _, feed = keyring
    assert feed not in path.read_text() and path.stat().st_mode & 0o077 == 0
    post = {"text": "hello"}
    for headers in ({}, {"Authorization": "Bearer mk_forged"}, {"X-API-Key": ""}, {"Authorization": f"Basic {feed}"}):
        assert code(httpx.post(f"{address}/v1/decide", json=post, headers=headers)) == (401, "H401")
    assert httpx.post(f"{address}/v1/decide", json=post, headers={"X-API-Key": feed}).status_code == 200
    for route in ("explain", "reload"):
        refused = httpx.post(f"{address}/v1/{route}", json=post, headers={"X-API-Key": feed})
        assert code(refused) == (403, "H403")
    assert code(httpx.get(f"{address}/metrics")) == (401, "H401")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "H400")),
        (b'{"text": "\xff"}', (400, "H400")),
        (b"[" * 15000, (400, "H400")),
        (b"[]", (422, "H422")),
        (b'{"posts": {}}', (422, "H422")),
        (b'{"posts": [1]}', (422, "H422")),
        (b'{"id": 1}', (422, "P002")),
        (b'{"text": 1}', (422, "P003")),
        (b'{"text": "x", "id": []}', (422, "P004")),
        (b'{"posts": [{"id": 1}]}', (422, "P002")),
        (json.dumps({"posts": ["x"] * 101}).encode(), (413, "H413")),
        (json.dumps({"text": "x" * 30000}).encode(), (413, "H413")),
    ],
)
def test_bad_bodies(client: httpx.Client, body: bytes, expected: tuple[int, str]) -> None:
    assert code(client.post("/v1/decide", content=body)) == expected
    assert code(client.post("/nowhere", content=body)) == (404, "H404")


def test_a_body_that_does_not_tell_its_size(client: httpx.Client) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(50):
            yield b"x" * 1000

    assert code(client.post("/v1/decide", content=parts())) == (413, "H413")


def test_floods_of_headers(address: str, keyring: tuple[Path, str, str]) -> None:
    host, port = re.findall(r"//(.*):(\d+)", address)[0]
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(OSError):
            for at in range(20000):
                raw.sendall(b"X-%d: %s\r\n" % (at, b"x" * 1000))
            raise OSError
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_reloads(client: httpx.Client, folder: Path) -> None:
    before = client.get("/v1/engine").json()["fingerprint"]
    write_rules(folder, "casino", "no such thing")
    broken = client.post("/v1/reload")
    assert broken.status_code == 409 and "M080" in broken.json()["problem"]
    assert client.get("/v1/engine").json()["fingerprint"] == before and client.get("/readyz").status_code == 200
    write_rules(folder, "lottery")
    assert client.post("/v1/reload").json()["ok"]
    assert client.post("/v1/decide", json={"text": "lottery"}).json()["verdict"] == "flagged"
    write_rules(folder)
    assert client.post("/v1/reload").json()["fingerprint"] == before


def test_a_stalled_body_and_the_end(folder: Path) -> None:
    with serving("--rules", str(folder), "--body-seconds", "0.5") as (address, process):
        host, port = re.findall(r"//(.*):(\d+)", address)[0]
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(b'POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"text":')
            assert b" 408 " in raw.recv(1000)
        # What has begun is answered when it is told to stop, and nothing new is.
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(b'POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n{"text": ')
            time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            raw.sendall(b'"casino"}')
            assert b'"flagged"' in b"".join(iter(lambda: raw.recv(4000), b""))
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)


def test_headers_that_do_not_come(folder: Path) -> None:
    with serving("--rules", str(folder), "--header-seconds", "0.4") as (address, _):
        host, port = re.findall(r"//(.*):(\d+)", address)[0]
        for sent in (b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET"):
            with socket.create_connection((host, int(port)), timeout=10) as raw:
                raw.sendall(sent)
                started = time.monotonic()
                answer = b"".join(iter(lambda: raw.recv(4000), b""))
                assert (b"200 OK" in answer) == (b"Host" in sent)
                assert 0.2 < time.monotonic() - started < 5
        # Who is slow to come back, but not slow to ask, is answered.
        with httpx.Client(base_url=address) as client:
            for _ in range(2):
                assert client.get("/healthz").status_code == 200
                time.sleep(0.8)


def test_too_many_posts_are_told_to_come_again(folder: Path) -> None:
    asked: list[httpx.Response] = []
    limits = httpx.Limits(max_connections=64)
    with (
        serving("--rules", str(folder), "--max-waiting", "4") as (address, _),
        httpx.Client(base_url=address, limits=limits) as client,
        Pool(64) as pool,
    ):
        for _ in range(20):
            asked += pool.map(lambda _: client.post("/v1/decide", json={"text": "casino"}), range(64))
            if any(response.status_code == 429 for response in asked):
                break
    refused = [response for response in asked if response.status_code == 429]
    assert refused and all(response.headers["retry-after"] == "1" for response in refused)
    assert code(refused[0]) == (429, "H429")
    assert {response.status_code for response in asked} <= {200, 429}


def test_a_hangup_reloads(tmp_path: Path) -> None:
    with serving("--rules", str(write_rules(tmp_path))) as (address, process):
        write_rules(tmp_path, "lottery")
        process.send_signal(signal.SIGHUP)
        for _ in range(200):
            if httpx.post(f"{address}/v1/decide", json={"text": "lottery"}).json()["verdict"] == "flagged":
                return
            time.sleep(0.05)
        raise AssertionError("the rules were not loaded again")


def test_it_listens_elsewhere_only_with_keys(folder: Path) -> None:
    command = [sys.executable, "-c", "from moderation.cli.main import main; main()", "serve", "--host", "0.0.0.0"]
    done = subprocess.run([*command, "--rules", str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "there are no keys" in done.stderr and "Traceback" not in done.stderr


schema = schemathesis.openapi.from_dict(document("1"))


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_does_as_it_says(case: Any, address: str, keyring: tuple[Path, str, str]) -> None:
    response = case.call(base_url=address, headers={"Authorization": f"Bearer {keyring[1]}"})
    case.validate_response(
        response,
        excluded_checks=[schemathesis.checks.ignored_auth] if hasattr(schemathesis.checks, "ignored_auth") else [],
    )


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", "from moderation.cli.main import main; main()", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120)


def test_keys_and_signed_rules_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    """As the README has it: a key with scopes, a signed bundle, and a service that takes no other rules."""
    key = command("keys", "feed", "--file", tmp_path / "keys.json", "--scope", "decide", "--scope", "metrics")
    assert command("bundle", "--new-key", tmp_path / "release.pem").returncode == 0
    bundle, public = tmp_path / "rules.bundle", tmp_path / "release.pem.pub"
    made = command("bundle", "--rules", folder, "--sign", tmp_path / "release.pem", "-o", bundle)
    assert made.returncode == 0 and ", signed, engine sha256:" in made.stderr
    options = ("--rules", str(bundle), "--public-key", str(public), "--watch", "--keys", str(tmp_path / "keys.json"))
    with serving(*options) as (found, _):
        headers = {"Authorization": f"Bearer {key.stdout.strip()}"}
        told = httpx.post(f"{found}/v1/decide", json={"id": 1, "text": "casino"}, headers=headers, timeout=30)
        assert told.json()["verdict"] == "flagged"
        assert httpx.get(f"{found}/metrics", headers=headers).status_code == 200
        assert httpx.post(f"{found}/v1/reload", headers=headers).status_code == 403
    refused = command("serve", "--port", "0", "--rules", folder, "--public-key", public)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
