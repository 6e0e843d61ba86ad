"""Large dumps from the command line: formats, processes, and runs that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

Run = Callable[..., CompletedProcess[str]]
Launch = Callable[..., subprocess.Popen[bytes]]
TEXTS = ["出假票", "hello there", "加我微信 abc12345", "สวัสดี", "卖 the tickets here", "free money"]


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Thirty thousand posts, some of which are none."""
    path = tmp_path / "posts.jsonl"
    lines = (json.dumps({"id": number, "text": f"{TEXTS[number % 6]} {number}"}) for number in range(30_000))
    path.write_text("{bad\n" + "\n".join(lines) + "\n\n[]\n")
    return path


@pytest.fixture
def heavy(tmp_path: Path) -> Path:
    """A dump of several parts that is quickly judged: what makes it large is not looked at."""
    path = tmp_path / "heavy.jsonl"
    with path.open("w") as file:
        for number in range(7000):
            file.write(json.dumps({"text": TEXTS[number % 6], "junk": "x" * 30_000}) + "\n")
    return path


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def wait_for(what: Callable[[], object], process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 60
    while not what():
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("suffix", ["jsonl", "tsv.gz", "parquet"])
def test_jobs_do_not_change_the_bytes(run: Run, posts: Path, tmp_path: Path, suffix: str) -> None:
    written = []
    for jobs in (1, 2, 0):
        out, rejects, counts = (tmp_path / f"{jobs}.{name}" for name in (suffix, "rejects", "counts"))
        done = run(
            "score", posts, "-o", out, "--rejects", rejects, "--summary", counts, "--jobs", jobs, "--keep", "text"
        )
        assert done.returncode == 0 and "\n30,000 posts in " in done.stderr
        written.append([path.read_bytes() for path in (out, rejects, counts)])
    assert written[0] == written[1] == written[2]
    told = json.loads(written[0][2])
    assert told["posts"] == 30_000 and told["rejects"] == {"R001": 1, "R003": 1}
    assert told["verdicts"]["blocked"] == sum(1 for number in range(30_000) if number % 6 == 0)


def test_a_killed_worker_costs_nothing(run: Run, launch: Launch, heavy: Path, tmp_path: Path) -> None:
    run("score", heavy, "-o", tmp_path / "whole.jsonl")
    with launch("score", heavy, "-o", tmp_path / "out.jsonl", "--jobs", 2, "-q") as process:
        assert wait_for(lambda: len(children(process)) == 2, process)
        os.kill(children(process)[0], signal.SIGKILL)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, b"")
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["INT", "TERM", "KILL"])
def test_workers_go_when_the_run_is_ended(launch: Launch, heavy: Path, tmp_path: Path, number: int) -> None:
    with launch("score", heavy, "-o", tmp_path / "out.jsonl", "--jobs", 2, "-q") as process:
        assert wait_for(lambda: len(children(process)) == 2, process)
        workers = children(process)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode in {signal.SIGINT: (130,), signal.SIGTERM: (143,), signal.SIGKILL: (-9,)}[number]
    assert b"Traceback" not in told
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(map(alive, workers))
    if number != signal.SIGKILL:
        assert sorted(os.listdir(tmp_path)) == ["heavy.jsonl"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_and_resume(run: Run, launch: Launch, heavy: Path, tmp_path: Path, jobs: int) -> None:
    run("score", heavy, "-o", tmp_path / "whole.jsonl", "--summary", tmp_path / "whole.json")
    out, counts = tmp_path / "out.jsonl", tmp_path / "out.json"
    parts, kills = Path(f"{out}.parts"), 0
    arguments = ("score", heavy, "-o", out, "--summary", counts, "--resume", "--jobs", jobs, "-q")
    for wanted in (1, 3):
        with launch(*arguments) as process:
            kills += wait_for(lambda wanted=wanted: len(list(parts.glob("*.json"))) > wanted, process)  # type: ignore[misc]
            process.kill()
    assert kills and not out.exists()
    finished = len(list(parts.glob("0*.json")))
    assert finished
    refused = run("score", heavy, "-o", out, "--resume", "--only", "blocked")
    assert refused.returncode == 2 and "parts of a run with other options" in refused.stderr
    assert run(*arguments).returncode == 0
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert counts.read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert not parts.exists()


def test_an_interrupted_run_says_how_to_go_on(launch: Launch, heavy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with launch("score", heavy, "-o", out, "--resume", "-q") as process:
        assert wait_for(lambda: list(tmp_path.glob("*.parts/*.json")), process)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.decode() == f"error: interrupted: the same command goes on from {out}.parts\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resume",), "--resume needs an output that outlives the run"),
        (("--resume", "-o", "/dev/null"), "--resume needs an output that outlives the run"),
        (("--jobs", "1000000"), "1000000 is not in the range"),
        (("",), "an empty name: is a variable of the shell not set?"),
        (("--resume", "-o", "{0}/out", "/dev/null"), "/dev/null can be read only once: --resume needs files"),
        (("--field", "="), "is no NAME=PATH"),
        (("--keep", ","), "`--keep` names columns"),
        (("--summary", "-"), "name a file"),
        (("--summary", "{0}/out", "-o", "{0}/out"), "two outputs are one file"),
        (("--output-format", "parquet"), "Parquet goes to a file"),
        (("--input-format", "parquet"), "cannot read "),
    ],
)
def test_mistakes(run: Run, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "hello"}\n')
    done = run("score", path, *(option.format(tmp_path) for option in options))
    assert done.returncode == 2 and message in done.stderr
    assert os.listdir(tmp_path) == ["posts.jsonl"]


@pytest.mark.parametrize("command", ["coverage", "languages"])
def test_reports_read_every_format(run: Run, tmp_path: Path, command: str) -> None:
    table = pa.Table.from_pylist([{"id": at, "text": text} for at, text in enumerate(TEXTS)])
    pyarrow.parquet.write_table(table, tmp_path / "posts.parquet")
    (tmp_path / "posts.csv").write_text("id,text\n" + "".join(f"{at},{text}\n" for at, text in enumerate(TEXTS)))
    shown = {name: run(command, tmp_path / name, "--format", "json").stdout for name in ("posts.parquet", "posts.csv")}
    assert json.loads(shown["posts.parquet"]) == json.loads(shown["posts.csv"])


def test_folders_globs_and_nested_fields(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's command."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "feed" / "2026-11-23"
    folder.mkdir(parents=True)
    posts = [{"post": {"id": at, "title": text, "content": "hi", "author": "me"}} for at, text in enumerate(TEXTS)]
    (folder / "morning.jsonl").write_text("".join(json.dumps(post) + "\n" for post in posts))
    late = zstandard.compress(b"post.id,post.title,post.content,post.author\n9,hello,world,you\n")
    (tmp_path / "feed" / "late-1.csv.zst").write_bytes(late)
    arguments = "score feed/2026-11-23/ feed/late-*.csv.zst -o decisions.parquet --jobs 0 --resume --field id=post.id"
    more = "--field title=post.title --field body=post.content --keep post.author --summary counts.json"
    done = run(*arguments.split(), *more.split())
    assert done.returncode == 0, done.stderr
    rows = pyarrow.parquet.read_table("decisions.parquet").to_pylist()
    assert [row["id"] for row in rows] == ["0", "1", "2", "3", "4", "5", "9"]
    assert [row["post.post.author"] for row in rows] == ["me"] * 6 + ["you"]
    assert json.loads(Path("counts.json").read_text())["posts"] == 7
    assert sorted(os.listdir(tmp_path)) == ["counts.json", "decisions.parquet", "feed"]


def test_formats_can_be_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posts").write_text('{"text": "no record but a text"}\n出假票\n')
    done = run("score", tmp_path / "posts", "--input-format", "text", "--output-format", "csv", "--keep", "text")
    assert [line.split(",")[:2] for line in done.stdout.splitlines()[1:]] == [["1", "allowed"], ["2", "blocked"]]
