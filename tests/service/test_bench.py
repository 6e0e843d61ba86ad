"""`moderation bench --service`: real processes are asked, and all of its figures are told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from moderation.cli.main import cli
from moderation.service import bench


@pytest.mark.parametrize("style", ["text", "json"])
def test_the_service_is_measured(rules: Path, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    monkeypatch.setattr(bench, "_SECONDS", 0.2)
    command = ["bench", "--service", "--posts", "1000", "--reloads", "2", "--rules", str(rules), "--format", style]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    if style == "text":
        assert "1 and 1 refused" in done.stdout and "0 posts" in done.stdout and "adecide, 1,000 callers" in done.stdout
        return
    found = json.loads(done.stdout)
    assert found["reloads"]["reloads"] == found["reloads"]["refused"] == 1 and found["reloads"]["unanswered"] == 0
    assert found["reloads"]["engines"] == 2 and found["reloads"]["posts"] > 0
    assert min(found["hook"]["rate"], found["http"]["rate"], found["http_batches"]["rate"]) > 0
    assert (found["stream"] is None) == (shutil.which("redis-server") is None)
