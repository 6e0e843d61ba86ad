"""The classifier in rules: three-valued, columnar, free where nothing asks it, told by explain."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable

import pytest

import moderation
from moderation.learning.sample import pick
from moderation.packs.load import read_sources

PACK = """\
pack: en/model
version: 2026.11.1
about: A pack that asks the classifier.
languages: [en]
category: spam
rules:
  - id: rule
    verdict: {verdict}
    severity: 40
    when: {when}
    examples: {{hit: [hit], miss: [miss]}}
    reason: {{en: Reads like spam, zh: 疑似垃圾信息}}
"""
ASKS = "{classifier: {category: spam, above: 0.6}}"
SPAM, HAM = "win cash Anna 12 click here", "see you at Berlin 77 tonight"
Build = Callable[..., moderation.Engine]


def sources(model: bytes, when: str = ASKS, verdict: str = "flag", policy: str = "") -> dict[str, bytes]:
    head = f"policy: test\npacks: ['*']\nuncovered: allow\nclassifier: models/m.npz\n{policy}"
    pack = PACK.format(when=when, verdict=verdict)
    return {"policy.yaml": head.encode(), "en/model.yaml": pack.encode(), "models/m.npz": model}


@pytest.fixture(scope="session")
def build(model: bytes) -> Build:
    return lambda *args, **more: moderation.Engine(read_sources(sources(model, *args, **more)))


def found(build: Build, when: str, posts: list[object]) -> list[bool | None]:
    return [outcome.get("en/model/rule", False) for outcome in build(when).outcomes(posts)]  # type: ignore[arg-type]


def test_scores_decide_and_stand_in_decisions(build: Build) -> None:
    flagged, allowed = build().decide_batch([SPAM, HAM])
    assert (flagged.verdict, allowed.verdict) == ("flagged", "allowed")
    assert flagged.scores["spam"] > 0.6 > allowed.scores["spam"]
    assert json.loads(flagged.to_json())["scores"] == dict(flagged.scores)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (ASKS, [True, False, None]),
        (f"{{not: {ASKS}}}", [False, True, None]),
        (f"{{all: [{ASKS}, {{terms: [win]}}]}}", [True, False, False]),
        (f"{{any: [{ASKS}, {{terms: [ticket, billet]}}]}}", [True, False, True]),
        (f"{{all: [{{language: {{is: en}}}}, {ASKS}]}}", [True, False, False]),
        (f"{{all: [{{field: {{name: age, lt: 5}}}}, {ASKS}]}}", [True, False, None]),
    ],
)
def test_conditions_combine_and_are_unknown_without_a_head(
    build: Build, when: str, expected: list[bool | None]
) -> None:
    french = "Je voudrais un billet pour le train de demain matin, merci beaucoup"
    posts: list[object] = [{"text": text, "age": 3} for text in (SPAM, HAM, french)]
    assert found(build, when, posts) == expected


def test_an_unknown_score_flags_only_where_it_matters(build: Build) -> None:
    french = "Je voudrais un billet pour le train de demain matin, merci beaucoup"
    decision = build().decide(french)
    assert (decision.verdict, decision.unknown, dict(decision.scores)) == ("flagged", ("en/model/rule",), {})
    assert build(policy="unknown: allow\n").decide(french).verdict == "allowed"


def test_fields_are_scored_together_and_batches_do_not_matter(build: Build) -> None:
    engine = build()
    posts = [{"title": "win cash Anna", "body": "12 click here"}, HAM, {"text": ""}, SPAM, "12:30", "😀"] * 40
    whole = [decision.to_json() for decision in engine.decide_many(posts)]
    assert whole == [decision.to_json() for decision in engine.decide_many(posts, batch_size=7)]
    assert engine.decide(posts[0]).verdict == "flagged"  # type: ignore[arg-type]


def test_nothing_is_scored_where_no_rule_asks(build: Build) -> None:
    engine = build("{terms: [win]}")
    assert dict(engine.decide(SPAM).scores) == {} and engine.asking_classifier == frozenset()


def test_the_model_is_part_of_the_fingerprint_and_of_pickles(build: Build, model: bytes) -> None:
    from moderation.packs.models import dump_model, load_model

    engine, plain = build(), load_model(model)
    other, _ = dump_model(plain.heads, plain.weights, plain.numbers * 1.5, plain.features)
    assert moderation.Engine(read_sources(sources(other))).fingerprint != engine.fingerprint
    copy = pickle.loads(pickle.dumps(engine))
    assert copy.decide(SPAM) == engine.decide(SPAM)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: s | {"models/m.npz": b"PK\x03\x04 no"}, "M057"),
        (lambda s: {name: content for name, content in s.items() if name != "models/m.npz"}, "M057"),
        (lambda s: s | {"policy.yaml": s["policy.yaml"].replace(b"models/m.npz", b"../m.npz")}, "M057"),
        (lambda s: s | {"en/model.yaml": s["en/model.yaml"].replace(b"spam, above", b"spma, above")}, "M058"),
    ],
)
def test_models_that_cannot_be_used_are_refused(model: bytes, change: Callable[..., object], code: str) -> None:
    with pytest.raises(moderation.RulesError) as caught:
        read_sources(change(sources(model)))  # type: ignore[arg-type]
    assert [item.code for item in caught.value.diagnostics] == [code]


def test_warnings(model: bytes) -> None:
    assert [item.code for item in read_sources(sources(model, verdict="block")).warnings] == ["M076"]
    beside = f"{{all: [{ASKS}, {{terms: [win]}}]}}"
    assert not read_sources(sources(model, beside, "block")).warnings


def test_explain_names_what_pushed_in_the_original_text(build: Build) -> None:
    text = "WIN ｃａｓｈ Anna 12 click here"
    trace = build().explain(text).scores[0]
    assert (trace.category, trace.up[0].weight > 0) == ("spam", True)
    assert all(text[push.start : push.end] == push.text for push in (*trace.up, *trace.down))
    assert any("ｃａｓｈ" in push.text or "WIN" in push.text for push in trace.up)


def test_sample_takes_the_uncertain_and_the_disputed_in_turns(build: Build) -> None:
    engine = build(f"{{any: [{ASKS}, {{terms: [tonight]}}]}}")
    texts = [SPAM, HAM, "train prize free late", "今天和朋友去了上海吃饭", SPAM]
    judged = list(zip(texts, engine.decide_batch(texts), strict=True))
    chosen = pick(judged, 3, frozenset())
    assert len({each.text for each in chosen}) == 3 and {each.language for each in chosen} >= {"en"}
    assert chosen[0].worth >= chosen[-1].worth or chosen[0].language != chosen[-1].language


def test_sample_takes_what_no_head_reads_last(build: Build) -> None:
    french = ["Je voudrais un billet pour le train, merci beaucoup", "Il fait beau aujourd'hui à la campagne"]
    texts = [*french, "train prize free late", SPAM, HAM]
    chosen = pick(zip(texts, build().decide_batch(texts), strict=True), 4, frozenset())
    assert [bool(each.scores) for each in chosen] == [True, True, True, False]
    assert (chosen[-1].text in french, chosen[-1].why, chosen[-1].worth) == (True, "no head reads it", 0)
