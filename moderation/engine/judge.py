"""From evidence to a decision: which rules hold, what they may override, and what stays unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from moderation.decision import LIMIT_EXCEEDED, UNCOVERED, UNKNOWN, Reason, Span, Verdict
from moderation.engine.evidence import Evidence
from moderation.engine.hits import SignalHit
from moderation.engine.rule import CompiledRule

STRENGTH = {"allow": 0, "flag": 1, "block": 2}
VERDICT_OF: Mapping[str, Verdict] = {"allow": "allowed", "flag": "flagged", "block": "blocked"}
OWN_CATEGORY = "engine"

SpanOf = Callable[[SignalHit], Span]


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """A rule that holds (value True) or could not be decided (None), with the hits that speak for it."""

    rule: CompiledRule
    value: bool | None
    hits: tuple[SignalHit, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A post's verdict and reasons, without what every decision carries anyway."""

    verdict: Verdict = "allowed"
    severity: int = 0
    categories: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    shadow: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()


NOTHING = Judgement()


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
    if not outcomes and not own:
        return NOTHING
    live = [outcome for outcome in outcomes if outcome.rule.live]
    standing = _not_overridden([outcome for outcome in live if outcome.value])
    reasons = [_reason(outcome, span_of) for outcome in standing] + list(own)
    unknown = [outcome for outcome in live if outcome.value is None]
    verdict = max((reason.verdict for reason in reasons), key=STRENGTH.__getitem__, default="allow")
    if unknown_verdict == "flag" and verdict == "allow" and _could_change(unknown, standing):
        reasons.append(unknown_reason([outcome.rule.id for outcome in unknown]))
        verdict = "flag"
    reasons.sort(key=lambda reason: (-STRENGTH[reason.verdict], -reason.severity, reason.rule))
    against = [reason for reason in reasons if reason.verdict != "allow"]
    return Judgement(
        VERDICT_OF[verdict],
        max((reason.severity for reason in against), default=0),
        tuple(sorted({reason.category for reason in against})),
        tuple(reasons),
        tuple(_reason(outcome, span_of) for outcome in outcomes if outcome.value and not outcome.rule.live),
        tuple(outcome.rule.id for outcome in unknown),
    )


def _not_overridden(holding: Sequence[RuleOutcome]) -> list[RuleOutcome]:
    """An allow rule takes the flags and blocks of the categories that it is `over`, and nothing else."""
    over = _overridden(holding)
    return [item for item in holding if item.rule.verdict == "allow" or item.rule.category not in over]


def _overridden(holding: Sequence[RuleOutcome]) -> frozenset[str]:
    return frozenset[str]().union(*(item.rule.over for item in holding if item.rule.verdict == "allow"))


def _could_change(unknown: Sequence[RuleOutcome], standing: Sequence[RuleOutcome]) -> bool:
    """Whether any undecided rule would make an allowed post flagged or blocked."""
    over = _overridden(standing)
    return any(item.rule.verdict != "allow" and item.rule.category not in over for item in unknown)


def _reason(outcome: RuleOutcome, span_of: SpanOf) -> Reason:
    rule = outcome.rule
    spans = sorted({_sort_key(span): span for span in map(span_of, outcome.hits)}.items())
    return Reason(
        rule.id,
        rule.verdict,  # type: ignore[arg-type]
        rule.category,
        rule.severity,
        dict(rule.message),
        tuple(span for _, span in spans),
    )


def _sort_key(span: Span) -> tuple[str, int, int, str]:
    return span.field, span.start, span.end, span.term


def limit_reason(limit: int) -> Reason:
    """A post too long to be read whole is never silently allowed."""
    message = {
        "en": f"Longer than {limit} characters: only the beginning was judged",
        "zh": f"超过 {limit} 个字符：只审核了开头部分",
    }
    return Reason(LIMIT_EXCEEDED, "flag", OWN_CATEGORY, 50, message)


def uncovered_reason(languages: Sequence[str]) -> Reason:
    """A post that is mostly in languages that no live pack serves."""
    named = ", ".join(languages)
    message = {"en": f"No rules serve its language: {named}", "zh": f"没有适用于该语言的规则：{named}"}
    return Reason(UNCOVERED, "flag", OWN_CATEGORY, 10, message)


def unknown_reason(rules: Sequence[str]) -> Reason:
    """A post whose verdict hangs on something that could not be known."""
    named = ", ".join(rules)
    message = {"en": f"Could not be decided: {named}", "zh": f"无法判定：{named}"}
    return Reason(UNKNOWN, "flag", OWN_CATEGORY, 50, message)
