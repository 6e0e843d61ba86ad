"""The command line as people run it: quickly in this process, or in one of its own.

Both take the rules of `golden/feed`, so that nothing here changes with the rules that ship.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moderation.cli.main import main

Done = subprocess.CompletedProcess[str]
FEED = Path(__file__).parent.parent / "golden" / "feed"
COMMAND = Path(sys.executable).with_name("moderation")
SETTINGS = {"MODERATION_RULES": str(FEED / "rules"), "COLUMNS": "100"}
UNWANTED = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@pytest.fixture(scope="session")
def feed() -> Path:
    """A folder with small rules, posts for them, and what is printed of both."""
    return FEED


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run `moderation` with these arguments in this process."""
    for name in UNWANTED:
        monkeypatch.delenv(name, raising=False)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["moderation", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return Done(sys.argv, left.value.code, *capfd.readouterr())  # type: ignore[arg-type]

    return run


@pytest.fixture
def launch() -> Callable[..., subprocess.Popen[bytes]]:
    """Start `moderation` in a process of its own, which an interrupt reaches however the tests were started.

    `shell` is the line of a shell that starts it, as `exec "$0" "$@" >&-`.
    """
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED} | SETTINGS

    def launch(*arguments: object, env: dict[str, str] | None = None, shell: str = "", **more: Any) -> Any:
        line = [*(["sh", "-c", shell] if shell else []), COMMAND, *map(str, arguments)]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(line, env=environment | (env or {}), **streams)
        finally:
            signal.signal(signal.SIGINT, before)

    return launch


@pytest.fixture
def run_apart(launch: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., Done]:
    """Run `moderation` in a process of its own, with these bytes on standard input; it never shows a traceback."""

    def run(*arguments: object, input: bytes = b"", **more: Any) -> Done:
        with launch(*arguments, **({"stdin": subprocess.PIPE} | more)) as process:
            out, err = process.communicate(input if process.stdin else None, 60)
        assert b"Traceback" not in (err or b"") and b"Exception ignored" not in (err or b"")
        return Done(process.args, process.returncode, (out or b"").decode(), (err or b"").decode())

    return run
