"""What a rule author reads, and the exit status that their own CI sees."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from moderation.cli.main import cli

GOLDEN = Path(__file__).parent.parent / "golden" / "examples"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments])


@pytest.mark.parametrize(("options", "golden"), [((), "check.out"), (("--verbose",), "check-verbose.out")])
def test_failing_examples(options: tuple[str, ...], golden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    result = run("rules", *options)
    shown = "\n".join(line.rstrip() for line in result.output.splitlines()) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        Path(golden).write_text(shown, "utf-8")
    assert shown == Path(golden).read_text("utf-8")
    assert result.exit_code == 1


def test_as_json() -> None:
    result = run(str(GOLDEN / "rules"), "--format", "json")
    report = json.loads(result.output)
    assert result.exit_code == 1 and report["ok"] is False
    assert {item["code"] for item in report["diagnostics"]} >= {"M080"}
    assert [pack["pack"] for pack in report["packs"]] == ["any/digits", "zh/tickets"]


def test_paths_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN / "rules" / "zh")
    assert "--> tickets.yaml:14" in run("tickets.yaml").output
    assert f"--> {GOLDEN}/rules/zh/tickets.yaml:14" in run(str(GOLDEN / "rules")).output


def test_sound_rules() -> None:
    result = run()
    assert result.exit_code == 0
    assert result.output.endswith("examples behave\n") and "error" not in result.output


def test_rules_that_do_not_load(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").write_text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    result = run(str(tmp_path))
    assert result.exit_code == 1 and "M004" in result.output and "Traceback" not in result.output


@pytest.mark.parametrize("path", ["nowhere", "nowhere.yaml"])
def test_a_path_that_is_not_there(path: str) -> None:
    result = run(path)
    assert result.exit_code == 2 and "does not exist" in result.output


def test_an_empty_folder(tmp_path: Path) -> None:
    result = run(str(tmp_path))
    assert result.exit_code == 1 and "M011" in result.output
