"""Files that aren't there, change, vanish or don't fit: one clear line, status 2, and no half-written output."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
Launch = Callable[..., subprocess.Popen[bytes]]
POST = '{"text": "出假票"}\n'.encode()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output of an earlier run, in a folder of its own."""
    path = tmp_path / "out" / "decisions"
    path.parent.mkdir()
    path.write_bytes(b"old\n")
    return path


def untouched(out: Path) -> bool:
    return out.read_bytes() == b"old\n" and os.listdir(out.parent) == ["decisions"]


def begun(launch: Launch, *arguments: object) -> subprocess.Popen[bytes]:
    """A run that has judged what it was given so far, and waits for more."""
    process = launch("score", *arguments, "--rejects", "/dev/stdout", stdin=subprocess.PIPE)
    assert process.stdin and process.stdout
    process.stdin.write(POST * 100 + b"bad\n")
    process.stdin.flush()
    assert b'"R001"' in process.stdout.readline()
    return process


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The status and what was told."""
    with process:
        _, told = process.communicate(timeout=30)
    assert b"Traceback" not in told
    return process.returncode, told.decode()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)], ids=["INT", "HUP"])
def test_an_interrupt_leaves_the_old_output(launch: Launch, out: Path, number: int, status: int) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # under nohup the program would be told to ignore it
    try:
        process = begun(launch, "-o", out)
    finally:
        signal.signal(number, before)
    assert out.read_bytes() == b"old\n" and len(os.listdir(out.parent)) == 2
    process.send_signal(number)
    left, told = ended(process)
    assert left == status and untouched(out)
    assert told == ("error: interrupted: no output file was changed\n" if number == signal.SIGINT else "")


def test_an_interrupt_leaves_no_new_output(launch: Launch, tmp_path: Path) -> None:
    process = begun(launch, "-o", tmp_path / "new")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 143
    assert os.listdir(tmp_path) == []


def test_a_run_that_ends_replaces_the_old_output(launch: Launch, out: Path) -> None:
    status, told = ended(begun(launch, "-o", out))
    assert status == 0 and "\n100 posts in " in told
    assert out.read_bytes().count(b'"blocked"') == 100
    assert os.listdir(out.parent) == ["decisions"]


def test_an_input_deleted_before_its_turn(launch: Launch, tmp_path: Path, out: Path) -> None:
    late = tmp_path / "late"
    late.write_bytes(POST)
    process = begun(launch, "-", late, "-o", out)
    late.unlink()
    assert ended(process) == (2, f"error: cannot read {late}: there is no such file: check the path\n")
    assert untouched(out)


def test_an_input_cut_before_its_turn(launch: Launch, tmp_path: Path, out: Path) -> None:
    late = tmp_path / "late"
    late.write_bytes(POST * 2)
    process = begun(launch, "-", late, "-o", out)
    os.truncate(late, len(POST))
    status, told = ended(process)
    assert status == 2 and untouched(out)
    assert told.startswith(f"error: {late} was cut while it was being read ({2 * len(POST)} bytes at first")


def test_an_input_replaced_before_its_turn(launch: Launch, tmp_path: Path, out: Path) -> None:
    """A smaller file than the one that was there at first has lost nothing."""
    late, other = tmp_path / "late", tmp_path / "other"
    late.write_bytes(POST * 3)
    other.write_bytes(POST)
    process = begun(launch, "-", late, "-o", out)
    other.rename(late)
    status, told = ended(process)
    assert status == 0 and f"note: {late} was replaced" in told
    assert out.read_bytes().count(b'"blocked"') == 101


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "there is no such file: check the path"),
        (lambda path: path.mkdir(), "holds no dumps (.jsonl, "),
        (lambda path: path.symlink_to(path), "symbolic links"),
        (lambda path: path.symlink_to("/proc/self/mem"), "Input/output error"),
        (
            lambda path: path.write_bytes(POST.decode().encode("utf-16")),
            "is UTF-16 text, which has to be converted: iconv",
        ),
        (lambda path: path.write_bytes(gzip.compress(os.urandom(9999))[:5000]), "in the middle of its gzip data"),
        (lambda path: path.write_bytes(b"BZh91AY&SY"), "is bzip2 data, which has to be converted: bzip2 -dc "),
    ],
)
def test_inputs_that_cannot_be_read(run: Run, tmp_path: Path, out: Path, make: object, message: str) -> None:
    """Good files before it change nothing about that: there is no output of half a dump."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(POST)
    make(bad)  # type: ignore[operator]
    done = run("score", good, bad, "-o", out, "--rejects", tmp_path / "out" / "rejects")
    assert done.returncode == 2 and untouched(out)
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert message in done.stderr and str(bad) in done.stderr


@pytest.fixture
def ordinary() -> Iterator[Callable[[], None]]:
    """Stop being root, whom no permission holds."""
    yield lambda: os.seteuid(65534) if os.geteuid() == 0 else None
    if os.geteuid() != os.getuid():
        os.seteuid(os.getuid())


def test_permissions(run: Run, tmp_path: Path, ordinary: Callable[[], None]) -> None:
    good, secret, shut = tmp_path / "good", tmp_path / "secret", tmp_path / "shut"
    good.write_bytes(POST)
    secret.write_bytes(POST)
    secret.chmod(0)
    shut.mkdir(0o500)
    run("score", good, "-o", "/dev/full")
    ordinary()
    done = run("score", secret)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: cannot read {secret}: no permission to read it: chmod +r {secret}, or run as its owner\n"
    )
    done = run("score", "/dev/null", "-o", shut / "out")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: cannot write {shut}/out: no permission to write there: choose a folder of your own\n"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/dev/full", "the disk is full: make room or write to another disk"),
        ("{0}/nowhere/out", "its folder does not exist: mkdir -p {0}/nowhere"),
        ("{0}", "it is a folder: name a file in it"),
        ("{0}/" + "n" * 300, "File name too long"),
    ],
)
@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_outputs_that_cannot_be_written(run: Run, tmp_path: Path, name: str, message: str, option: str) -> None:
    (tmp_path / "posts").write_bytes(POST + b"bad\n")
    name = name.format(tmp_path)
    done = run("score", tmp_path / "posts", option, name)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"error: cannot write {name}: {message.format(tmp_path)}")
    assert os.listdir(tmp_path) == ["posts"]


def test_full_rejects_leave_the_old_output(run: Run, tmp_path: Path, out: Path) -> None:
    (tmp_path / "posts").write_bytes(POST + b"bad\n")
    assert run("score", tmp_path / "posts", "-o", out, "--rejects", "/dev/full").returncode == 2
    assert untouched(out)


def test_a_disk_that_fills_up(run_apart: Run, tmp_path: Path, out: Path) -> None:
    (tmp_path / "posts").write_bytes(POST * 2000)
    done = run_apart("score", tmp_path / "posts", "-o", out, shell='ulimit -f 8; exec "$0" "$@"')
    assert (done.returncode, done.stderr) == (2, f"error: cannot write {out}: File too large\n")
    assert untouched(out)


@pytest.mark.parametrize("command", [("score",), ("explain", "x"), ("--help",)])
def test_a_full_disk_behind_standard_output(run_apart: Run, command: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = run_apart(*command, input=POST, stdout=full)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: cannot write standard output: the disk is full: ")


@pytest.mark.parametrize(
    ("redirection", "arguments", "told"),
    [
        (">&-", ("score",), "error: cannot write standard output: Bad file descriptor\n"),
        (">&-", ("explain", "x"), "error: cannot write standard output: Bad file descriptor\n"),
        ("<&-", ("score",), "error: cannot read standard input: it is closed; name a file, or pipe posts in\n"),
        ("<&-", ("explain", "-"), "standard input is closed: give a TEXT, or pipe one in\n"),
    ],
)
def test_closed_streams(run_apart: Run, redirection: str, arguments: tuple[str, ...], told: str) -> None:
    done = run_apart(*arguments, input=POST, shell=f'exec "$0" "$@" {redirection}')
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.endswith(told)


def test_files_need_no_streams(run_apart: Run, tmp_path: Path, out: Path) -> None:
    """Nothing that is opened takes a closed stream's number: no message ends up among the decisions."""
    (tmp_path / "posts").write_bytes(POST + b"bad\n")
    arguments = ("score", tmp_path / "posts", "-o", out)
    assert run_apart(*arguments, shell='exec "$0" "$@" <&- >&- 2>&-').returncode == 0
    assert out.read_bytes().count(b"\n") == 1 and out.read_bytes().startswith(b'{"id":1,')


@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_an_output_is_no_input(run: Run, tmp_path: Path, option: str) -> None:
    path, link, hard = tmp_path / "posts", tmp_path / "link", tmp_path / "hard"
    path.write_bytes(POST)
    link.symlink_to(path)
    os.link(path, hard)
    for name in (path, link, hard, tmp_path / "." / "posts"):
        done = run("score", path, option, name)
        assert (done.returncode, done.stdout) == (2, "") and "is the same file as the input" in done.stderr
        assert path.read_bytes() == POST


def test_outputs_are_two_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posts").write_bytes(POST)
    done = run("score", tmp_path / "posts", "-o", tmp_path / "one", "--rejects", tmp_path / "one")
    assert done.returncode == 2 and "two outputs are one file" in done.stderr
    assert os.listdir(tmp_path) == ["posts"]


def test_standard_output_is_no_input_either(run_apart: Run, tmp_path: Path) -> None:
    path = tmp_path / "posts"
    path.write_bytes(POST)
    with path.open("ab") as same:
        done = run_apart("score", path, stdout=same)
    assert done.returncode == 2 and "standard output is the same file as the input" in done.stderr
    assert path.read_bytes() == POST
