"""Every kind of condition, seen through decisions."""

from __future__ import annotations

from typing import Any

import pytest

CASES: list[tuple[str, Any, bool | None]] = [
    # terms: edges by script
    ("terms: [傻瓜]", "你是傻瓜吗", True),
    ("terms: [vx]", "加vx聊", True),
    ("terms: [vx]", "加vx123", True),
    ("terms: [vx]", "vxyz", False),
    ("terms: [कम]", "यह कम है", True),
    ("terms: [कम]", "कमीना", False),
    ("terms: ['1488']", "21488", False),
    ("terms: [ass]\nedges: none", "classic", True),
    ("terms: [口交]\nedges: words", "地铁口交易", False),
    ("terms: [口交]", "地铁口交易", True),
    # folding
    ("terms: [微信]", "加我微​信", True),
    ("terms: [天安门]", "天安⾨廣場", True),
    ("terms: [naive]", "so naïve", True),
    ("terms: [fuck]", "ＦＵＣＫ", True),
    ("terms: [strasse]", "Straße", True),
    ("terms: [が]", "か\u3099", True),
    ("terms: [か]", "か\u3099", False),
    ("terms: [kill yourself]", "kill \n  yourself", True),
    # exceptions
    ("terms: [微信]\nexcept: [微信支付]", "用微信支付很方便", False),
    ("terms: [微信]\nexcept: [微信支付]", "用微信支付，加微信", True),
    ("terms: [kill it]\nexcept: [kill it on stage]", "Kill it on stage!", False),
    # regexes
    ("regex: '[a-z]{3}[0-9]{3}'", "ABC123", True),
    ("regex: 'a(?=b)'", "ab", True),
    ("regex: 'a(?=b)'", "ac", False),
    ("regex: '[A-Z]{4}'\nview: original", "abcd ABCD", True),
    ("regex: '[A-Z]{4}'\nview: original", "abcd", False),
    ("regex: 'fuck(?:ing)?'\nedges: script", "fucker", False),
    ("regex: 'fuck(?:ing)?'\nedges: script", "啊fucking啊", True),
    # near
    ("near: {of: [{terms: [加]}, {terms: [微信]}], within: 3}", "加一下微信", True),
    ("near: {of: [{terms: [加]}, {terms: [微信]}], within: 3}", "微信，加", True),
    ("near: {of: [{terms: [加]}, {terms: [微信]}], within: 1}", "加一下微信", False),
    ("near: {of: [{terms: [加]}, {terms: [微信]}], within: 3, ordered: true}", "微信，加", False),
    ("near: {of: [{terms: [加微]}, {terms: [微信]}], within: 3}", "加微信", False),
    ("near: {of: [{terms: [a]}, {terms: [b]}, {terms: [c]}], within: 2}", "c b a", True),
    ("near: {of: [{terms: [a]}, {terms: [b]}, {terms: [c]}], within: 2}", "c b - - a", False),
    ("near: {of: [{terms: [加]}, {terms: [微信]}], within: 3}", {"title": "加", "body": "微信"}, False),
    # count
    ("count: {of: {regex: '@[a-z]+'}, at_least: 3}", "@a @b @c", True),
    ("count: {of: {regex: '@[a-z]+'}, at_least: 3}", "@a @b", False),
    ("count: {of: {regex: '@[a-z]+'}, at_least: 3, distinct: true}", "@a @a @a", False),
    ("count: {of: {terms: [aa], edges: none}, at_least: 2}", "aaa", False),
    ("count: {of: {terms: [aa], edges: none}, at_least: 2}", "aaaa", True),
    # fields
    ("terms: [傻瓜]\nfields: [title]", {"title": "傻瓜", "body": "好"}, True),
    ("terms: [傻瓜]\nfields: [title]", {"title": "好", "body": "傻瓜"}, False),
    ("terms: [傻瓜]\nfields: [tags]", {"text": "好", "tags": ["好", "傻瓜"]}, True),
    ("field: {name: author.age_days, lt: 7}", {"text": "x", "author": {"age_days": 3}}, True),
    ("field: {name: author.age_days, lt: 7}", {"text": "x", "author": {"age_days": 30}}, False),
    ("field: {name: author.age_days, lt: 7}", {"text": "x", "author.age_days": "3"}, True),
    ("field: {name: author.age_days, lt: 7}", {"text": "x"}, None),
    ("field: {name: author.age_days, lt: 7}", {"text": "x", "author": {"age_days": "young"}}, None),
    ("field: {name: author.age_days, ge: 3, le: 5}", {"text": "x", "author": {"age_days": 5}}, True),
    ("field: {name: region, in: [cn, sg]}", {"text": "x", "region": "sg"}, True),
    ("field: {name: verified, eq: true}", {"text": "x", "verified": True}, True),
    ("field: {name: verified, eq: true}", {"text": "x", "verified": False}, False),
    ("field: {name: region, exists: false}", {"text": "x"}, True),
    ("field: {name: region, exists: true}", {"text": "x"}, False),
    # languages
    ("language: {is: zh}", "我今天去北京玩了一天", True),
    ("language: {is: en}", "我今天去北京玩了一天", False),
    ("language: {is: [zh, ja], share: 0.9}", "我今天去北京玩了一天", True),
    # logic
    ("all: [{terms: [a]}, {terms: [b]}]", "a b", True),
    ("all: [{terms: [a]}, {terms: [b]}]", "a", False),
    ("any: [{terms: [a]}, {terms: [b]}]", "b", True),
    ("all: [{terms: [a]}, {not: {terms: [b]}}]", "a", True),
    ("all: [{terms: [a]}, {not: {terms: [b]}}]", "a b", False),
    ("all: [{terms: [a]}, {field: {name: n, gt: 1}}]", {"text": "a"}, None),
    ("all: [{terms: [a]}, {field: {name: n, gt: 1}}]", {"text": "b"}, False),
    ("any: [{terms: [a]}, {field: {name: n, gt: 1}}]", {"text": "a"}, True),
    ("not: {field: {name: n, gt: 1}}", {"text": "a"}, None),
    ("not: {terms: [a]}", "b", True),
    ("not: {terms: [a]}", "a", False),
]


@pytest.mark.parametrize("matcher", ["auto", "regex"])
@pytest.mark.parametrize(("when", "post", "expected"), CASES)
def test_condition(engine_of: Any, when: str, post: Any, expected: bool | None, matcher: str) -> None:
    outcome = engine_of(when, matcher=matcher).outcomes([post])[0]
    assert outcome == ({} if expected is False else {"zh/test/rule-0": expected})


def test_catastrophic_regex_is_unknown_and_flagged(engine_of: Any) -> None:
    engine = engine_of("regex: '(?:a|a|b)*c(?<=xc)'", policy="uncovered: allow\nlimits: {regex_ms: 1}")
    decision = engine.decide("ab" * 9000 + "xc")
    assert decision.verdict == "flagged"
    assert decision.unknown == ("zh/test/rule-0",)
    assert [reason.rule for reason in decision.reasons] == ["engine/unknown"]


@pytest.mark.parametrize(
    ("languages", "text", "hit"),
    [
        ("[hi]", "यह कम है", True),
        ("[zh]", "यह कम है", False),
        ("[ja]", "ばか", True),
        ("[en]", "ばか", False),
        ("[en]", "ab12", True),
        ("[zh]", "ab12", True),
        ("[ru]", "ab12", True),
        ("[ru]", "ばか", False),
        ("[ru]", "1112", True),
    ],
)
def test_a_pack_is_sent_the_scripts_of_its_languages(engine_of: Any, languages: str, text: str, hit: bool) -> None:
    engine = engine_of("any: [{terms: [कम, ばか]}, {regex: '[a-z1]{2}[0-9]{2}'}]", languages=languages)
    assert bool(engine.outcomes([text])[0]) is hit
