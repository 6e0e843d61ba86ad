"""What this machine can do: speed and memory, measured in one run on one core, and start-up.

Rules are the user's (or the bundled ones) and generated terms on top; posts are generated. Whole-process figures come
from a child process that runs `moderation score`, so that nothing of the measuring is in them.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from moderation.authoring import generate
from moderation.authoring.attack import with_resist
from moderation.authoring.baseline import Baseline
from moderation.decision import Decision
from moderation.engine.engine import Engine
from moderation.packs.load import RuleBook, read_rules, read_sources

SINGLES = 2000
SCALING_POSTS = 20_000
SHARE_POSTS = 20_000
SCALING_TERMS = (1_000, 10_000, 50_000)
BASELINE_POSTS = 300
_ROUNDS = 5
_LOAD = "import moderation; moderation.load(sys.argv[1])"

Post = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    system: str
    python: str
    hyperscan: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """`moderation score` as a process of its own: posts, seconds from start to exit, the most memory it held (MiB)."""

    posts: int
    seconds: float
    peak_mib: float

    @property
    def rate(self) -> float:
        """Posts a second, start-up included."""
        return self.posts / self.seconds


def score_rate(whole: Whole, longer: Whole) -> float | None:
    """Posts a second by what the posts of the longer run took more; None where noise took more than they."""
    seconds = longer.seconds - whole.seconds
    return (longer.posts - whole.posts) / seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Result:
    """All figures. Rates are posts a second, times are seconds unless the name says otherwise; `plain_rate` is that
    with no tricks of evasion on, `bare_rate` without rules that ask the classifier either.
    """

    machine: Machine
    posts: int
    rules: int
    terms: int
    seed: int
    hit_share: float
    generated_hit_share: float
    memory_rate: float
    plain_rate: float
    bare_rate: float
    whole: Whole
    whole_fourfold: Whole
    single_median_us: float
    single_p99_us: float
    import_seconds: float
    load_seconds: float
    load_more_seconds: float
    scaling_us: dict[int, float]
    baseline_rate: float | None

    @property
    def score_rate(self) -> float | None:
        """Posts a second of `moderation score`, start-up taken off."""
        return score_rate(self.whole, self.whole_fourfold)

    @property
    def scaling_ratio(self) -> float:
        """How many times the cost of a post grows from the fewest to the most terms."""
        return max(self.scaling_us.values()) / min(self.scaling_us.values())


def bench(
    posts: int = 100_000,
    terms: int = 10_000,
    rules: str | None = None,
    seed: int = 0,
    baseline: bool = True,
    scaling: Sequence[int] = SCALING_TERMS,
) -> Result:
    """Measure everything; takes a minute or two. Raises RulesError where the rules do not load."""
    book = read_rules(rules)
    extended = with_terms(book, terms, seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moderation-bench-")))
        plain, root = _written(book, folder / "plain"), _written(extended, folder / "rules")
        imported, *loaded = _start_ups(plain, root)
        stack.enter_context(one_core())
        feed = list(generate.posts(posts, seed))
        engine = Engine(extended)
        decisions = engine.decide_batch(feed[:SHARE_POSTS])
        singles = _singles(engine, feed[:SINGLES])
        return Result(
            machine=machine(),
            posts=posts,
            rules=sum(len(pack.rules) for pack in extended.packs),
            terms=terms,
            seed=seed,
            hit_share=_share(decisions, ""),
            generated_hit_share=_share(decisions, "bench/"),
            memory_rate=in_memory(engine, feed),
            plain_rate=in_memory(with_resist(extended, ()), feed),
            bare_rate=in_memory(with_resist(_without_classifier(extended, engine), ()), feed),
            whole=_whole(folder, root, feed),
            whole_fourfold=_whole(folder, root, feed * 4),
            single_median_us=statistics.median(singles) * 1e6,
            single_p99_us=sorted(singles)[int(len(singles) * 0.99)] * 1e6,
            import_seconds=imported,
            load_seconds=loaded[0],
            load_more_seconds=loaded[1],
            scaling_us={count: _cost(book, count, seed, feed[:SCALING_POSTS]) * 1e6 for count in scaling},
            baseline_rate=_baseline(extended, feed[:BASELINE_POSTS]) if baseline else None,
        )


def with_terms(book: RuleBook, count: int, seed: int) -> RuleBook:
    """The rules and `count` generated terms."""
    sources = {**book.sources, **generate.packs(count, seed)}
    if "policy.yaml" in sources:
        sources["policy.yaml"] = _policy_with(sources["policy.yaml"], "bench/*")
    return read_sources(sources)


def _without_classifier(book: RuleBook, engine: Engine) -> RuleBook:
    """The rules but for those that ask the classifier."""
    asking = engine.asking_classifier
    files = {
        pack.id: tuple(rule for rule in pack.file.rules if f"{pack.id}/{rule.id}" not in asking) for pack in book.packs
    }
    packs = (replace(pack, file=pack.file.model_copy(update={"rules": files[pack.id]})) for pack in book.packs)
    return replace(book, packs=tuple(packs), model=None)


def machine() -> Machine:
    """The machine that this runs on."""
    try:
        hyperscan: str | None = metadata.version("hyperscan")
    except metadata.PackageNotFoundError:
        hyperscan = None
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return Machine(_cpu(), os.cpu_count() or 1, system, platform.python_version(), hyperscan)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _policy_with(policy: bytes, packs: str) -> bytes:
    """A policy that makes these packs live too."""
    import yaml

    content: dict[str, Any] = yaml.load(policy, yaml.BaseLoader)
    content["packs"] = [*content["packs"], packs]
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode()


@contextmanager
def one_core() -> Iterator[None]:
    """Stay on one core, and the child processes with it, so that threads of libraries don't flatter the figures."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def in_memory(engine: Engine, feed: Sequence[Post]) -> float:
    """Posts a second, the best of a few rounds: whatever else the machine does only ever slows it down.

    What stays to the end, the engine and the feed, is taken out of the garbage collector's rounds, as a worker does.
    """
    best = float("inf")
    gc.collect()
    gc.freeze()
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        deque(engine.decide_many(feed), maxlen=0)
        best = min(best, time.perf_counter() - started)
    gc.unfreeze()
    return len(feed) / best


def _singles(engine: Engine, feed: Sequence[Post]) -> list[float]:
    times = []
    for post in feed:
        started = time.perf_counter()
        engine.decide(post)
        times.append(time.perf_counter() - started)
    return times


def _share(decisions: Sequence[Decision], prefix: str) -> float:
    """The share of posts for which a rule under the prefix holds; the engine's own reasons are no rules."""
    held = sum(
        any(reason.rule.startswith(prefix) and not reason.rule.startswith("engine/") for reason in decision.reasons)
        for decision in decisions
    )
    return held / max(len(decisions), 1)


def _written(book: RuleBook, root: Path) -> Path:
    for name, content in book.sources.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def _whole(folder: Path, root: Path, feed: Sequence[Post]) -> Whole:
    dump = folder / "posts.jsonl"
    dump.write_bytes(msgspec.json.Encoder().encode_lines(feed))
    command = [sys.executable, "-m", "moderation.cli.peak", "score", "-q", "--rules", str(root)]
    seconds, peak = float("inf"), 0.0
    for _ in range(2):
        started = time.perf_counter()
        done = subprocess.run([*command, "-o", f"{folder}/out.jsonl", str(dump)], capture_output=True, text=True)
        seconds = min(seconds, time.perf_counter() - started)
        if done.returncode:
            raise RuntimeError(f"moderation score ended with status {done.returncode}: {done.stderr}")
        peak = max(peak, float(done.stderr.splitlines()[-1]))
    return Whole(len(feed), seconds, peak)


def _start_ups(*roots: Path) -> list[float]:
    """Seconds that importing takes, and loading each of some rules: on all cores, for that is how processes start."""
    return [_timed_child("import moderation", roots[0]), *(_timed_child(_LOAD, root) for root in roots)]


def _timed_child(code: str, root: Path) -> float:
    """Seconds that a fresh interpreter takes for this code, its modules compiled before: the best of a few."""
    script = f"import sys, time; started = time.perf_counter(); {code}; print(time.perf_counter() - started)"
    command = [sys.executable, "-c", script, str(root)]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    runs = (subprocess.run(command, capture_output=True, check=True, env=env) for _ in range(_ROUNDS))
    return min(float(run.stdout) for run in runs)


def _cost(book: RuleBook, count: int, seed: int, feed: Sequence[Post]) -> float:
    return 1 / in_memory(Engine(with_terms(book, count, seed)), feed)


def _baseline(book: RuleBook, feed: Sequence[Post]) -> float:
    pipeline = Baseline(book)
    pipeline.judge("warm up the language detector")
    started = time.perf_counter()
    for post in feed:
        pipeline.judge(str(post["text"]))
    return len(feed) / (time.perf_counter() - started)
