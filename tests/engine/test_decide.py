"""Verdicts: what wins, what overrides, what stays apart, and what the engine says by itself."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import moderation
from moderation import PostError
from moderation.engine.engine import PORTION

RULES = """
- id: flagged
  verdict: flag
  severity: 40
  when: {terms: [加微信]}
  examples: {hit: [加微信], miss: [你好]}
  reason: {en: Contact, zh: 联系}
- id: blocked
  verdict: block
  category: scam
  severity: 90
  when: {terms: [稳赚]}
  examples: {hit: [稳赚], miss: [你好]}
  reason: {en: Scam, zh: 诈骗}
- id: helped
  verdict: allow
  over: [scam]
  severity: 0
  when: {terms: [反诈]}
  examples: {hit: [反诈], miss: [你好]}
  reason: {en: Warning, zh: 提醒}
- id: tried
  verdict: block
  mode: shadow
  severity: 99
  when: {terms: [试试]}
  examples: {hit: [试试], miss: [你好]}
  reason: {en: Trial, zh: 试运行}
- id: spared
  verdict: flag
  severity: 10
  when: {terms: [彩票]}
  unless: {terms: [新闻]}
  examples: {hit: [彩票], miss: [新闻]}
  reason: {en: Lottery, zh: 彩票}
- id: seasonal
  verdict: flag
  severity: 10
  from: 2026-01-01
  until: 2026-02-01
  when: {terms: [抢票]}
  examples: {hit: [抢票], miss: [你好]}
  reason: {en: Season, zh: 季节}
"""


@pytest.fixture(scope="module")
def engine(engine_of: Any) -> moderation.Engine:
    built: moderation.Engine = engine_of(rules=RULES)
    return built


def rules_of(decision: moderation.Decision) -> list[str]:
    return [reason.rule.removeprefix("zh/test/") for reason in decision.reasons]


@pytest.mark.parametrize(
    ("text", "verdict", "rules", "severity", "categories"),
    [
        ("你好", "allowed", [], 0, ()),
        ("加微信", "flagged", ["flagged"], 40, ("spam",)),
        ("加微信稳赚", "blocked", ["blocked", "flagged"], 90, ("scam", "spam")),
        ("反诈：说稳赚的都是骗子", "allowed", ["helped"], 0, ()),
        ("反诈：稳赚，加微信", "flagged", ["flagged", "helped"], 40, ("spam",)),
        ("彩票", "flagged", ["spared"], 10, ("spam",)),
        ("彩票新闻", "allowed", [], 0, ()),
        ("试试", "allowed", [], 0, ()),
    ],
)
def test_verdict(
    engine: moderation.Engine, text: str, verdict: str, rules: list[str], severity: int, categories: tuple[str, ...]
) -> None:
    decision = engine.decide(text)
    assert (decision.verdict, rules_of(decision)) == (verdict, rules)
    assert (decision.severity, decision.categories) == (severity, categories)


def test_shadow_rules_report_apart(engine: moderation.Engine) -> None:
    decision = engine.decide("试试加微信")
    assert decision.verdict == "flagged"
    assert [reason.rule for reason in decision.shadow] == ["zh/test/tried"]


@pytest.mark.parametrize(
    ("created_at", "verdict", "unknown"),
    [
        ("2026-01-15T12:00:00+08:00", "flagged", ()),
        ("2026-02-01", "allowed", ()),
        ("2025-12-31T23:59:59Z", "allowed", ()),
        (1768478400, "flagged", ()),
        (None, "flagged", ("zh/test/seasonal",)),
        ("yesterday", "flagged", ("zh/test/seasonal",)),
    ],
)
def test_period(engine: moderation.Engine, created_at: Any, verdict: str, unknown: tuple[str, ...]) -> None:
    decision = engine.decide({"text": "抢票", "created_at": created_at})
    assert (decision.verdict, decision.unknown) == (verdict, unknown)


def test_unknown_may_be_allowed_by_policy(engine_of: Any) -> None:
    when = "all: [{terms: [抢票]}, {field: {name: author.age_days, lt: 7}}]"
    assert engine_of(when).decide("抢票").verdict == "flagged"
    lenient = engine_of(when, policy="uncovered: allow\nunknown: allow").decide("抢票")
    assert (lenient.verdict, lenient.unknown) == ("allowed", ("zh/test/rule-0",))


def test_spans_are_of_the_original(engine_of: Any) -> None:
    engine = engine_of("terms: [微信]")
    decision = engine.decide({"title": "ok", "body": "加我薇🙂 微\u200b信\u0336 好"})
    (span,) = decision.reasons[0].spans
    assert (span.field, span.start, span.end, span.text) == ("body", 5, 9, "微\u200b信\u0336")
    assert (span.term, span.via) == ("微信", ("invisibles", "marks"))


def test_span_of_an_item(engine_of: Any) -> None:
    decision = engine_of("terms: [傻瓜]").decide({"id": 7, "text": "好", "tags": ["好", "你傻瓜"]})
    (span,) = decision.reasons[0].spans
    assert (decision.id, span.field, span.start, span.end) == (7, "tags[1]", 1, 3)
    assert decision.segments[-1][3] == "tags[1]"


def test_uncovered_language_is_flagged(engine_of: Any) -> None:
    engine = engine_of("terms: [傻瓜]", policy="uncovered: flag", languages="[zh]")
    decision = engine.decide("Je ne comprends pas pourquoi tout le monde parle chinois ici aujourd'hui")
    assert (decision.verdict, decision.uncovered) == ("flagged", ("fr",))
    assert [reason.rule for reason in decision.reasons] == ["engine/uncovered"]
    assert engine.decide("今天的天气真的很不错").uncovered == ()


def test_post_over_the_limit_is_judged_and_flagged(engine_of: Any) -> None:
    engine = engine_of("terms: [稳赚]", policy="uncovered: allow\nlimits: {post_chars: 100}")
    decision = engine.decide({"title": "稳赚" + "好" * 60, "body": "好" * 60 + "稳赚"})
    assert [reason.rule for reason in decision.reasons] == ["engine/limit-exceeded", "zh/test/rule-0"]
    assert [span.field for span in decision.reasons[1].spans] == ["title"]
    assert engine.decide("好" * 100).verdict == "allowed"


@pytest.mark.parametrize(
    "post", ["稳赚", {"text": "反诈", "id": 7}, {"title": "a", "body": "加微信"}, "好" * (PORTION + 1)]
)
def test_one_post_is_decided_as_in_a_batch(engine_of: Any, post: Any) -> None:
    engine = engine_of("terms: [稳赚]", policy="limits: {post_chars: 100}")
    assert engine.decide(post) == engine.decide_batch([post])[0]


@pytest.mark.parametrize(
    ("post", "code"),
    [
        (5, "P001"), (None, "P001"), (b"x", "P001"), ({}, "P002"), ({"text": None}, "P002"), ({"content": "x"}, "P002"),
        ({"text": 5}, "P003"), ({"text": ["a", 5]}, "P003"), ({"text": "x", "id": 1.5}, "P004"),
        ({"text": "x", "id": True}, "P004"),
    ],
)  # fmt: skip
def test_bad_posts(engine: moderation.Engine, post: Any, code: str) -> None:
    with pytest.raises(PostError) as error:
        engine.decide(post)
    assert error.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        "\ud800",
        "a\ud800微信\udfff",
        "\u200b" * 50,
        "🏴\U000e0067\U000e007f",
        "e" + "\u0301\u0323" * 50_000,
    ],
)
def test_odd_texts(engine: moderation.Engine, text: str) -> None:
    decision = engine.decide(text)
    assert decision.to_json()
    assert decision.verdict == ("flagged" if len(text) > 20_000 else "allowed")


def test_lone_surrogates_in_spans_are_encoded(engine_of: Any) -> None:
    decision = engine_of("regex: 'a.b'").decide("xa\ud800by")
    assert b"a\\ud800b" in decision.to_json()


def test_declared_language_is_a_hint(engine: moderation.Engine) -> None:
    assert "zh" in engine.decide({"text": "今天的天气真的很不错", "language": "fr"}).languages


def test_threads_agree(engine: moderation.Engine) -> None:
    posts = [f"加微信 {number} 稳赚" if number % 3 else f"hello {number}" for number in range(300)]
    expected = engine.decide_batch(posts)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(engine.decide, posts)) == expected


def _judge(engine: moderation.Engine, text: str) -> moderation.Decision:
    return engine.decide(text)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_agree(engine: moderation.Engine, method: str) -> None:
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(_judge, (engine, "加微信稳赚")) == engine.decide("加微信稳赚")


def test_fingerprint_follows_every_source(engine_of: Any) -> None:
    engine = engine_of("terms: [a]")
    assert engine.fingerprint == engine_of("terms: [a]").fingerprint
    assert engine.fingerprint != engine_of("terms: [b]").fingerprint
    assert engine.fingerprint != engine_of("terms: [a]", policy="uncovered: flag").fingerprint
    assert engine.decide("x").engine == engine.fingerprint
