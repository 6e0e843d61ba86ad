"""What an explanation says, word for word, and that it is the same judgement as everywhere else.

`UPDATE_GOLDEN=1 pytest` rewrites `golden/feed/explain-*.out`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from rich.cells import cell_len

Run = Callable[..., CompletedProcess[str]]

POSTS = Path(__file__).parent.parent / "golden" / "feed" / "posts.jsonl"
BY_ID = {json.loads(line)["id"]: line for line in POSTS.read_text("utf-8").splitlines()[:13]}


@pytest.mark.parametrize(
    "id", ["zh-hit", "zh-allow", "zh-fine", "en-hit", "en-fine", "unknown", "mixed", "folded", "french", "emoji"]
)
def test_explanations(run: Run, feed: Path, id: str) -> None:
    done, golden = run("explain", "--post", BY_ID[id]), feed / f"explain-{id}.out"
    assert (done.returncode, done.stderr) == (0, "")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(done.stdout, "utf-8")
    assert done.stdout == golden.read_text("utf-8")


@pytest.mark.parametrize("id", BY_ID)
def test_it_is_the_decision_of_score(run: Run, id: str, tmp_path: Path) -> None:
    (tmp_path / "post").write_text(BY_ID[id], "utf-8")
    explained = json.loads(run("explain", "--format", "json", "--post", BY_ID[id]).stdout)
    assert explained["decision"] == json.loads(run("score", tmp_path / "post").stdout)
    assert explained["post"]["fields"] and explained["rules_total"] == 7
    holding = {rule["rule"] for rule in explained["rules"] if rule["value"]}
    told = {reason["rule"] for key in ("reasons", "shadow") for reason in explained["decision"][key]}
    assert {rule for rule in told if not rule.startswith("engine/")} <= holding


def test_as_json(run: Run) -> None:
    explained = json.loads(run("explain", "--format", "json", "出假票，门票原价转让").stdout)
    rules = {rule["rule"]: rule for rule in explained["rules"]}
    assert explained["folded"] == [["text", "出假票,门票原价转让"]]
    assert {name: rule["value"] for name, rule in rules.items()} == {
        "zh/tickets/forged": True, "zh/tickets/resale": False,
    }  # fmt: skip
    forged, resale = rules["zh/tickets/forged"], rules["zh/tickets/resale"]
    assert [child["value"] for child in resale["when"]["children"]] == [True, True]
    assert resale["unless"]["value"] is True
    assert forged["when"]["spans"][0] | {"via": []} == {
        "field": "text", "start": 1, "end": 3, "text": "假票", "term": "假票", "via": [],
    }  # fmt: skip


def test_text_is_the_default_format(run: Run) -> None:
    assert run("explain", "出假票", "--format", "text").stdout == run("explain", "出假票").stdout


def test_standard_input(run: Run, run_apart: Run) -> None:
    """The newline that a pipe ends with is no part of the post."""
    expected = run("explain", "Two tickets,\nabove face value").stdout
    assert run_apart("explain", "-", input=b"Two tickets,\nabove face value\r\n").stdout == expected


def test_a_post_on_standard_input(run: Run, run_apart: Run) -> None:
    expected = run("explain", "--post", BY_ID["mixed"]).stdout
    assert run_apart("explain", "--post", "-", input=BY_ID["mixed"].encode() + b"\n").stdout == expected


def test_a_rule_that_nothing_concerns(run: Run) -> None:
    plain = run("explain", "你好").stdout
    asked = run("explain", "你好", "--rule", "zh/tickets/forged", "--rule", "en/tickets/tour").stdout
    assert "0 of 7 rules concern it" in plain and "tickets" not in plain
    assert "\n✗ zh/tickets/forged  block  " in asked and "\n✗ en/tickets/tour  block  " in asked
    assert "✗ terms 假票, 伪造门票" in asked


@pytest.mark.parametrize(
    ("name", "message"),
    [("zh/tickets/forgd", "did you mean zh/tickets/forged?"), ("none", "there is no rule 'none'"), ("", "no rule ''")],
)
def test_a_rule_that_is_not_there(run: Run, name: str, message: str) -> None:
    done = run("explain", "你好", "--rule", name)
    assert (done.returncode, done.stdout) == (2, "") and message in done.stderr


def test_rules(run: Run, feed: Path) -> None:
    assert "any/contact/handle" in run("explain", "微信 abc12345").stdout
    pack = feed / "rules" / "zh" / "tickets.yaml"
    assert "any/contact/handle" not in run("explain", "微信 abc12345", "--rules", pack).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a TEXT or --post JSON, and not both"),
        (("text", "--post", "{}"), "give a TEXT or --post JSON, and not both"),
        (("one", "two"), "unexpected extra argument"),
        (("text", "--format", "yaml"), "'yaml' is not one of 'text', 'json'"),
        (("text", "--rules", "nowhere"), "nowhere"),
        (("--post", ""), "R001: broken JSON at column 1: expecting value, found the line's end"),
        (("--post", "{'text': 1}"), "R001: broken JSON at column 2"),
        (("--post", "[]"), "R003: a record is one object a line, not a list: []"),
        (("--post", "{}"), "P002: no text: the post has nothing"),
        (("--post", '{"text": 7}'), "P003: `text` is a text or a list of texts, not the number 7"),
        (("--post", '{"id": [], "text": ""}'), "P004: `id` is a text or a whole number, not a list"),
        (("--post", '{"\x1b[31m": 1}'), "R001: broken JSON at column 3: invalid control character, found \\u001b[31m"),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run("explain", *arguments)
    assert (done.returncode, done.stdout) == (2, "") and message in done.stderr


@pytest.mark.parametrize("arguments", [("-",), ("--post", "-")])
def test_standard_input_that_is_no_text(run_apart: Run, arguments: tuple[str, ...]) -> None:
    done = run_apart("explain", *arguments, input=b"ab\xff")
    assert (done.returncode, done.stderr) == (2, "error: R002: invalid UTF-8 at column 3: byte 0xff\n")


@pytest.mark.parametrize("text", ["", "\ud800", "\0", "\x1b[31m", "a\u202eb", "好" * 30_000, "e\u0301" * 200, "\u0301"])
def test_any_text_can_be_explained(run: Run, text: str) -> None:
    """Nothing in a post moves the cursor, and both formats hold all of it."""
    done = run("explain", "--post", json.dumps({"text": text}))
    assert done.returncode == 0 and not set(done.stdout) & {"\0", "\x1b", "\u202e", "\ud800"}
    explained = json.loads(run("explain", "--format", "json", "--post", json.dumps({"text": text})).stdout)
    assert explained["post"]["fields"] == [["text", text]]


def under(shown: str, rule: str) -> list[str]:
    """What the marks of a rule stand under, row by row, cell by cell."""
    found, lines = [], shown.partition("\nlanguage")[0].splitlines()
    for number, line in enumerate(lines):
        if line.endswith(f" {rule}"):
            row = next(row for row in reversed(lines[:number]) if "^" not in row)
            cells = "".join(letter + "\0" * (cell_len(letter) - 1) for letter in row)
            found += ["".join(cell for cell, mark in zip(cells, line, strict=False) if mark == "^").replace("\0", "")]
    return found


@pytest.mark.parametrize(
    "post",
    [
        {"text": "😀 ok 出假票 here"},
        {"title": "出假票", "text": "none"},
        {"description": "出假票", "transcript": "a 伪造门票"},
        {"tags": ["one", "二", "出假票"]},
        {"text": "\t出假票\n"},
    ],
)
def test_marks_stand_under_what_hit(run: Run, post: dict[str, Any]) -> None:
    """Whatever the fields' names, and whatever stands before it on the line."""
    marked = under(run("explain", "--post", json.dumps(post)).stdout, "zh/tickets/forged")
    assert marked == ["假票"] + ["伪造门票"] * ("transcript" in post)


def test_marks_in_a_text_of_several_rows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "好" * 40 + "假票" + "好" * 43 + "伪造门票" + "好" * 9
    shown = run("explain", text).stdout
    assert max(map(cell_len, shown.partition("\nlanguage")[0].replace("zh/tickets/forged", "").splitlines())) <= 101
    assert "".join(under(shown, "zh/tickets/forged")) == "假票伪造门票"


def test_many_hits_are_counted(run: Run) -> None:
    assert " … (40 hits)" in run("explain", "假票，" * 40).stdout
    assert len(json.loads(run("explain", "假票，" * 40, "--format", "json").stdout)["rules"][0]["when"]["spans"]) == 40


def test_labels_and_texts_keep_apart(run: Run) -> None:
    """Long names move what they name to the right, all of it."""
    lines = run("explain", "--post", '{"transcript": "ABC", "text": "DEF"}').stdout.splitlines()
    labelled = [line for line in lines if line.startswith(("text", "transcript", "folded", "language", "verdict"))]
    assert [line.split(maxsplit=2)[:2] for line in labelled[:2]] == [["text", "DEF"], ["transcript", "ABC"]]
    assert {"folded text       def", "folded transcript abc"} <= set(lines)
    assert {line[18] != " " and line[17] == " " for line in labelled} == {True}
