"""`languages`, `coverage`, `surge` and `new-pack` as people run them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from rich.cells import cell_len
from rich.console import Console

from moderation.authoring.census import Census
from moderation.cli.languages import _table
from moderation.language.detect import Detector
from moderation.post import Post

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A dump of an hour: Chinese, English and German, one record that is none, and a formula."""
    texts = [
        "今天的天气真好，我们去公园",
        "good morning everybody, first day here",
        "=SUM(A1) Guten Morgen zusammen, ich bin neu hier",
    ]
    start = datetime(2026, 11, 1, 8, tzinfo=UTC)
    lines = [
        json.dumps({"text": texts[number % 3], "created_at": (start + timedelta(minutes=number)).isoformat()})
        for number in range(9)
    ]
    path = tmp_path / "dump.jsonl"
    path.write_text("\n".join([*lines, "{broken"]), "utf-8")
    return path


def test_languages_as_a_table(run: Run, dump: Path) -> None:
    done = run("languages", "--by", "hour", dump)
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["zh", "3", "33.3%", "3"] in [row[:4] for row in rows]
    assert ["2026-11-01", "08:00", "9", "33.3%", "33.3%", "33.3%"] in rows
    assert "1 record rejected" in done.stderr


@pytest.mark.parametrize("command", ["languages", "coverage"])
def test_reports_for_programs_and_pages(run: Run, dump: Path, tmp_path: Path, command: str) -> None:
    page = tmp_path / "page.html"
    found = json.loads(run(command, dump, "--format", "json", "--html", page).stdout)
    assert found["posts"] == 9 and {one["language"] for one in found["languages"]} == {"zh", "en", "de"}
    rows = list(csv.DictReader(io.StringIO(run(command, dump, "--format", "csv").stdout)))
    assert {row["language"]: row["posts"] for row in rows} == {"zh": "3", "en": "3", "de": "3"}
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_languages_by_hour_as_csv(run: Run, dump: Path) -> None:
    done = run("languages", dump, "--by", "hour", "--format", "csv")
    assert done.stdout.splitlines()[:2] == ["hour,language,posts", "2026-11-01T08:00:00Z,de,3"]


def test_coverage_says_what_to_write(run: Run, dump: Path) -> None:
    done = run("coverage", dump)
    assert "de: 3 posts (33.3%) and no rules of its own\n    moderation new-pack de --from" in done.stdout
    heads = next(line.split() for line in done.stdout.splitlines() if line.startswith(" rules by category"))
    assert heads[-1] == "de" and done.stdout.count(" none") >= 1
    assert "Words that no rule reads, de:" in done.stdout
    assert "66.7% in a language that rules serve" in done.stdout


def test_tables_keep_their_figures_in_a_narrow_terminal() -> None:
    census = Census(Detector())
    census.add([Post(number, (("text", "今天的天气真好，我们去公园" * 9),), {}) for number in range(2345)])
    shown = io.StringIO()
    Console(width=80, file=shown).print(_table(census.result(), 80))
    lines = shown.getvalue().splitlines()
    row = next(line for line in lines if line.startswith(" zh"))
    assert row.split()[:6] == ["zh", "2,345", "100.0%", "2,345", "100.0%", "100%"]
    assert max(map(cell_len, lines)) <= 80


@pytest.mark.parametrize("command", ["languages", "coverage", "surge"])
def test_texts_and_times_may_stand_elsewhere(run: Run, tmp_path: Path, command: str) -> None:
    path = tmp_path / "feed.csv"
    path.write_text("content,posted\ngood morning everybody,2026-11-01\n今天的天气真好,never\n", "utf-8")
    assert "no column holds text" in run(command, path).stderr
    done = run(command, path, "--field", "text=content", "--field", "created_at=posted")
    assert done.returncode == 0
    if command == "surge":
        assert "1 post, 0 alarms: no window had 100 posts" in done.stderr and "posts left out: 1 without" in done.stderr
    else:
        assert "2 posts" in done.stdout


def test_a_page_never_replaces_the_dump(run: Run, dump: Path) -> None:
    before = dump.read_bytes()
    assert run("languages", dump, "--html", dump).returncode == 2
    assert dump.read_bytes() == before


def test_surge_tells_an_alarm_a_line(run: Run, tmp_path: Path) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    posts = []
    for number in range(4320):
        at = start + timedelta(seconds=30 * number)
        english = number % 3 == 0 if number > 3600 else number % 25 == 0
        text = "good morning everybody, first day here" if english else "今天的天气真好，我们去公园"
        posts.append(json.dumps({"text": text, "created_at": at.isoformat()}, ensure_ascii=False))
    path = tmp_path / "feed.jsonl"
    path.write_text("\n".join([*posts, '{"text": "good morning"}']), "utf-8")
    done = run("surge", path)
    alarms = [json.loads(line) for line in done.stdout.splitlines()]
    assert alarms[0]["language"] == "en" and alarms[0]["state"] == "started"
    assert alarms[0]["message"].startswith("en 3.9% → ")
    assert "posts left out: 1 without a time in `created_at`" in done.stderr
    assert run("surge", path).stdout == done.stdout


def test_new_pack_goes_where_it_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "fr.yaml"
    done = run("new-pack", "fr", "--from", "zh/tickets", "-o", path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "pack: fr/tickets" in path.read_text("utf-8")
    checked = run("check", path)
    assert checked.returncode == 1 and "must not be empty" in checked.stdout + checked.stderr
    assert run("new-pack", "fr", "--from", "zh/none").returncode == 2
    assert run("new-pack", "french").returncode == 2


def test_rules_of_ones_own(run: Run, dump: Path, feed: Path, tmp_path: Path) -> None:
    """Reports and scaffolds are about the rules that the user names."""
    (tmp_path / "de.yaml").write_text(
        (feed / "rules/en/tickets.yaml").read_text("utf-8").replace("[en]", "[de]"), "utf-8"
    )
    found = json.loads(run("coverage", dump, "--rules", tmp_path / "de.yaml", "--format", "json").stdout)
    served = {one["language"]: one["served"] for one in found["languages"]}
    assert served == {"de": 1.0, "en": 0.0, "zh": 0.0}
    done = run("new-pack", "fr", "--from", "en/tickets", "--rules", tmp_path / "de.yaml")
    assert done.returncode == 0 and "pack: fr/tickets" in done.stdout
