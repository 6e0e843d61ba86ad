"""The example posts say what verdict they expect; the shipped rules are held to it."""

from __future__ import annotations

import json
from pathlib import Path

import moderation

POSTS = Path(__file__).parent.parent / "examples" / "posts.jsonl"


def read_posts() -> list[dict[str, object]]:
    return [json.loads(line) for line in POSTS.read_text("utf-8").splitlines()]


def test_examples_get_their_expected_verdicts(bundled: moderation.Engine) -> None:
    posts = read_posts()
    wrong = [
        f"{post['id']}: expected {post['expected']}, got {decision.verdict} "
        f"by {[reason.rule for reason in decision.reasons]}: {post}"
        for post, decision in zip(posts, bundled.decide_batch(posts), strict=True)
        if decision.verdict != post["expected"]
    ]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(posts)} posts disagree:", *wrong])


def test_examples_are_many_and_mixed(bundled: moderation.Engine) -> None:
    posts = read_posts()
    assert len(posts) >= 300
    assert len({post["id"] for post in posts}) == len(posts)
    verdicts = {post["expected"] for post in posts}
    assert verdicts == {"allowed", "flagged", "blocked"}
    decisions = bundled.decide_batch(posts)
    languages = {language for decision in decisions for language in decision.languages}
    assert {"zh", "en", "es", "fr", "de", "ja", "ko", "ru", "ar", "hi", "th", "vi"} <= languages
    assert sum({"zh", "en"} <= set(decision.languages) for decision in decisions) >= 30
