"""A rule, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from moderation.engine.conditions import Condition


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that can be decided."""

    id: str
    verdict: Literal["allow", "flag", "block"]
    live: bool
    category: str
    severity: int
    message: Mapping[str, str]
    over: frozenset[str]
    when: Condition
    unless: Condition | None
