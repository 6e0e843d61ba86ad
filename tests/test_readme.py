"""The README shows what really happens: its commands are run, and what they print is compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from moderation.cli.main import cli
from moderation.evasion.tricks import NAMES, TRICKS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SESSIONS = re.findall(r"^```console\n(.*?)^```", README, re.M | re.S)
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
FILES = re.findall(r"`((?:mine|ours)/[\w/.-]+)`:\n\n```yaml\n(.*?)^```", README, re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the reader has it: the examples, and the files that the README tells to write."""
    root = tmp_path_factory.mktemp("reader")
    (root / "examples").symlink_to(ROOT / "examples")
    for name, text in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


@pytest.mark.parametrize("session", SESSIONS)
def test_console_sessions(session: str, folder: Path) -> None:
    for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, re.M):
        assert comparable(run(command, folder)) == comparable(expected), command


def run(command: str, folder: Path) -> str:
    """Run one command of the README as a reader would, both streams together."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.stdout


def comparable(text: str) -> str:
    """Without what differs from run to run: time, speed, fingerprints, and space at the ends of lines."""
    text = re.sub(r"sha256:[0-9a-f…]+", "sha256:…", text)
    text = re.sub(r"[\d.,]+ s · [\d,]+ posts/s", "… s · … posts/s", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_every_trick_is_in_the_table_with_its_example() -> None:
    """The examples themselves are tried in tests/evasion/test_tricks.py."""
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| `(.+?)` \| (.+?) \|$", README, re.M)
    assert [tuple(row) for row in rows if row[0] in NAMES] == [tuple(trick) for trick in TRICKS]


@pytest.mark.parametrize("code", PYTHON)
def test_python_runs(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    posts = ["你好", "加我微信 abc12345"]
    exec(compile(code, "README.md", "exec"), {"posts": posts, "stream": iter(posts), "post": posts[1]})


OPTIONS = [
    (name, option)
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option, click.Option)
]


@pytest.mark.parametrize("name", cli.commands)
def test_every_command_is_documented(name: str) -> None:
    assert f"moderation {name}" in README


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=[f"{name} {option.opts[-1]}" for name, option in OPTIONS])
def test_every_option_is_documented_and_run_by_a_test(name: str, option: click.Option) -> None:
    flags = (*option.opts, *option.secondary_opts)
    assert any(re.search(rf"{flag}(?![\w-])", README) for flag in flags), "not in the README"
    sessions = re.findall(rf"^\$ .*moderation {name}\b(.*)", "\n".join(SESSIONS), re.M)
    shown = any(flag in session.split() for flag in flags for session in sessions)
    assert shown or any(f'"{flag}"' in text for flag in flags for text in texts_that_run(name)), "not run by a test"


@cache
def texts_that_run(name: str) -> tuple[str, ...]:
    """The test files that run a command."""
    texts = (path.read_text("utf-8") for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__))
    return tuple(text for text in texts if f'"{name}"' in text)


def test_documented_options_exist() -> None:
    known = {flag for _, option in OPTIONS for flag in (*option.opts, *option.secondary_opts)}
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert shown - known <= {"--help"}


def test_continuous_integration_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    commands = re.findall(r"^python3 -m venv .*$", README, re.M)
    assert len(commands) == 2
    assert all(command in script for command in commands)


def test_help_of_every_command() -> None:
    for name in cli.commands:
        result = CliRunner().invoke(cli, shlex.split(f"{name} --help"))
        assert result.exit_code == 0 and result.output.startswith("Usage:")
