"""How a decision came about: every rule that was looked at, condition by condition."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from moderation.decision import Decision, Span
from moderation.engine.conditions import Classifier, Condition
from moderation.engine.evidence import Evidence
from moderation.engine.judge import outcome_of
from moderation.engine.look import Look
from moderation.engine.pushes import ScoreTrace, score_traces
from moderation.engine.rule import CompiledRule
from moderation.post import Post


@dataclass(frozen=True, slots=True)
class NodeTrace:
    """A condition: its kind, one line that describes it, whether it holds (None: unknown), and where it hit."""

    kind: str
    label: str
    value: bool | None
    spans: tuple[Span, ...]
    children: tuple[NodeTrace, ...]


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """A rule that was looked at; `value` is whether it holds: `when` and not `unless`."""

    rule: str
    verdict: str
    mode: str
    category: str
    severity: int
    value: bool | None
    when: NodeTrace
    unless: NodeTrace | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and how it came about. `folded` pairs each text field with its folded text; of `rules_total` live and
    shadow rules, `rules` are those for which all that they need fired, and those that were asked for. `readings` are
    those of the text that were searched at most, `spellings` how many of terms were looked for in loose ones;
    `scores` are the classifier's, with what pushed them.
    """

    post: Post
    decision: Decision
    folded: tuple[tuple[str, str], ...]
    rules: tuple[RuleTrace, ...]
    rules_total: int
    readings: tuple[str, ...]
    spellings: int
    scores: tuple[ScoreTrace, ...] = ()


def explain(post: Post, look: Look, wanted: Collection[str] = ()) -> Explanation:
    """Trace a look at exactly one post: the same evaluation that decided it, told node by node.

    `wanted` are rules to trace even if nothing fired for them. Raises KeyError for one that is not live or in shadow.
    """
    evidence = look.evidence(0)
    rules = look.compiled.plan.rules
    number = {rule.id: index for index, rule in enumerate(rules)}
    traced = sorted({*look.candidates.get(0, ()), *(number[name] for name in wanted)})
    folded = look.views["folded"]
    return Explanation(
        post,
        look.decision(0),
        tuple((name, folded.row_text(row)) for row, name in enumerate(look.rows.fields)),
        tuple(_trace_rule(rules[index], evidence, look) for index in traced),
        len(rules),
        look.compiled.plan.readings,
        look.compiled.plan.spellings,
        score_traces(look),
    )


def _trace_rule(rule: CompiledRule, evidence: Evidence, look: Look) -> RuleTrace:
    outcome = outcome_of(rule, evidence)
    return RuleTrace(
        rule.id,
        rule.verdict,
        "live" if rule.live else "shadow",
        rule.category,
        rule.severity,
        False if outcome is None else outcome.value,
        _trace(rule.when, evidence, look),
        None if rule.unless is None else _trace(rule.unless, evidence, look),
    )


def _trace(condition: Condition, evidence: Evidence, look: Look) -> NodeTrace:
    outcome = condition.evaluate(evidence)
    label = condition.label
    if isinstance(condition, Classifier):
        score = evidence.scores.get(condition.category)
        label += " (no score)" if score is None else f" ({score:.4f})"
    return NodeTrace(
        condition.kind,
        label,
        outcome.value,
        tuple(look.span_of(found) for found in outcome.hits),
        tuple(_trace(child, evidence, look) for child in condition.children),
    )
