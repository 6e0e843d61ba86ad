"""Terminals, colours and pipes: a bar only where somebody looks, and quiet when the reader has seen enough."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
Launch = Callable[..., subprocess.Popen[bytes]]
XTERM = {"TERM": "xterm-256color"}
COLOUR = re.compile(r"\x1b\[(?:\d+;)*3[0-7]m")
POST = '{"text": "出假票"}\n'


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    path = tmp_path / "posts"
    path.write_text(POST * 3 + "bad\n", "utf-8")
    return path


def shown(launch: Launch, *arguments: object, streams: tuple[str, ...] = ("stderr",), **more: object) -> str:
    """What stands on a terminal that has these streams."""
    master, slave = pty.openpty()
    with launch(*arguments, **({"env": XTERM} | dict.fromkeys(streams, slave) | more)):
        os.close(slave)
        text = b"".join(_read(master)).decode()
    os.close(master)
    assert "Traceback" not in text
    return text


def _read(master: int) -> Iterator[bytes]:
    try:
        while piece := os.read(master, 1 << 16):
            yield piece
    except OSError:  # Linux's way to say that the other end is closed
        return


def test_a_bar_where_somebody_looks(launch: Launch, posts: Path, tmp_path: Path) -> None:
    text = shown(launch, "score", posts, "-o", tmp_path / "out")
    assert "scoring" in text and COLOUR.search(text[text.index("3 posts in") :])
    assert "scoring" not in text[text.index("3 posts in") :]


def test_no_bar_where_nobody_asked(launch: Launch, posts: Path, tmp_path: Path) -> None:
    assert "scoring" not in shown(launch, "score", posts, "-o", tmp_path / "out", "-q")


def test_no_bar_among_decisions(launch: Launch, posts: Path) -> None:
    text = shown(launch, "score", posts, streams=("stdout", "stderr"))
    assert text.count('"verdict":"blocked"') == 3 and "3 posts in" in text
    assert "scoring" not in text


def test_no_bar_and_no_colour_in_a_file(run_apart: Run, posts: Path, tmp_path: Path) -> None:
    done = run_apart("score", posts, "-o", tmp_path / "out", env=XTERM)
    assert "3 posts in" in done.stderr
    assert "scoring" not in done.stderr and "\x1b" not in done.stderr


def test_colours_of_errors(launch: Launch) -> None:
    assert COLOUR.search(shown(launch, "score", "nowhere"))
    assert not COLOUR.search(shown(launch, "score", "nowhere", env=XTERM | {"NO_COLOR": "1"}))


@pytest.mark.parametrize("command", ["score", "explain"])
def test_forced_colours(run: Run, posts: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For pagers and logs that show them; decisions never have any."""
    arguments = ("score", posts, "--only", "flagged") if command == "score" else ("explain", "出假票")
    plain = run(*arguments)
    monkeypatch.setenv("FORCE_COLOR", "1")
    forced = run(*arguments)
    assert not COLOUR.search(plain.stdout + plain.stderr)
    assert COLOUR.search(forced.stdout + forced.stderr)
    assert re.sub(r"\x1b\[[\d;]*m", "", forced.stdout) == plain.stdout
    monkeypatch.setenv("NO_COLOR", "1")
    without = run(*arguments)
    assert not COLOUR.search(without.stdout + without.stderr)


def test_decisions_have_no_colour(run: Run, posts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run("score", posts).stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("score", posts).stdout == plain and "\x1b" not in plain


def test_a_terminal_as_input_gets_help(launch: Launch) -> None:
    """Nobody types JSON: without a file, a pipe or `-` there is nothing to do."""
    master, slave = pty.openpty()
    with launch("score", stdin=slave) as process:
        out, _ = process.communicate(timeout=30)
    os.close(slave)
    os.close(master)
    assert process.returncode == 2 and out.startswith(b"Usage: moderation score")


def test_a_reader_that_has_seen_enough(launch: Launch, tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_text(POST * 20_000, "utf-8")
    with launch("score", path) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline().startswith(b'{"id":1,')
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (141, b"")


def test_a_reader_that_has_seen_enough_leaves_the_old_output(launch: Launch, tmp_path: Path) -> None:
    """Here it is the rejects that nobody reads any more."""
    (tmp_path / "posts").write_text(POST + "bad\n" * 20_000, "utf-8")
    (tmp_path / "out").write_text("old\n")
    with launch("score", tmp_path / "posts", "-o", tmp_path / "out", "--rejects", "/dev/stdout") as process:
        assert process.stdout
        process.stdout.close()
    assert process.returncode == 141
    assert (tmp_path / "out").read_text() == "old\n" and len(os.listdir(tmp_path)) == 2


@pytest.mark.parametrize("command", [("explain", "假票"), ("schema", "pack")])
def test_a_reader_that_was_never_there(run_apart: Run, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run_apart(*command, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_narrow_and_wide_terminals(run: Run, posts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of rules are whole at any width: they are what people search for."""
    for columns in ("40", "100", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        assert "zh/tickets/forged" in run("score", posts).stderr
        assert "zh/tickets/forged" in run("explain", "出假票").stdout


@pytest.mark.parametrize("command", ["languages", "coverage", "score"])
def test_figures_are_whole_where_there_is_little_room(launch: Launch, tmp_path: Path, command: str) -> None:
    path = tmp_path / "posts"
    path.write_text(POST * 97 + '{"text": "Guten Morgen zusammen, ich bin neu hier"}\n', "utf-8")
    streams = ("stderr",) if command == "score" else ("stdout",)
    text = shown(launch, command, path, streams=streams, env=XTERM | {"COLUMNS": "60"})
    rows = [re.sub(r"\x1b\[[\d;]*m", "", line).split() for line in text.splitlines()]
    figures = {"languages": ["97", "99.0%", "97"], "coverage": ["97", "99.0%", "100%"], "score": ["97", "0", "0", "97"]}
    assert [row for row in rows if row[1 : 1 + len(figures[command])] == figures[command]]
