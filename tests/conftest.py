"""Shared fixtures: small engines from a few lines of YAML, and the bundled one."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from hypothesis import settings

import moderation
from moderation.packs.load import read_sources

settings.register_profile("project", deadline=None, max_examples=60)
settings.load_profile("project")

EngineOf = Callable[..., moderation.Engine]

HEADER = """\
pack: {pack}
version: 2026.11.1
about: A pack for tests.
languages: {languages}
category: spam
"""

RULE = """\
  - id: {id}
    verdict: flag
    severity: 50
    when:
{when}
    examples: {{hit: [hit], miss: [miss]}}
    reason: {{en: A reason, zh: 理由}}
"""


def pack_text(rules: str, *, pack: str = "zh/test", languages: str = "['*']", lists: str = "") -> str:
    """A pack file from the text of its rules (and lists), as they stand under `rules:`."""
    body = HEADER.format(pack=pack, languages=languages)
    if lists:
        body += "lists:\n" + textwrap.indent(textwrap.dedent(lists), "  ")
    return body + "rules:\n" + textwrap.indent(textwrap.dedent(rules), "  ")


def rule_text(when: str, *, id: str = "rule") -> str:
    """A flagging rule from its `when:`."""
    return textwrap.dedent(RULE.format(id=id, when=textwrap.indent(textwrap.dedent(when), "      ")))


@pytest.fixture(scope="session")
def engine_of() -> EngineOf:
    """An engine from `when:` conditions (rules `rule-0`, `rule-1` …), or from whole rules, with policy lines if any."""

    def build(
        *whens: str,
        rules: str = "",
        policy: str = "uncovered: allow",
        lists: str = "",
        matcher: str = "auto",
        **more: str,
    ) -> moderation.Engine:
        text = textwrap.dedent(rules) + "".join(
            textwrap.indent(textwrap.dedent(rule_text(when, id=f"rule-{number}")), "")
            for number, when in enumerate(whens)
        )
        sources = {"zh/test.yaml": pack_text(text, lists=lists, **more).encode()}
        sources["policy.yaml"] = ("policy: test\npacks: ['*']\n" + textwrap.dedent(policy)).encode()
        return moderation.Engine(read_sources(sources), matcher=matcher)  # type: ignore[arg-type]

    return build


@pytest.fixture(scope="session")
def bundled() -> moderation.Engine:
    """The engine of the rules that ship."""
    return moderation.load()
