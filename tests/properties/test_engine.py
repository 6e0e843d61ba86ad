"""Invariants of the engine as a whole."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moderation
from moderation.dumps.arrays import arrays_of, arrays_of_decisions

PIECES = [
    "加", "微信", "微", "信", "傻", "逼", "fuck", "f", "u", "ck", " ", "，", ".", "@a", "@b", "http://a.cn", "1", "23",
    "vx", "か", "\u3099", "हि", "कम", "ो", "ไทย", "مرحبا", "\u064b", "é", "e\u0301", "ß", "ﷺ", "ｆｕ", "🙂",
    "👨\u200d👩", "\u200b", "\u202e", "\0", "\ud800", "\n", "傻瓜蛋", "門", "ﬁ", "İ", "ǆ", "한", "\u1112\u1161", "Й",
    "и\u0306",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
POST = TEXT | st.fixed_dictionaries(
    {"body": TEXT},
    optional={"title": TEXT, "tags": st.lists(TEXT, max_size=3), "n": st.integers(0, 9), "language": st.just("en")},
)
WHENS = [
    "terms: [微信, 傻逼, fuck, vx, 傻瓜, か, कम, ss, 'f u']",
    "near: {of: [{terms: [加]}, {terms: [微信, vx]}], within: 4}",
    "all: [{regex: '[a-z]{2,4}(?=[0-9 ])'}, {not: {terms: [微]}}]",
    "count: {of: {regex: '@[a-z]'}, at_least: 2, distinct: true}",
    "any: [{field: {name: n, gt: 4}}, {regex: '[^a-z一-鿿]{3}'}]",
    "regex: '[\\u200b\\u202e]'\nview: original",
    "terms: [傻]\nexcept: [傻瓜]\nfields: [title, tags]",
    "regex: '(.)\\1'\nedges: script",
    "language: {is: [en, zh], share: 0.6}",
]


@pytest.fixture(scope="module")
def engines(engine_of: Any) -> tuple[moderation.Engine, moderation.Engine]:
    policy = "uncovered: flag\nlimits: {post_chars: 60}"
    return engine_of(*WHENS, policy=policy), engine_of(*WHENS, policy=policy, matcher="regex")


@given(posts=st.lists(POST, max_size=8), size=st.integers(1, 9))
def test_batch_is_one_by_one(engines: Any, posts: list[Any], size: int) -> None:
    engine, _ = engines
    one_by_one = [engine.decide(post) for post in posts]
    assert engine.decide_batch(posts) == one_by_one
    assert list(engine.decide_many(iter(posts), batch_size=size)) == one_by_one
    assert [decision.to_json() for decision in engine.decide_batch(posts[::-1])][::-1] == [
        d.to_json() for d in one_by_one
    ]


@given(posts=st.lists(POST, min_size=1, max_size=8))
def test_hyperscan_and_regex_matchers_agree(engines: Any, posts: list[Any]) -> None:
    fast, oracle = engines
    assert fast.decide_batch(posts) == oracle.decide_batch(posts)


@given(post=POST)
def test_spans_lie_in_their_fields(engines: Any, post: Any) -> None:
    engine, _ = engines
    fields = dict(moderation.Post.of(post).fields)
    for reason in engine.decide(post).reasons:
        for span in reason.spans:
            assert 0 <= span.start < span.end <= len(fields[span.field])
            assert fields[span.field][span.start : span.end] == span.text


@given(post=POST)
def test_explain_agrees_with_decide(engines: Any, post: Any) -> None:
    engine, _ = engines
    explanation = engine.explain(post)
    assert explanation.decision == engine.decide(post)
    held = {trace.rule: trace.value for trace in explanation.rules if trace.value is not False}
    assert held == engine.outcomes([post])[0]


@pytest.fixture(scope="module")
def always_looked_at(engine_of: Any) -> moderation.Engine:
    """The same rules, negated twice: nothing triggers them, so every rule is evaluated for every post."""
    built: moderation.Engine = engine_of(*("not:\n  not:\n" + textwrap.indent(when, "    ") for when in WHENS))
    return built


@given(posts=st.lists(POST, max_size=5))
def test_a_rule_that_is_not_looked_at_does_not_hold(
    engines: Any, always_looked_at: moderation.Engine, posts: list[Any]
) -> None:
    posts = [post[:60] if isinstance(post, str) else post for post in posts]
    short = [post for post in posts if sum(len(text) for _, text in moderation.Post.of(post).fields) <= 60]
    assert engines[0].outcomes(short) == always_looked_at.outcomes(short)


IDS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.sampled_from(["%s", '"', "\ud800", "帖子%1"])
SAID = (
    st.sampled_from(
        ["hello my dear friend, how are you", "今天天气真好，出门走走", "wo ai chi huo guo", "Guten Morgen"]
    )
    | TEXT
)


@given(posts=st.lists(st.fixed_dictionaries({"id": IDS, "text": SAID}) | POST, max_size=8))
def test_what_is_written_is_what_is_decided(engines: Any, bundled: moderation.Engine, posts: list[Any]) -> None:
    for engine in (engines[0], bundled):
        decisions, written = engine.decide_batch(posts), engine.write_batch(posts)
        lines = [decision.to_json() for decision in decisions]
        assert b"".join(each.lines for each in written) == b"".join(line + b"\n" for line in lines)
        told = [decision for each in written for decision in each.told]
        plain = list(decisions)
        for decision in told:
            plain.remove(decision)
        assert all(decision.verdict == "allowed" and not decision.reasons for decision in plain)
        counted = sum((Counter(each.plain) for each in written), Counter())
        assert counted == Counter(next(iter(decision.languages), "und") for decision in plain)


@given(posts=st.lists(st.fixed_dictionaries({"id": IDS, "text": SAID}) | POST, min_size=1, max_size=8))
def test_columns_of_arrow_are_those_of_decisions(engines: Any, bundled: moderation.Engine, posts: list[Any]) -> None:
    for engine in (engines[0], bundled):
        (judged,) = engine.judge_batch(posts)
        expected = arrays_of_decisions(engine.decide_batch(posts), engine.fingerprint)
        for found, own in zip(arrays_of(judged), expected, strict=True):
            assert found.type == own.type
            assert found.to_pylist() == own.to_pylist()
