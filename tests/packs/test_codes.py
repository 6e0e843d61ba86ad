"""The handbook of codes: every code is in it, and its examples do what it says."""

from __future__ import annotations

import re

import pytest

from moderation import RulesError
from moderation.packs.codes import CODES, explain
from moderation.packs.load import read_sources

HEAD = {
    "pack": "pack: zh/example",
    "version": "version: 1",
    "about": "about: An example.",
    "languages": "languages: [zh]",
    "category": "category: spam",
}
RULE = {
    "id": "id: example",
    "verdict": "verdict: flag",
    "severity": "severity: 50",
    "when": "when: {terms: [微信]}",
    "examples": "examples: {hit: [微信], miss: [你好]}",
    "reason": "reason: {en: Example, zh: 例子}",
}
OF_A_RULE = {*RULE, "unless", "from", "until", "over", "mode", "resist", "sample", "serverity"}


def blocks(snippet: str) -> list[tuple[str, str]]:
    """The keys of a snippet with their lines."""
    parts = re.split(r"^(?=[^\s:])", snippet, flags=re.MULTILINE)
    return [(part.partition(":")[0], part.rstrip("\n")) for part in parts if part.strip()]


def sources(snippet: str) -> dict[str, bytes]:
    """A whole pack, or a policy with one, that is sound but for what the snippet says."""
    given = [] if snippet.startswith("policy:") else blocks(snippet)
    names = {name for name, _ in given}
    rule = [text for name, text in RULE.items() if name not in names]
    rule += [text for name, text in given if name in OF_A_RULE]
    head = [text for name, text in HEAD.items() if name not in names]
    head += [text for name, text in given if name not in OF_A_RULE]
    if "rules" not in names:
        lines = "\n".join(rule).splitlines()
        at = next((index for index, text in enumerate(head) if text.startswith("---")), len(head))
        head.insert(at, "rules:\n  - " + "\n    ".join(lines))
    found = {"zh/example.yaml": "\n".join(head).encode()}
    return found | ({"policy.yaml": snippet.encode()} if snippet.startswith("policy:") else {})


def codes(snippet: str) -> set[str]:
    try:
        return {item.code for item in read_sources(sources(snippet)).warnings}
    except RulesError as error:
        return {item.code for item in error.diagnostics}


def test_what_is_sound_is_sound() -> None:
    assert codes("") == set()


@pytest.mark.parametrize("code", list(CODES))
def test_every_code_is_explained(code: str) -> None:
    found = explain(code)
    assert found.title and found.text.endswith((".", ":"))
    assert found.severity == ("warning" if "M060" <= code < "M080" else "error")


@pytest.mark.parametrize("code", [code for code in CODES if explain(code).example])
def test_examples_show_the_fault_and_the_cure(code: str) -> None:
    found = explain(code)
    assert code in codes(found.example)
    assert codes(found.fixed) == set()


def test_few_codes_have_no_example() -> None:
    without = [code for code in CODES if not explain(code).example]
    assert without == [
        *(
            "M002",
            "M003",
            "M006",
            "M010",
            "M011",
            "M012",
            "M014",
            "M016",
            "M017",
            "M018",
            "M048",
            "M056",
            "M057",
            "M058",
            "M059",
            "M080",
        )
    ], "these are about files, not about what a pack says"


def test_no_such_code() -> None:
    with pytest.raises(KeyError):
        explain("M999")
