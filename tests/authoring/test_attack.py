"""Strength of terms, and the figures that the rules which ship are held to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moderation.authoring.attack import EVERY, Figures, figures, strength
from moderation.errors import ModerationError
from moderation.evasion.attacks import ALWAYS_ON
from moderation.evasion.tricks import NAMES
from moderation.packs.load import read_rules

BENIGN = Path(__file__).parents[2] / "examples" / "benign.jsonl"
TERM_SIDE = ("near-homophones", "homophones", "pinyin", "initials", "splits", "variants", "emoji", "reversed")


@pytest.fixture(scope="module")
def measured() -> Figures:
    posts = [json.loads(line) for line in BENIGN.read_text("utf-8").splitlines()]
    return figures(read_rules(None), posts, sample=120)


def test_few_attacks_get_past(measured: Figures) -> None:
    shares = {row.trick: row.seen / row.attacks for row in measured.tricks}
    assert list(shares) == list(EVERY)
    # A sample of 120 may miss by chance what `moderation attack` measures over 500.
    floors = {name: 0.99 if name in ALWAYS_ON else 0.92 if name in TERM_SIDE else 0.95 for name in EVERY}
    assert {name: share for name, share in shares.items() if share < floors[name]} == {}


def test_few_ordinary_posts_are_hit(measured: Figures) -> None:
    assert measured.ordinary > 3000
    rows = {row.trick: row.false_hits for row in measured.tricks}
    assert all(rows[name] is not None and rows[name] <= 0.002 * measured.ordinary for name in NAMES), rows
    hit = {post for post, *_ in measured.false_posts}
    assert len(hit) <= 0.005 * measured.ordinary, measured.false_posts


def test_strength_of_a_term() -> None:
    found = strength("微信", count=2)
    assert not found.too_short
    assert "徽信" in found.spellings["variants"]
    assert "vx" in found.spellings["initials"]
    by_trick = {attempt.trick: attempt for attempt in found.attempts}
    assert {"separators", "homophones", "pinyin", "emoji", "bidi"} <= set(by_trick)
    assert by_trick["separators"].span is not None
    assert found == strength("微信", count=2)
    assert found.attempts != strength("微信", count=2, seed=1).attempts


def test_what_a_term_does_not_resist_gets_past() -> None:
    found = strength("fuck", resist=("leet",), count=2)
    seen = {attempt.trick for attempt in found.attempts if attempt.span is not None}
    assert "leet" in seen
    assert not seen & {"separators", "repeats", "homoglyphs", "masks", "reversed", "encoded"}
    assert {"width", "styled", "tags", "bidi", "invisibles", "marks"} <= seen


def test_short_and_empty_terms() -> None:
    assert strength("加").too_short
    with pytest.raises(ModerationError, match="folds to nothing"):
        strength("\u200b")
