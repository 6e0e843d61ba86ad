"""`bench` as people run it, on few posts: what is measured is there, and options do what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from moderation.authoring.bench import Whole, score_rate
from moderation.cli.bench import _rate

Run = Callable[..., CompletedProcess[str]]
MODEL = Path(__file__).parent.parent.parent / "rules" / "models" / "feed.npz"


def test_speed_memory_and_start(run: Run, feed: Path) -> None:
    options = ("--posts", 200, "--terms", 30, "--seed", 7, "--rules", feed / "rules", "--format", "json")
    done = run("bench", *options, "--baseline")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["posts"], found["terms"], found["seed"]) == (200, 30, 7)
    assert found["memory_rate"] > 0 and found["whole"]["peak_mib"] > 0 and found["load_seconds"] > 0
    assert found["baseline_rate"] > 0


def test_a_difference_that_noise_turned_is_no_rate() -> None:
    assert score_rate(Whole(100, 2.0, 1.0), Whole(400, 2.5, 1.0)) == 600
    assert score_rate(Whole(100, 2.0, 1.0), Whole(400, 1.9, 1.0)) is None
    assert _rate(None) == "too few posts to tell" and _rate(1234.5) == "1,234 posts/s"


def test_the_classifier(run: Run) -> None:
    done = run("bench", "--classifier", "--model", MODEL, "--posts", 200, "--no-baseline")
    assert done.returncode == 0 and "heads alone" in done.stdout and "HashingVectorizer" not in done.stdout


def test_languages(run: Run, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    lines = [("good morning everybody, first day here", "en"), ("今天天气真好", "zh"), ("Guten Morgen zusammen", "de")]
    texts.write_text("".join(json.dumps({"text": text, "language": code}) + "\n" for text, code in lines))
    done = run("bench", "--languages", "--texts", texts)
    assert done.returncode == 0, done.stderr
    assert "moderation" in done.stdout and "texts.jsonl" in done.stdout
