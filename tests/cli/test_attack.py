"""`moderation attack`: as a person reads it, and as a program does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from moderation.cli.main import cli

GOLDEN = Path(__file__).parent.parent / "golden" / "attack.out"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["attack", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_term_as_people_read_it() -> None:
    code, shown, _ = run("傻逼", "--count", "1")
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(shown, "utf-8")
    assert code == 0
    assert shown == GOLDEN.read_text("utf-8")


def test_as_json() -> None:
    code, shown, _ = run("fuck", "--resist", "leet, masks", "--format", "json", "--count", "2", "--seed", "3")
    found = json.loads(shown)
    assert code == 0
    assert found["resist"] == ["leet", "masks"]
    assert {each["trick"] for each in found["attempts"] if each["span"]} >= {"leet", "masks", "width"}


def test_all_rules(tmp_path: Path) -> None:
    pack = tmp_path / "zh" / "x.yaml"
    pack.parent.mkdir()
    pack.write_text(
        "pack: zh/x\nversion: '1'\nabout: x\nlanguages: [zh, en]\ncategory: x\n"
        "rules:\n  - id: a\n    verdict: flag\n    severity: 1\n    when: {terms: [微信, 傻逼, shit, fuck]}\n"
        "    examples: {hit: [微信], miss: [你好]}\n    reason: {en: x, zh: x}\n",
        "utf-8",
    )
    benign = tmp_path / "benign.jsonl"
    benign.write_text('{"id": "a", "text": "你好"}\n{"id": "b", "text": "薇信"}\n', "utf-8")
    code, shown, _ = run("--rules", str(pack), "--benign", str(benign), "--format", "json")
    found = json.loads(shown)
    assert code == 0
    assert (found["terms"], found["ordinary"]) == (4, 2)
    assert found["false_posts"] == [["b", "zh/x/a", "薇信", "微信", ["homophones"]]]
    assert {row["trick"]: row["false_hits"] for row in found["tricks"]}["homophones"] == 1
    code, shown, _ = run("--rules", str(pack), "--benign", str(benign))
    assert "false hit: b  zh/x/a  薇信 as 微信 by homophones" in shown
    assert "50.00% of 2 ordinary posts hit by any trick" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "--resist", "leat"], "did you mean `leet`?"),
        (["\u200b"], "folds to nothing"),
        (["--benign", "/nowhere"], "does not exist"),
    ],
)
def test_mistakes_are_told(arguments: list[str], says: str) -> None:
    code, _, error = run(*arguments)
    assert code == 2
    assert says in error


def test_a_broken_line_is_told_with_its_number(tmp_path: Path) -> None:
    benign = tmp_path / "benign.jsonl"
    benign.write_text('{"text": "x"}\n{"text"\n', "utf-8")
    code, _, error = run("--benign", str(benign))
    assert code == 2
    assert "benign.jsonl:2" in error.replace("\n", "")
