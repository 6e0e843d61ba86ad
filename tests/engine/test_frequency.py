"""How often signals are expected to fire: told for all at once, and in a sensible order."""

from __future__ import annotations

from moderation.engine.frequency import costs_of
from moderation.engine.signals import ALL_SCRIPTS, Look, Signal


def signal(*looks: Look) -> Signal:
    return Signal("folded", looks, (), "script", None, ALL_SCRIPTS)


def term(text: str) -> Look:
    return Look("term", text, text)


def regex(pattern: str) -> Look:
    return Look("regex", pattern, pattern)


def test_what_is_common_comes_before_what_is_rare() -> None:
    ordered = [regex("a|b"), regex("[a-z]{9}"), term("the"), term("我"), term("call"), term("zxqj"), regex("[0-9]{11}")]
    costs = costs_of([signal(look) for look in ordered])
    assert sorted(costs, reverse=True) == list(costs)
    assert len(set(costs)) == len(costs)


def test_a_signal_is_as_frequent_as_all_its_looks() -> None:
    looks = [term("call"), term("call me"), term("微信"), term("我们"), term("加微信"), regex("[0-9]{3}"), term("vx")]
    alone = costs_of([signal(look) for look in looks])
    assert costs_of([signal(*looks)]) == (sum(alone),)


def test_a_term_is_not_taken_for_a_regex_of_the_same_letters() -> None:
    first, second = costs_of([signal(term("abc")), signal(regex("abc"))])
    assert first < 1 < second


def test_the_formula_of_terms() -> None:
    costs = costs_of([signal(term(text)) for text in ("我", "鑫鑫", "我鑫", "zq")])
    assert costs == (1 / 11, 2.0**-18, 2.0**-9 / 11, 2.0**-8)


def test_nothing_is_looked_for() -> None:
    assert costs_of([]) == ()
    assert costs_of([signal()]) == (0,)
