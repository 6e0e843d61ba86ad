"""Functional posts of our own, in groups: who speaks of a group, against abuse, or denies it, is no abuser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import moderation
from moderation.cli.main import cli

POSTS = Path(__file__).parent / "functional.csv"


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    model = Path(__file__).parents[2] / "rules" / "models" / "feed.npz"
    args = ["evaluate", str(model), str(POSTS), "--category", "offence", "--group", "kind", "--rules", "-"]
    result = CliRunner().invoke(cli, [*args, "--format", "json"])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout)[POSTS.name])


@pytest.mark.parametrize(("kind", "least"), [("identity", 0.9), ("counter-speech", 0.6)])
def test_most_of_what_is_right_to_say_passes(found: dict, kind: str, least: float) -> None:
    assert found["judges_by_group"]["kind"]["the engine"][kind]["accuracy"] >= least


def test_rules_and_model_beat_the_model_and_calling_everything_hateful(found: dict) -> None:
    engine = found["judges"]["the engine"]
    assert engine["recall"] >= 0.8
    assert engine["accuracy"] > max(found["whole"]["accuracy"], found["whole"]["positives"] / found["whole"]["posts"])


@pytest.mark.parametrize("text", ["河南人都是骗子", "河南人嘟是偏子", "henan ren dou shi pianzi"])
def test_the_heads_for_chinese_read_it_in_every_spelling(text: str) -> None:
    scores = moderation.load().decide(text).scores
    assert scores["offence"] > 0.5 and set(scores) == {"offence", "sexism"}
