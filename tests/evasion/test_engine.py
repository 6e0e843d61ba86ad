"""Tricks in rules: whose `resist` counts, and what conditions make of hits in disguise."""

from __future__ import annotations

import pytest

import moderation
from moderation.engine.engine import Engine
from moderation.packs.load import read_sources
from tests.evasion.engines import rule, sources, spans


def load(*rules: dict[str, object], pack: dict[str, object] | None = None, **policy: object) -> Engine:
    return Engine(read_sources(sources(rules, pack or {}, **policy)))


@pytest.mark.parametrize(
    ("own", "of_pack", "of_policy", "seen"),
    [
        (None, None, None, False),
        (None, None, ["leet"], True),
        (None, ["leet"], None, True),
        (None, [], ["leet"], False),
        (["leet"], None, None, True),
        ([], ["leet"], ["leet"], False),
        (["repeats"], ["leet"], ["leet"], False),
    ],
)
def test_the_nearest_resist_counts(
    own: list[str] | None, of_pack: list[str] | None, of_policy: list[str] | None, seen: bool
) -> None:
    more = {} if own is None else {"resist": own}
    pack = {} if of_pack is None else {"resist": of_pack}
    policy = {} if of_policy is None else {"resist": of_policy}
    found = load(rule(["shit"], **more), pack=pack, **policy)
    assert bool(spans(found, "sh1t")) is seen


def test_rules_of_one_term_see_what_each_resists() -> None:
    found = load(rule(["微信"], id="sound", resist=["homophones"]), rule(["微信"], id="apart", resist=["separators"]))
    assert [reason.rule for reason in found.decide("薇信").reasons] == ["x/terms/sound"]
    assert [reason.rule for reason in found.decide("微-信").reasons] == ["x/terms/apart"]
    assert found.decide("薇-信").reasons == ()


def test_a_rule_that_allows_is_not_read_into_a_text() -> None:
    allow = {"verdict": "allow", "over": ["x"]}
    found = load(rule(["spam"], id="flag"), rule(["微信"], id="allow", **allow), resist=["homophones"])
    assert found.decide("spam 薇信").verdict == "flagged"
    assert found.decide("spam 微信").verdict == "allowed"
    own = load(rule(["spam"], id="flag"), rule(["微信"], id="allow", resist=["homophones"], **allow))
    assert own.decide("spam 薇信").verdict == "allowed"


def test_an_exception_is_one_only_as_it_is_written() -> None:
    when = {"terms": ["操你妈"], "except": ["草泥马是"]}
    found = load(rule(["x"], when=when), resist=["homophones"])
    assert spans(found, "草泥马是羊驼") == []
    assert [span.text for span in spans(found, "操你妈是谁")] == ["操你妈"]
    assert [span.text for span in spans(found, "曹尼玛")] == ["曹尼玛"]


def test_unless_is_taken_as_it_is_written() -> None:
    found = load(rule(["微信"], unless={"terms": ["支付"]}), resist=["homophones", "separators"])
    assert spans(found, "薇信支付") == []
    assert [span.text for span in spans(found, "薇信支-付")] == ["薇信"]


def test_near_and_count_take_hits_in_disguise() -> None:
    near = {"near": {"of": [{"terms": ["加我"]}, {"terms": ["微信"]}], "within": 4}}
    found = load(rule(["x"], when=near), resist=["homophones", "separators", "splits"])
    assert [span.text for span in spans(found, "扌 加-我 薇信")] == ["加-我", "薇信"]
    assert spans(found, "加我一起去吃饭，薇信") == []
    count = load(rule(["x"], when={"count": {"of": {"terms": ["shit", "fuck"]}, "at_least": 2}}), resist=["leet"])
    assert count.decide("sh1t fu¢k").verdict == "flagged"
    assert count.decide("sh1t").verdict == "allowed"


def test_fields_and_multiple_rows() -> None:
    found = load(rule(["x"], when={"terms": ["微信"], "fields": ["title"]}), resist=["pinyin"])
    decision = found.decide({"title": "加 wei xin", "text": "wei xin"})
    assert [(span.field, span.start, span.end) for span in decision.reasons[0].spans] == [("title", 2, 9)]


def test_hidden_text_is_read_for_all_terms_short_ones_too() -> None:
    found = load(rule(["加"]), rule(["xx yy zz"], id="late"))
    (span,) = spans(found, "\u202e信微加\u202c")
    assert (span.text, span.via) == ("加", ("bidi",))


def test_regexes_resist_nothing() -> None:
    found = load(rule(["x"], when={"regex": "f[uv]ck"}), resist=["leet", "separators"])
    assert spans(found, "f.u.c.k") == []
    assert [span.text for span in spans(found, "fvck")] == ["fvck"]


def test_tricks_are_part_of_the_fingerprint() -> None:
    one, other = load(rule(["微信"])), load(rule(["微信"]), resist=["leet"])
    assert one.fingerprint != other.fingerprint


def test_what_is_searched_is_told() -> None:
    plain, loose = load(rule(["微信"])), load(rule(["微信"]), resist=["homophones", "near-homophones"])
    assert (plain.readings, plain.spellings) == (("folded",), 0)
    assert loose.readings == ("folded", "loose", "sounded", "near")
    assert loose.spellings > 0
    assert loose.explain("x").readings == loose.readings


def test_the_shipped_rules_see_through_what_they_resist(bundled: moderation.Engine) -> None:
    for text in ("傻❤️逼", "sha bi", "臭婊-子", "操ni妈", "加薇❤️信 abc12345 私聊", "y0u f.a.g.g.o.t"):
        assert bundled.decide(text).verdict != "allowed", text
