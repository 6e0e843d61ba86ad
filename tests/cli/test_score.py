"""Dumps in, decisions out: the same ones whatever files they come in, and a summary that adds up."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import moderation

Run = Callable[..., CompletedProcess[str]]

VERDICTS = {
    "zh-hit": "flagged", "zh-block": "blocked", "zh-allow": "allowed", "zh-fine": "allowed", "en-hit": "flagged",
    "en-fine": "allowed", "unknown": "flagged", "known": "allowed", "mixed": "allowed", "folded": "blocked",
    "french": "flagged", "korean": "flagged", "emoji": "allowed",
}  # fmt: skip


def verdicts(done: CompletedProcess[str]) -> dict[object, str]:
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {decision["id"]: decision["verdict"] for decision in found}


def dump(path: Path, *posts: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts), "utf-8")
    return path


def masked(text: str) -> str:
    """Without what differs from run to run: time, speed, and space at the ends of lines."""
    text = re.sub(r"[\d.]+ s · [\d,]+ posts/s", "… s · … posts/s", text)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def test_a_run(run: Run, feed: Path) -> None:
    done = run("score", feed / "posts.jsonl")
    assert done.returncode == 0
    assert list(verdicts(done).items()) == list(VERDICTS.items())


def test_decisions_are_what_the_library_says(run: Run, feed: Path) -> None:
    engine = moderation.load(feed / "rules")
    posts = [json.loads(line) for line in (feed / "posts.jsonl").read_text("utf-8").splitlines()[: len(VERDICTS)]]
    expected = "".join(engine.decide(post).to_json().decode() + "\n" for post in posts)
    assert run("score", feed / "posts.jsonl").stdout == expected


def test_the_summary(run: Run, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(feed)
    shown = masked(run("score", "posts.jsonl").stderr)
    if os.environ.get("UPDATE_GOLDEN"):
        Path("summary.out").write_text(shown, "utf-8")
    assert shown == Path("summary.out").read_text("utf-8")


def test_standard_input(run: Run, run_apart: Run, feed: Path) -> None:
    done = run_apart("score", input=(feed / "posts.jsonl").read_bytes())
    assert done.stdout == run("score", feed / "posts.jsonl").stdout
    assert "\n-:14: P002: " in done.stderr


def test_standard_input_among_files(run_apart: Run, tmp_path: Path) -> None:
    first, last = dump(tmp_path / "a", {"id": 1, "text": "a"}), dump(tmp_path / "b", {"id": 3, "text": "b"})
    done = run_apart("score", first, "-", last, input='{"id": 2, "text": "出假票"}\n'.encode())
    assert verdicts(done) == {1: "allowed", 2: "blocked", 3: "allowed"}


def test_gzip_reads_like_plain(run: Run, feed: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "posts"
    zipped.write_bytes(gzip.compress((feed / "posts.jsonl").read_bytes()))
    assert run("score", zipped).stdout == run("score", feed / "posts.jsonl").stdout


def test_posts_without_an_id(run: Run, tmp_path: Path) -> None:
    """One file: its line number. Several: the file too, so that no two decisions share an id."""
    first, second = dump(tmp_path / "a", {"text": "a"}, {"text": "b"}), dump(tmp_path / "b", {"text": "c"})
    assert list(verdicts(run("score", first))) == [1, 2]
    assert list(verdicts(run("score", first, second))) == [f"{first}:1", f"{first}:2", f"{second}:1"]


@pytest.mark.parametrize("size", [1, 2, 5, 9, 15])
def test_any_split_gives_the_same_bytes(run: Run, feed: Path, tmp_path: Path, size: int) -> None:
    lines = (feed / "posts.jsonl").read_bytes().splitlines(keepends=True)
    parts = [tmp_path / f"{start:02}" for start in range(0, len(lines), size)]
    for number, part in enumerate(parts):
        part.write_bytes(b"".join(lines[number * size : (number + 1) * size]))
    whole = run("score", feed / "posts.jsonl").stdout
    assert run("score", *parts).stdout == whole
    assert "".join(run("score", part).stdout for part in parts) == whole


def test_many_blocks_give_the_bytes_of_one(run: Run, feed: Path, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes((feed / "posts.jsonl").read_bytes() * 600)
    assert run("score", large).stdout == run("score", feed / "posts.jsonl").stdout * 600


def test_an_output_file_holds_what_a_pipe_gets(run: Run, feed: Path, tmp_path: Path) -> None:
    expected = run("score", feed / "posts.jsonl").stdout
    for option in ("-o", "--output"):
        done = run("score", feed / "posts.jsonl", option, tmp_path / "out")
        assert (done.returncode, done.stdout) == (0, "")
        assert (tmp_path / "out").read_text("utf-8") == expected
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("named", ["flagged", "blocked", "flagged,blocked", "blocked, allowed"])
def test_only_some_are_written_and_all_are_counted(run: Run, feed: Path, named: str) -> None:
    done = run("score", feed / "posts.jsonl", "--only", named)
    assert verdicts(done) == {id: verdict for id, verdict in VERDICTS.items() if verdict in named}
    assert masked(done.stderr) == masked(run("score", feed / "posts.jsonl").stderr)


@pytest.mark.parametrize(
    ("text", "option", "status"),
    [
        ("你好", "flagged", 0),
        ("两张门票加价转让", "flagged", 1),
        ("出假票", "flagged", 1),
        ("你好", "blocked", 0),
        ("两张门票加价转让", "blocked", 0),
        ("出假票", "blocked", 1),
    ],
)
def test_fail_on(run: Run, tmp_path: Path, text: str, option: str, status: int) -> None:
    path = dump(tmp_path / "posts", {"text": "早安"}, {"text": text}, {"no": "text"})
    assert run("score", path, "--fail-on", option).returncode == status
    assert run("score", path, "--fail-on", option, "--only", "allowed", "-q").returncode == status
    assert run("score", path).returncode == 0


def test_other_text_fields(run: Run, tmp_path: Path) -> None:
    path = dump(tmp_path / "posts", {"id": 1, "msg": "a", "more": "出假票", "text": "b"}, {"id": 2, "text": "出假票"})
    assert verdicts(run("score", path)) == {1: "allowed", 2: "blocked"}
    assert verdicts(run("score", path, "--field", "msg")) == {1: "allowed"}
    assert verdicts(run("score", path, "--field", "msg", "--field", "more")) == {1: "blocked"}


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet(run: Run, feed: Path, tmp_path: Path, option: str) -> None:
    """No summary, but what was lost is always told."""
    assert run("score", dump(tmp_path / "posts", {"text": "a"}), option).stderr == ""
    told = run("score", feed / "posts.jsonl", option).stderr
    assert "3 records rejected" in told and "posts/s" not in told


def test_rules(run: Run, feed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--rules` goes before the variable, and takes a folder or a pack."""
    path = dump(tmp_path / "posts", {"id": 1, "text": "出假票"}, {"id": 2, "text": "Two tickets, above face value"})
    pack = feed / "rules" / "en" / "tickets.yaml"
    monkeypatch.setenv("MODERATION_RULES", str(tmp_path / "nowhere"))
    assert verdicts(run("score", path, "--rules", feed / "rules")) == {1: "blocked", 2: "flagged"}
    assert "en/tickets/resale" in run("score", path, "--rules", pack).stdout
    assert "zh/tickets/forged" not in run("score", path, "--rules", pack).stdout


def test_rules_that_do_not_load(run: Run, feed: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("pack: zh/bad\nrules: [{id: one, verdict: ban}]\n")
    done = run("score", feed / "posts.jsonl", "--rules", tmp_path, "-o", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--> {tmp_path}/bad.yaml:2:" in done.stderr and "errors, " in done.stderr
    assert not (tmp_path / "out").exists()
    assert run("score", feed / "posts.jsonl", "--rules", tmp_path / "nowhere").returncode == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--only", "bad"), "'bad' is not one of allowed, flagged, blocked"),
        (("--only", ""), "'' is not one of allowed, flagged, blocked"),
        (("--fail-on", "allowed"), "'allowed' is not one of 'flagged', 'blocked'"),
        (("--rejects", "-"), "decisions go to standard output: name a file"),
        (("--frobnicate",), "No such option"),
        (("-", "-"), "named twice"),
    ],
)
def test_mistakes(run: Run, feed: Path, options: tuple[str, ...], message: str) -> None:
    done = run("score", feed / "posts.jsonl", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("content", [b"", b"\n\n \r\n\t", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_nothing_to_judge(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "posts").write_bytes(content)
    done = run("score", tmp_path / "posts", "-o", tmp_path / "out", "--fail-on", "flagged")
    assert done.returncode == 0 and "rejected" not in done.stderr
    assert done.stderr.startswith("0 posts in ")
    assert (tmp_path / "out").read_bytes() == b""
