"""Small engines to ask what is seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache

from moderation.decision import Span
from moderation.engine.engine import Engine
from moderation.evasion.tricks import NAMES
from moderation.packs.load import read_sources


def rule(terms: Sequence[str], **more: object) -> dict[str, object]:
    """A rule that flags any of some terms."""
    return {
        "id": "terms",
        "verdict": "flag",
        "severity": 50,
        "when": {"terms": list(terms)},
        "examples": {"hit": [terms[0]], "miss": ["-"]},
        "reason": {"en": "-", "zh": "-"},
        **more,
    }


def sources(
    rules: Sequence[Mapping[str, object]], pack: Mapping[str, object] = {}, **policy: object
) -> dict[str, bytes]:
    """A policy with one pack of some rules."""
    head = {"pack": "x/terms", "version": "1", "about": "-", "languages": ["*"], "category": "x"}
    found = {
        "x/terms.yaml": {**head, **pack, "rules": list(rules)},
        "policy.yaml": {"policy": "x", "packs": ["*"], "uncovered": "allow", **policy},
    }
    return {path: json.dumps(each, ensure_ascii=False).encode() for path, each in found.items()}


@cache
def engine(*terms: str, resist: tuple[str, ...] = NAMES, matcher: str = "auto") -> Engine:
    """An engine that flags terms, resisting tricks."""
    return Engine(read_sources(sources([rule(terms)], resist=list(resist))), matcher=matcher)  # type: ignore[arg-type]


def spans(found: Engine, text: str) -> list[Span]:
    """Where any rule hits."""
    return [span for reason in found.decide(text).reasons for span in reason.spans]
