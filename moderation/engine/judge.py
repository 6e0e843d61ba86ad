"""From evidence to a decision: which rules hold, what they may override, and what stays unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from moderation.decision import LIMIT_EXCEEDED, UNCOVERED, UNKNOWN, Reason, Span, Verdict
from moderation.engine.evidence import Evidence
from moderation.engine.hits import Hit
from moderation.engine.rule import CompiledRule

STRENGTH = {"allow": 0, "flag": 1, "block": 2}
VERDICT_OF: Mapping[str, Verdict] = {"allow": "allowed", "flag": "flagged", "block": "blocked"}
OWN_CATEGORY = "engine"

SpanOf = Callable[[Hit], Span]


class RuleOutcome(msgspec.Struct, frozen=True):
    """A rule that holds (value True) or could not be decided (None), with the hits that speak for it."""

    rule: CompiledRule
    value: bool | None
    hits: tuple[Hit, ...]


class Judgement(msgspec.Struct, frozen=True):
    """A post's verdict and reasons, without what every decision carries anyway."""

    verdict: Verdict = "allowed"
    severity: int = 0
    categories: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    shadow: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()


_NOTHING: frozenset[str] = frozenset()
_ALLOWED = Judgement()


def outcome_of(rule: CompiledRule, evidence: Evidence) -> RuleOutcome | None:
    """The rule's outcome: `when` and not `unless`; None where it does not hold."""
    when = rule.when.evaluate(evidence)
    if when.value is False:
        return None
    unless = rule.unless.evaluate(evidence).value if rule.unless is not None else False
    if unless:
        return None
    return RuleOutcome(rule, None if unless is None else when.value, when.hits)


def judge(outcomes: Sequence[RuleOutcome], own: Sequence[Reason], unknown_verdict: str, span_of: SpanOf) -> Judgement:
    """Weigh a post's rules. `own` are the engine's reasons (limits, coverage), which no rule overrides."""
    if not outcomes:
        return by_itself(tuple(own))
    holding = [outcome for outcome in outcomes if outcome.value and outcome.rule.live]
    unknown = [outcome for outcome in outcomes if outcome.value is None and outcome.rule.live]
    over = _overridden(holding)
    reasons = [_reason(outcome, span_of) for outcome in holding if _stands(outcome.rule, over)]
    reasons += own
    if unknown_verdict == "flag" and all(reason.verdict == "allow" for reason in reasons):
        reasons += _undecided(unknown, over)
    reasons.sort(key=_weight)
    against = [reason for reason in reasons if reason.verdict != "allow"]
    return Judgement(
        VERDICT_OF[against[0].verdict] if against else "allowed",
        max([reason.severity for reason in against], default=0),
        tuple(sorted({reason.category for reason in against})),
        tuple(reasons),
        tuple([_reason(outcome, span_of) for outcome in outcomes if outcome.value and not outcome.rule.live]),
        tuple([outcome.rule.id for outcome in unknown]),
    )


def by_itself(own: tuple[Reason, ...]) -> Judgement:
    """What the engine says where no rule says anything: most posts that are flagged are in an uncovered language."""
    if not own:
        return _ALLOWED
    severity = max([reason.severity for reason in own])
    return Judgement("flagged", severity, (OWN_CATEGORY,), tuple(sorted(own, key=_weight)) if len(own) > 1 else own)


def _overridden(holding: Sequence[RuleOutcome]) -> frozenset[str]:
    """An allow rule takes the flags and blocks of the categories that it is `over`, and nothing else."""
    allowing = [outcome.rule.over for outcome in holding if outcome.rule.verdict == "allow"]
    return frozenset[str]().union(*allowing) if allowing else _NOTHING


def _stands(rule: CompiledRule, over: frozenset[str]) -> bool:
    return rule.verdict == "allow" or rule.category not in over


def _undecided(unknown: Sequence[RuleOutcome], over: frozenset[str]) -> list[Reason]:
    """A reason, if a rule that is unknown would flag or block the post should it hold."""
    if any(outcome.rule.verdict != "allow" and outcome.rule.category not in over for outcome in unknown):
        return [unknown_reason([outcome.rule.id for outcome in unknown])]
    return []


def _weight(reason: Reason) -> tuple[int, int, str]:
    return -STRENGTH[reason.verdict], -reason.severity, reason.rule


def _reason(outcome: RuleOutcome, span_of: SpanOf) -> Reason:
    rule = outcome.rule
    spans = [span_of(hit) for hit in outcome.hits]
    if len(spans) > 1:
        by_place = {_sort_key(span): span for span in spans}
        spans = [by_place[key] for key in sorted(by_place)]
    return Reason(rule.id, rule.verdict, rule.category, rule.severity, dict(rule.message), tuple(spans))


def _sort_key(span: Span) -> tuple[str, int, int, str]:
    return span.field, span.start, span.end, span.term


def limit_reason(limit: int) -> Reason:
    """A post too long to be read whole is never silently allowed."""
    message = {
        "en": f"Longer than {limit} characters: only the beginning was judged",
        "zh": f"超过 {limit} 个字符：只审核了开头部分",
    }
    return Reason(LIMIT_EXCEEDED, "flag", OWN_CATEGORY, 50, message)


@lru_cache(maxsize=1 << 10)
def uncovered_reason(languages: tuple[str, ...]) -> Reason:
    """A post that is mostly in languages that no live pack serves."""
    named = ", ".join(languages)
    message = {"en": f"No rules serve its language: {named}", "zh": f"没有适用于该语言的规则：{named}"}
    return Reason(UNCOVERED, "flag", OWN_CATEGORY, 10, message)


def unknown_reason(rules: Sequence[str]) -> Reason:
    """A post whose verdict hangs on something that could not be known."""
    named = ", ".join(rules)
    message = {"en": f"Could not be decided: {named}", "zh": f"无法判定：{named}"}
    return Reason(UNKNOWN, "flag", OWN_CATEGORY, 50, message)
