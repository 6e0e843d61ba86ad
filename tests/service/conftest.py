"""A few rules, and a moderator of them that judges in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation import Moderator, load
from moderation.engine.engine import Engine

PACK = """\
pack: x/one
version: "1"
about: For tests.
languages: [zh, en]
category: spam
rules:
  - id: spam
    verdict: flag
    severity: 50
    when: {{terms: [{term}, 微信]}}
    examples: {{hit: [{term}], miss: [hello]}}
    reason: {{en: Spam, zh: 垃圾}}
  - id: bad
    verdict: block
    severity: 90
    when: {{terms: [terrible]}}
    examples: {{hit: [terrible], miss: [hello]}}
    reason: {{en: Bad, zh: 坏}}
"""


def write_rules(folder: Path, term: str = "casino", example: str | None = None) -> Path:
    """A folder with one pack that flags a term; its example may be one that fails."""
    (folder / "x").mkdir(parents=True, exist_ok=True)
    text = PACK.format(term=term)
    if example is not None:
        text = text.replace(f"hit: [{term}]", f"hit: [{example}]")
    (folder / "x" / "one.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules"))


@pytest.fixture(scope="session")
def moderator(rules: Path) -> Iterator[Moderator]:
    with Moderator(rules, timeout=20) as found:
        yield found


@pytest.fixture(scope="session")
def engine(rules: Path) -> Engine:
    return load(rules)
