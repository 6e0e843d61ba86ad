"""Examples hold rules to what their author meant, wherever the policy has put them."""

from __future__ import annotations

from pathlib import Path

import pytest

from moderation.authoring.check import Report, check, run_examples
from moderation.engine.engine import Engine
from moderation.packs.load import bundled_rules, read_rules

PACK = """
pack: zh/tickets
version: 1
about: Ticket touts.
languages: [zh]
category: spam
rules:
  - id: resale
    verdict: flag
    severity: 40
    when: {when}
    {more}
    examples:
      hit: [{hit}]
      miss: [{miss}]
    reason: {{en: Ticket touting, zh: 倒卖门票}}
"""


def checked(root: Path, when: str, hit: str, miss: str = "你好", more: str = "mode: live") -> Report:
    (root / "zh").mkdir(exist_ok=True)
    text = PACK.format(when=when, hit=hit, miss=miss, more=more)
    (root / "zh" / "tickets.yaml").write_text(text, "utf-8")
    return check(root)


def messages(report: Report) -> list[str]:
    return [f"{item.code} {item.message} ({item.hint})" for item in report.diagnostics]


def test_bundled_rules_are_sound() -> None:
    report = check()
    assert report.ok and report.diagnostics == ()
    assert sum(pack.rules for pack in report.packs) >= 100
    assert sum(pack.terms for pack in report.packs) >= 1500
    assert all(pack.live for pack in report.packs) and report.unfiltered == ()


def test_bundled_rules_behave_without_hyperscan() -> None:
    book = read_rules(bundled_rules())
    assert list(run_examples(Engine(book, matcher="regex"), book)) == []


def test_examples_that_behave(tmp_path: Path) -> None:
    report = checked(tmp_path, "{terms: [加价]}", "'門票加價'", "'原价'")
    assert report.ok and report.diagnostics == ()
    (counts,) = report.packs
    assert (counts.rules, counts.terms, counts.regexes, counts.examples) == (1, 1, 0, 2)
    assert report.fingerprint == Engine(read_rules(tmp_path)).fingerprint


@pytest.mark.parametrize(
    ("when", "hit", "miss", "more", "expected"),
    [
        ("{terms: [加价]}", "'原价'", "'你好'", "mode: live", "`when` does not hold (what fails: terms 加价"),
        ("{terms: [加价]}", "'加价'", "'不加價'", "mode: live", "should pass, but the rule holds, by `加價`"),
        ("{terms: [加价]}", "'加价'", "'加价'", "mode: shadow", "should pass, but the rule holds, by `加价`"),
        (
            "{terms: [加价]}",
            "'加价原价'",
            "'你好'",
            "unless: {terms: [原价]}",
            "`unless` takes it back (what holds: terms",
        ),
        ("{all: [{terms: [加价]}, {terms: [票]}]}", "'加价'", "'好'", "mode: live", "(what fails: terms 票)"),
        (
            "{near: {of: [{terms: [加价]}, {terms: [票]}], within: 1}}",
            "'票不能加价'",
            "'票'",
            "mode: live",
            "near, within 1",
        ),
        (
            "{field: {name: region, eq: cn}}",
            "'加价'",
            "{text: a, region: us}",
            "mode: live",
            "is unknown: field region",
        ),
        ("{not: {terms: [加价]}}", "'好'", "'好'", "mode: live", "should pass, but the rule holds: "),
        ("{language: {is: zh}}", "'How do you do?'", "'Hello there'", "mode: live", "(what fails: language zh)"),
        ("{terms: [加价]}", "{author: 4}", "'你好'", "mode: live", "should hit, but it is no post: no text"),
    ],
)
def test_examples_that_do_not(tmp_path: Path, when: str, hit: str, miss: str, more: str, expected: str) -> None:
    report = checked(tmp_path, when, hit, miss, more)
    assert not report.ok
    assert any(expected in message for message in messages(report)), messages(report)
    assert all(message.startswith("M080") for message in messages(report))


def test_place_of_an_example(tmp_path: Path) -> None:
    report = checked(tmp_path, "{terms: [加价]}", "'加价', {text: '原价', id: 4}", "'好',\n             '加价'")
    assert [(item.path, item.line, item.column) for item in report.diagnostics] == [
        ("zh/tickets.yaml", 14, 19),
        ("zh/tickets.yaml", 16, 14),
    ]


def test_examples_of_packs_that_are_not_live_run_too(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("policy: feed\npacks: [zh/spam]\n", "utf-8")
    (tmp_path / "zh").mkdir()
    sound = PACK.format(when="{terms: [a1]}", hit="a1", miss="b", more="mode: live").replace("tickets", "spam")
    (tmp_path / "zh" / "spam.yaml").write_text(sound, "utf-8")
    report = checked(tmp_path, "{terms: [加价]}", "'原价'")
    assert "M080" in [item.code for item in report.diagnostics]
    assert [pack.live for pack in report.packs] == [True, False]


@pytest.mark.parametrize("more", ["from: 2030-01-01", "until: 2020-01-01", "from: 2026-01-01\n    until: 2026-01-02"])
def test_examples_are_of_the_rules_own_time(tmp_path: Path, more: str) -> None:
    assert checked(tmp_path, "{terms: [加价]}", "'加价'", "{text: 加价, created_at: 2025-06-01}", more).ok


def test_broken_rules_are_reported_without_examples(tmp_path: Path) -> None:
    report = checked(tmp_path, "{term: [加价]}", "'原价'")
    assert "M020" in [item.code for item in report.diagnostics]
    assert report.packs == () and report.fingerprint is None
