"""Hits that no rule in question asks for are dropped; those that one asks for never are, however many rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from moderation.engine.interest import by_post

RULE = """\
- id: rule-{number}
  verdict: flag
  severity: 10
  when: {{all: [{{terms: [word{number}]}}, {{terms: [common{shared}, often]}}]}}
  unless: {{terms: [spared{number}]}}
  examples: {{hit: [word{number} common{shared}], miss: [word{number}]}}
  reason: {{en: Said, zh: 说了}}
"""
RULES = 150


def test_bits_by_post_are_those_of_its_rules() -> None:
    post, rule = np.array([0, 0, 2, 3]), np.array([1, 64, 63, 65])
    assert by_post(post, rule, 5).tolist() == [0b11, 0, 1 << 63, 0b10, 0]
    assert by_post(post[:0], rule[:0], 2).tolist() == [0, 0]


def test_rules_that_share_a_bit_are_told_apart(engine_of: Any) -> None:
    engine = engine_of(rules="".join(RULE.format(number=number, shared=number % 7) for number in range(RULES)))
    posts = {
        f"word{number} {word} word{(number + 64) % RULES}{tail}": word
        for number in range(0, RULES, 3)
        for word in (f"common{number % 7}", "often", "seldom")
        for tail in ("", f" spared{number}")
    }
    for post, decision in zip(posts, engine.decide_many(posts), strict=True):
        said = set(post.split())
        expected = {
            f"zh/test/rule-{number}"
            for number in range(RULES)
            if f"word{number}" in said and {f"common{number % 7}", "often"} & said and f"spared{number}" not in said
        }
        assert {reason.rule for reason in decision.reasons} == expected
