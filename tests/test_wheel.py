"""The wheel holds everything: it judges posts from an empty folder, with no checkout in sight."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import moderation

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_has_rules_tables_and_notices(installed: Path) -> None:
    shipped = {path.relative_to(ROOT).as_posix() for path in (ROOT / "rules").rglob("*") if path.is_file()}
    assert shipped == {
        path.relative_to(installed / "moderation").as_posix() for path in installed.glob("moderation/rules/**/*.*")
    }
    for part in ("text", "language"):
        tables = {path.name for path in (ROOT / "moderation" / part / "tables").glob("*.npz")}
        assert tables and tables <= {path.name for path in (installed / "moderation" / part / "tables").iterdir()}
    assert {"LICENSE", "NOTICE"} <= {path.name for path in installed.glob("*.dist-info/licenses/*")}
    assert not list(installed.glob("tests/**"))


def test_the_wheel_scores_in_an_empty_folder(installed: Path, tmp_path: Path, bundled: moderation.Engine) -> None:
    environment = {"PYTHONPATH": str(installed), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "moderation", "score", "--quiet", "-"],
        input='{"id": 1, "text": "你好 world"}\n',
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    decision = json.loads(done.stdout)
    assert (decision["verdict"], decision["engine"]) == ("allowed", bundled.fingerprint)
    assert not list(tmp_path.iterdir())
