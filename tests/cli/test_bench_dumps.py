"""The benchmark of dumps: every way ends, and what is not installed is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import moderation
from moderation.adapters import bench_dumps
from moderation.authoring import bench_peers

Run = Callable[..., CompletedProcess[str]]


def test_every_way_is_measured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_dumps, "ROUNDS", 1)
    monkeypatch.setattr(bench_dumps, "find_spec", lambda name: name != "pyspark" or None)
    monkeypatch.setattr(bench_peers.bench_peers, "__defaults__", (0.05,))
    done = run("bench", "--dumps", "--posts", 300, "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    names = [way["name"] for way in told["ways"]]
    assert names[0] == "JSON Lines, 1 process" and "Parquet, 1 process" in names
    assert all(way["rate"] > 0 and way["start_seconds"] >= 0 and way["peak_mib"] > 20 for way in told["ways"])
    assert told["posts"] == 300 and told["terms"] > 3 and told["memory_rate"] > 0
    by_hand, *packages = told["peers"]
    assert by_hand["name"].startswith("langdetect") and by_hand["rate"] > 0
    assert [each["name"] for each in packages] == ["presidio-analyzer", "better-profanity", "alt-profanity-check"]


def test_the_floor_writes_a_record_a_post(feed: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"id": 1, "text": "加我微信"}\n{"id": 2, "text": "hello"}\n')
    bench_dumps.floor(str(feed / "rules"), str(tmp_path / "posts.jsonl"), str(tmp_path / "out"))
    assert [json.loads(line)["id"] for line in (tmp_path / "out").read_text().splitlines()] == [1, 2]


def test_terms_of_all_rules(feed: Path) -> None:
    terms = bench_peers.terms_in(moderation.load(feed / "rules").rulebook)
    assert "微信" in terms and len(terms) == len(set(terms))
