"""keys, bundle, serve and stream from the command line, as the README tells."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
import yaml
from click.testing import CliRunner, Result

from moderation.cli.main import cli

from .conftest import write_rules
from .test_http import serving
from .test_streams import SERVER, Server, consumer, written

EXAMPLES = Path(__file__).parents[2] / "examples"
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = run("keys", "feed", "--file", path, "--scope", "decide", "--scope", "metrics").stdout.strip()
    second = run("keys", "feed", "--file", path).stdout.strip()
    kept: list[dict[str, Any]] = json.loads(path.read_text())
    assert first != second and [key["name"] for key in kept] == ["feed"] and kept[0]["scopes"] == ["decide"]
    assert first.startswith("mk_") and second not in path.read_text()
    refused = run("keys", "x", "--file", path, "--scope", "nope")
    assert refused.exit_code == 2 and "choose of decide, explain, metrics, reload" in refused.output
    path.write_text("{")
    assert run("keys", "x", "--file", path).exit_code == 2


def test_bundles(tmp_path: Path) -> None:
    key, bundle = tmp_path / "release.pem", tmp_path / "rules.bundle"
    rules = write_rules(tmp_path / "rules")
    assert run("bundle", "--new-key", key).exit_code == 0 and key.stat().st_mode & 0o077 == 0
    again = run("bundle", "--new-key", key)
    assert again.exit_code == 2 and "is not overwritten" in again.output
    assert "signed, engine sha256:" in run("bundle", "--rules", rules, "--sign", key, "-o", bundle).output
    assert run("bundle").exit_code == run("bundle", "-o", tmp_path / "rules.tar").exit_code == 2
    broken = write_rules(tmp_path / "broken", "casino", "no such thing")
    refused = run("bundle", "--rules", broken, "-o", tmp_path / "broken.bundle")
    assert refused.exit_code == 2 and "M080" in refused.output and not (tmp_path / "broken.bundle").exists()


def test_a_service_that_takes_only_signed_rules(tmp_path: Path) -> None:
    """Watched: a bundle that another signed is refused, one that the key signed judges; the service never stops."""
    key, other, bundle, keys = (tmp_path / name for name in ("a.pem", "b.pem", "rules.bundle", "keys.json"))
    for each in (key, other):
        run("bundle", "--new-key", each)
    rules = write_rules(tmp_path / "rules")
    run("bundle", "--rules", rules, "--sign", key, "-o", bundle)
    made = run("keys", "feed", "--file", keys, "--scope", "decide", "--scope", "metrics").stdout.strip()
    options = ("--keys", str(keys), "--public-key", f"{key}.pub", "--watch", "--host", "127.0.0.1", "--judges", "2")
    with (
        serving("--rules", str(bundle), *options) as (address, _),
        httpx.Client(base_url=address, headers={"X-API-Key": made}) as client,
    ):
        write_rules(rules, "lottery")
        time.sleep(0.6)  # the watcher begins
        run("bundle", "--rules", rules, "--sign", other, "-o", bundle)
        _until(lambda: "moderation_failed_reloads_total 1.0" in client.get("/metrics").text)
        assert client.post("/v1/decide", json={"text": "casino"}).json()["verdict"] == "flagged"
        run("bundle", "--rules", rules, "--sign", key, "-o", bundle)
        _until(lambda: client.post("/v1/decide", json={"text": "lottery"}).json()["verdict"] == "flagged")
        assert client.get("/readyz").status_code == 200


def test_a_service_that_is_killed_under_load(tmp_path: Path) -> None:
    """Who asks again when nobody answers loses nothing, and gets the same decisions."""
    rules = write_rules(tmp_path / "rules")
    decided: dict[int, str] = {}
    addresses: list[str] = []

    def ask(first: int) -> None:
        with httpx.Client(timeout=10) as client:
            for at in range(first, 600, 4):
                while at not in decided:
                    try:
                        found = client.post(f"{addresses[-1]}/v1/decide", json={"id": at, "text": "casino"})
                    except httpx.TransportError:
                        time.sleep(0.05)
                    else:
                        decided[found.json()["id"]] = found.json()["verdict"]

    with serving("--rules", str(rules)) as (address, process):
        addresses.append(address)
        threads = [threading.Thread(target=ask, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        _until(lambda: len(decided) > 100)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with serving("--rules", str(rules)) as (address, _):
        addresses.append(address)
        for thread in threads:
            thread.join()
    assert sorted(decided) == list(range(600)) and set(decided.values()) == {"flagged"}


@pytest.mark.skipif(SERVER is None, reason="needs redis-server: apt-get install redis-server")
def test_a_consumer_with_all_its_options(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules")
    (tmp_path / "redis").mkdir()
    server = Server(tmp_path / "redis")
    options = (
        "--from",
        "in",
        "--to",
        "out",
        "--group",
        "mine",
        "--batch",
        "5",
        "--idle",
        "500",
        "--watch",
        "--judges",
        "2",
    )
    running = consumer(server, rules, *options)
    try:
        with redis.Redis(port=server.port) as client:
            sent = 0

            def judged() -> str:
                """The verdict on one more post."""
                nonlocal sent
                client.xadd("in", {"post": json.dumps({"id": sent, "text": "lottery"})})
                sent += 1
                _until(lambda: client.xlen("out") == sent)
                (_, fields), *_ = client.xrevrange("out", count=1)  # type: ignore[misc]
                return str(json.loads(fields[b"decision"])["verdict"])

            assert judged() == "allowed"
            write_rules(rules, "lottery")
            _until(lambda: judged() == "flagged")
            groups: Any = client.xinfo_groups("in")
            assert groups[0]["name"] == b"mine" and groups[0]["pending"] == 0
            assert len(client.hgetall("in:decisions")) == sent and written(client) == {}  # type: ignore[arg-type]
    finally:
        running.send_signal(signal.SIGINT)
        assert f"{sent} judged" in running.communicate(timeout=30)[1]
        server.kill()


def test_the_compose_file_asks_for_what_there_is() -> None:
    composed = yaml.safe_load((EXAMPLES / "docker-compose.yml").read_text("utf-8"))
    services = composed["services"]
    assert services["stream"]["build"] == services["serve"]["build"] and set(composed["volumes"]) == {"redis", "keys"}
    assert (EXAMPLES / services["serve"]["build"]["context"] / services["serve"]["build"]["dockerfile"]).exists()
    for name in ("serve", "stream"):
        program, command, *options = services[name]["command"]
        assert (program, command) == ("moderation", name)
        cli.commands[name].make_context(name, options)


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
