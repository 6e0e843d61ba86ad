"""The summary of long runs: what is rare is added up, and no number is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]

LANGUAGES = (
    "Сегодня хорошая погода, идём гулять", "Καλημέρα σας, τι κάνετε σήμερα", "안녕하세요 여러분", "你好，今天天气很好",
    "สวัสดีครับ วันนี้อากาศดี", "שלום לכם מה שלומכם היום", "नमस्ते दुनिया आज मौसम अच्छा है", "வணக்கம் உலகம்", "నమస్కారం ప్రపంచం",
    "નમસ્તે દુનિયા", "ওহে বিশ্ব কেমন আছো", "ਸਤ ਸ੍ਰੀ ਅਕਾਲ ਦੁਨੀਆ", "ನಮಸ್ಕಾರ ಜಗತ್ತು", "നമസ്കാരം ലോകം", "the weather is nice today",
)  # fmt: skip
PACK = """\
pack: en/many
version: 1
about: Many rules.
languages: [en]
category: spam
rules:
"""
RULE = """\
  - id: {mode}-{number}
    verdict: flag
    severity: 10
    mode: {mode}
    when: {{terms: [word]}}
    examples: {{hit: [word], miss: [none]}}
    reason: {{en: A word, zh: 词}}
"""


def lines(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    return path


def language_rows(table: str) -> dict[str, list[int]]:
    """The first table's numbers by the name of their row."""
    rows = re.findall(r"^ (\S+(?: \S+)*?) +([\d,]+) +([\d,]+) +([\d,]+) +([\d,]+)", table, re.M)
    return {name: [int(number.replace(",", "")) for number in numbers] for name, *numbers in rows}


def test_rare_languages_are_added_up(run: Run, tmp_path: Path) -> None:
    found = language_rows(run("score", lines(tmp_path / "posts", *LANGUAGES, LANGUAGES[0])).stderr)
    total = found.pop("all")
    assert len(found) == 12 and next(iter(found)) == "ru" and list(found)[-1].endswith(" others")
    assert total[0] == len(LANGUAGES) + 1
    assert total == [sum(column) for column in zip(*found.values(), strict=True)]
    assert all(row[0] == sum(row[1:]) for row in found.values())


def test_thousands(run: Run, tmp_path: Path) -> None:
    told = run("score", lines(tmp_path / "posts", *["好的，明天见"] * 1234, "Two tickets, above face value")).stderr
    assert language_rows(told)["zh"] == [1234, 1234, 0, 0]
    assert "\n1,235 posts in " in told and " · coverage 100.0% · " in told


@pytest.mark.parametrize(
    ("live", "shadow", "more"), [(10, 10, ""), (11, 1, "and 1 more"), (1, 12, "and 2 more"), (12, 12, "and 4 more")]
)
def test_the_most_frequent_rules_are_shown(run: Run, tmp_path: Path, live: int, shadow: int, more: str) -> None:
    rules = [RULE.format(mode="live", number=number) for number in range(live)]
    rules += [RULE.format(mode="shadow", number=number) for number in range(shadow)]
    (tmp_path / "pack.yaml").write_text(PACK + "".join(rules), "utf-8")
    told = run("score", "--rules", tmp_path / "pack.yaml", lines(tmp_path / "posts", "a word, please")).stderr
    assert len(re.findall(r"en/many/live-\d+ +flag ", told)) == min(live, 10)
    assert len(re.findall(r"en/many/shadow-\d+ +flag \(shadow\) ", told)) == min(shadow, 10)
    assert more in told and bool(more) == ("more" in told)


def test_long_and_unknown_posts_are_counted(run: Run, tmp_path: Path) -> None:
    path = lines(tmp_path / "posts", "a word " * 5000, "I have a spare ticket", "I have a spare ticket", "fine")
    assert " · 1 longer than the limit · 2 with unknown rules" in run("score", path).stderr


@pytest.mark.parametrize("bad", [1, 10, 11, 2000])
def test_the_first_rejects_are_shown_and_all_are_counted(run: Run, tmp_path: Path, bad: int) -> None:
    path = tmp_path / "posts"
    path.write_text("{broken\n" * bad + '{"text": "a"}\n[]\n', "utf-8")
    told = run("score", path, "-q").stderr
    assert len(re.findall(rf"^{path}:\d+: R00[13]: ", told, re.M)) == min(bad + 1, 10)
    assert ("more" in told) == (bad > 9)
    assert bad <= 9 or f"… and {bad - 9:,} more\n" in told
    assert f"\n{bad + 1:,} records rejected; --rejects FILE keeps them\n  {bad:,} R001 " in told
    assert "\n  1 R003 not an object" in told


def test_one_reject_is_one_record(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posts").write_text("{broken\n", "utf-8")
    done = run("score", tmp_path / "posts", "--rejects", tmp_path / "bad")
    assert done.returncode == 0
    assert f"\n1 record rejected; they are in {tmp_path}/bad\n" in done.stderr
