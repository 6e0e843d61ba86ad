"""`moderation bench --service`: real processes are asked, and all of its figures are told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from moderation.adapters import bench_stream
from moderation.cli.main import cli
from moderation.service import bench


def once(measure: Callable[..., Any]) -> Callable[..., Any]:
    """What was measured is told again to whoever asks again."""
    found: list[Any] = []

    def ask(*asked: Any) -> Any:
        found.extend([] if found else [measure(*asked)])
        return found[0]

    return ask


def test_the_service_is_measured(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_SECONDS", 0.2)
    monkeypatch.setattr(bench, "bench_service", once(bench.bench_service))
    monkeypatch.setattr(bench_stream, "bench_stream", once(bench_stream.bench_stream))
    command = ["bench", "--service", "--posts", "1000", "--reloads", "2", "--judges", "2", "--rules", str(rules)]
    plain, text = (CliRunner().invoke(cli, [*command, "--format", style]) for style in ("json", "text"))
    assert plain.exit_code == text.exit_code == 0, plain.output + text.output
    assert "1 and 1 refused" in text.stdout and "0 posts" in text.stdout and "adecide, 1,000 callers" in text.stdout
    found = json.loads(plain.stdout)
    assert found["reloads"]["reloads"] == found["reloads"]["refused"] == 1 and found["reloads"]["unanswered"] == 0
    assert found["reloads"]["engines"] == 2 and found["reloads"]["posts"] > 0
    assert min(found["hook"]["rate"], found["http"]["rate"], found["http_batches"]["rate"]) > 0
    assert (found["stream"] is None) == (shutil.which("redis-server") is None)
