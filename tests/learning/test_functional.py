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


@pytest.fixture(scope="module", params=["en", "zh"])
def hate(request: pytest.FixtureRequest) -> tuple[dict[str, object], str]:
    """What rules of the category `hate` say of a language's posts about groups of people, by what the posts do."""
    folder = Path(__file__).parents[2] / "rules"
    posts = POSTS.with_name(f"functional_{request.param}.csv")
    category = {"en": "hate", "zh": "offence"}[request.param]
    args = ["evaluate", str(folder / "models" / "feed.npz"), str(posts), "--category", category, "--group", "kind"]
    result = CliRunner().invoke(cli, [*args, "--rules", "-", "--reasons", "hate", "--format", "json"])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout)[posts.name]), request.param


def test_hate_is_told_from_what_only_looks_like_it(hate: tuple[dict, str]) -> None:
    found, _ = hate
    engine = found["judges"]["the engine"]
    assert engine["posts"] >= 1000
    assert engine["recall"] >= 0.9
    assert engine["accuracy"] >= 0.9
    assert engine["accuracy"] > max(found["whole"]["accuracy"], engine["positives"] / engine["posts"])


@pytest.mark.parametrize(
    "kind", ["counter-speech", "quote", "negated-hate", "identity", "positive", "object", "individual", "non-group"]
)
def test_who_answers_denies_or_speaks_of_others_is_no_hater(hate: tuple[dict, str], kind: str) -> None:
    found, _ = hate
    assert found["judges_by_group"]["kind"]["the engine"][kind]["accuracy"] >= 0.9


@pytest.mark.parametrize(
    "kind", ["emotion", "dehumanising", "threat", "normative", "pronoun", "negated-positive", "spelling"]
)
def test_every_way_of_hating_is_found(hate: tuple[dict, str], kind: str) -> None:
    found, _ = hate
    assert found["judges_by_group"]["kind"]["the engine"][kind]["recall"] >= 0.8


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
