"""How fast dumps are scored: whole processes by format and number of workers, beside the floor and other ways.

The floor is what no engine gets below in Python: every record decoded, one Hyperscan scan for the same terms over all
texts, and a record written for each post.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from moderation.authoring import generate
from moderation.authoring.bench import Machine, in_memory, machine, one_core
from moderation.authoring.bench_peers import Peer, bench_peers, terms_in
from moderation.engine.engine import Engine
from moderation.packs.load import bundled_rules, read_rules

ROUNDS = 2
MORE = 4
"""How many times as long the longer of two dumps is."""
_SCORE = [sys.executable, "-m", "moderation.cli.peak", "score", "-q"]
_FLOOR = "import sys; from moderation.adapters.bench_dumps import floor; floor(*sys.argv[1:])"
_SCAN = 4096


@dataclass(frozen=True, slots=True)
class Way:
    """One way to score the dump: posts a second without start-up, start-up in seconds, the most memory of the process
    that reads and writes (MiB).
    """

    name: str
    rate: float
    start_seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True)
class DumpBench:
    """All of one run; `memory_rate` is that of `decide_many`, and `floor_rate` that of the floor, in posts a second."""

    machine: Machine
    posts: int
    terms: int
    memory_rate: float
    floor_rate: float
    ways: list[Way]
    peers: list[Peer]


def bench_dumps(rules: str | None = None, posts: int = 200_000, seed: int = 0) -> DumpBench:
    """Measure. Each way runs over all posts and over a part of them, in turn, and the best time of each counts: what
    the rest took is how fast a dump of any length goes. Spark, which starts slowest, is given all, and four times that.

    Raises RulesError where the rules do not load.
    """
    book = read_rules(rules)
    feed = list(generate.posts(posts, seed))
    with tempfile.TemporaryDirectory(prefix="moderation-bench-") as name:
        folder = Path(name)
        ways = _ways(folder, str(bundled_rules()) if rules is None else rules, feed)
        times = _measured(ways)
        return DumpBench(
            machine=machine(),
            posts=posts,
            terms=len(terms_in(book)),
            memory_rate=_one(lambda: in_memory(Engine(book), feed)),
            floor_rate=times["floor"].rate,
            ways=[way for name, way in times.items() if name != "floor"],
            peers=_one(lambda: bench_peers(book, [str(post["text"]) for post in feed])),
        )


def _one(work: Callable[[], Any]) -> Any:
    with one_core():
        return work()


@dataclass(frozen=True, slots=True)
class _Command:
    """What is run, over more posts and over fewer; how many these are; on one core or on all."""

    lines: tuple[list[str], list[str]]
    posts: tuple[int, int]
    one_core: bool


def _ways(folder: Path, rules: str, feed: Sequence[dict[str, object]]) -> dict[str, _Command]:
    formats = {"jsonl": "JSON Lines", "parquet": "Parquet"} if find_spec("pyarrow") else {"jsonl": "JSON Lines"}
    dumps = {suffix: (folder / f"all.{suffix}", folder / f"part.{suffix}") for suffix in formats}
    posts = len(feed), max(len(feed) // MORE, 1)
    for paths in dumps.values():
        for path, count in zip(paths, posts, strict=True):
            _write(path, feed[:count])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ways = {
        f"{formats[suffix]}, {jobs} process{'es' * (jobs > 1)}": _Command(
            _both([*_SCORE, "--rules", rules, "--jobs", str(jobs), "-o", str(folder / f"out.{suffix}")], dumps[suffix]),
            posts,
            jobs == 1,
        )
        for suffix, jobs in itertools.product(formats, (1, cores) if cores > 1 else (1,))
    }
    if find_spec("pyspark"):
        parts = _parts(folder / "more", feed, cores * 8, MORE), _parts(folder / "parts", feed, cores * 8, 1)
        line = [*_SCORE, "--rules", rules, "--engine", "spark", "--master", f"local[{cores}]"]
        counts = MORE * len(feed), len(feed)
        ways[f"JSON Lines on Spark local[{cores}]"] = _Command(_both(line, parts, folder), counts, False)
    line = [sys.executable, "-c", _FLOOR, rules]
    ways["floor"] = _Command(_both(line, dumps["jsonl"], folder), posts, True)
    return ways


def _both(line: list[str], dumps: tuple[Path, Path], folder: Path | None = None) -> tuple[list[str], list[str]]:
    """The line for both dumps; with a folder, the output's name stands behind."""
    more, fewer = ([*line, str(dump), *([] if folder is None else [f"{folder}/out-%d"])] for dump in dumps)
    return more, fewer


def _parts(folder: Path, feed: Sequence[dict[str, object]], number: int, times: int) -> Path:
    """The posts so many times as a folder of files, several a core, as they lie on a cluster."""
    folder.mkdir()
    for at in range(number):
        _write(first := folder / f"0-{at:03}.jsonl", feed[at::number])
        for time_ in range(1, times):
            shutil.copyfile(first, folder / f"{time_}-{at:03}.jsonl")
    return folder


def _write(path: Path, feed: Sequence[dict[str, object]]) -> None:
    if path.suffix == ".parquet":
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(list(feed)), path)
    else:
        path.write_bytes(msgspec.json.Encoder().encode_lines(feed))


def _measured(ways: dict[str, _Command]) -> dict[str, Way]:
    """The best seconds of each way for more posts and for fewer; rounds in turn, as machines have moods."""
    found = {name: (float("inf"), float("inf"), 0.0) for name in ways}
    run = itertools.count()
    for _ in range(ROUNDS):
        for name, command in ways.items():
            (whole, peak), (part, _) = (_run(line, command.one_core, next(run)) for line in command.lines)
            best = found[name]
            found[name] = (min(best[0], whole), min(best[1], part), max(best[2], peak))
    return {name: _way(name, ways[name].posts, *found[name]) for name in ways}


def _way(name: str, posts: tuple[int, int], whole: float, part: float, peak: float) -> Way:
    """What each post took by which one dump is longer. Of so few that noise takes more, start-up is not told apart."""
    rate = (posts[0] - posts[1]) / (whole - part) if whole > part else posts[0] / whole
    return Way(name, rate, max(whole - posts[0] / rate, 0.0), peak)


def _run(line: list[str], on_one_core: bool, number: int) -> tuple[float, float]:
    line = [part.replace("%d", str(number)) for part in line]
    started = time.perf_counter()
    if on_one_core:
        with one_core():
            done = subprocess.run(line, capture_output=True, text=True)
    else:
        done = subprocess.run(line, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} ended with status {done.returncode}: {done.stderr}")
    told = done.stderr.splitlines()  # last what `moderation.cli.peak` says; the floor says nothing
    return seconds, float(told[-1]) if told else 0.0


def floor(rules: str, dump: str, output: str) -> None:
    """The floor over a dump of JSON lines."""
    hyperscan: Any = import_module("hyperscan")
    terms = [term.encode() for term in terms_in(read_rules(rules))]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
    literal = [b"".join(b"\\x%02x" % byte for byte in term) for term in terms]
    database.compile(literal, ids=range(len(terms)), elements=len(terms), flags=[flags] * len(terms))
    lines = Path(dump).read_bytes().splitlines()
    with open(output, "wb") as out:
        for start in range(0, len(lines), _SCAN):
            posts = [msgspec.json.decode(line) for line in lines[start : start + _SCAN]]
            database.scan("\n".join(post["text"] for post in posts).encode(), match_event_handler=lambda *found: None)
            out.write(msgspec.json.Encoder().encode_lines([{"id": post["id"], "verdict": "allowed"} for post in posts]))
