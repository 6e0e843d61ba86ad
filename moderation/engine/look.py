"""One look at a portion of posts: views, languages and signals for all of them, then post by post the decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, Reason, Span
from moderation.engine.candidates import Triggers, candidates
from moderation.engine.compile import Plan
from moderation.engine.coverage import uncovered_in
from moderation.engine.evidence import Evidence, Hit, SignalHit
from moderation.engine.gather import Rows, gather
from moderation.engine.judge import RuleOutcome, judge, limit_reason, outcome_of, uncovered_reason
from moderation.engine.resolve import SignalColumns, SignalHits, resolve
from moderation.engine.speech import Speech, speech_of
from moderation.language.detect import Detector
from moderation.post import Post
from moderation.text.views import View, folded_view, original_view, tricks


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an engine holds: all of it immutable."""

    plan: Plan
    columns: SignalColumns
    triggers: Triggers
    detector: Detector
    covered: frozenset[str]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Look:
    """A portion of posts and all that is known of them; `hits` by post and signal, for posts with candidates."""

    compiled: Compiled
    rows: Rows
    views: Mapping[str, View]
    speech: Speech
    candidates: Mapping[int, list[int]]
    hits: Mapping[int, Mapping[int, list[Hit]]]
    unknown: frozenset[tuple[int, int]]

    @classmethod
    def at(cls, compiled: Compiled, posts: Sequence[Post]) -> Look:
        """Fold, detect, match: columnar over the whole portion."""
        plan = compiled.plan
        rows = gather(posts, plan.policy.limits.post_chars)
        views = {"folded": folded_view(rows.batch)}
        if any(view.name == "original" for view in plan.views):
            views["original"] = original_view(rows.batch)
        speech = speech_of(compiled.detector.detect(rows.batch, rows.hints), rows, compiled.covered)
        found = resolve([(view, views[view.name]) for view in plan.views], compiled.columns, rows)
        chosen = candidates(plan.rules, compiled.triggers, found, rows, speech.languages)
        return cls(compiled, rows, views, speech, chosen, _hits_of(found, chosen), found.unknown)

    def decisions(self) -> Iterator[Decision]:
        """The portion's decisions, in order. Most posts have nothing to weigh: they skip the weighing."""
        engine = self.compiled.fingerprint
        columns = (self._plain().tolist(), self.rows.ids, self.speech.languages, self.speech.segments)
        for post, (plain, id, languages, segments) in enumerate(zip(*columns, strict=True)):
            if plain:
                yield Decision(id, "allowed", 0, (), (), (), languages, segments, (), {}, {}, (), engine)
            else:
                yield self.decision(post)

    def _plain(self) -> NDArray[np.bool_]:
        """Posts without candidates, of covered languages only, that were read whole."""
        plain = self.speech.covered.copy()
        plain[list(self.candidates)] = False
        plain[list(self.rows.truncated)] = False
        return plain

    def decision(self, post: int) -> Decision:
        """One post's decision."""
        languages = self.speech.languages[post]
        uncovered, share = uncovered_in(languages, self.compiled.covered)
        outcomes = self.outcomes(post) if post in self.candidates else []
        own = self._own_reasons(post, uncovered, share)
        judged = judge(outcomes, own, self.compiled.plan.policy.unknown, self.span_of)
        return Decision(
            self.rows.ids[post],
            judged.verdict,
            judged.severity,
            judged.categories,
            judged.reasons,
            judged.shadow,
            languages,
            self.speech.segments[post],
            uncovered,
            {},
            {},
            judged.unknown,
            self.compiled.fingerprint,
        )

    def outcomes(self, post: int) -> list[RuleOutcome]:
        """The rules that hold or are unknown for a post, in the order of their ids."""
        evidence = self.evidence(post)
        rules = self.compiled.plan.rules
        found = (outcome_of(rules[number], evidence) for number in self.candidates.get(post, ()))
        return [outcome for outcome in found if outcome is not None]

    def evidence(self, post: int) -> Evidence:
        """Everything that the post's rules may ask for."""
        unknown = frozenset(signal for owner, signal in self.unknown if owner == post)
        languages = self.speech.languages[post]
        return Evidence(self.hits.get(post, {}), unknown, self.rows.attributes[post], languages, self._matched)

    def span_of(self, found: SignalHit) -> Span:
        """A hit as it stands in a decision: the field, the author's own text, the term, the folds that it took."""
        (row, _, _, start, end, pattern), rows = found.hit, self.rows
        view = self.compiled.plan.view_of(found.signal)
        text = rows.batch.texts[row][start:end]
        term = view.spelling(pattern, found.signal)
        written_so = text == term or view.name != "folded"
        via = () if written_so else tricks(rows.batch, row, start, end)
        return Span(rows.fields[row], start, end, text, term, via)

    def _matched(self, found: SignalHit) -> str:
        view = self.views[self.compiled.plan.view_of(found.signal).name]
        base = int(view.starts[found.hit.row])
        return view.codes[base + found.hit.start : base + found.hit.end].tobytes().decode("utf-32-le", "surrogatepass")

    def _own_reasons(self, post: int, uncovered: tuple[str, ...], share: float) -> list[Reason]:
        policy = self.compiled.plan.policy
        own = []
        if post in self.rows.truncated:
            own.append(limit_reason(policy.limits.post_chars))
        if uncovered and policy.uncovered.verdict == "flag" and share >= policy.uncovered.share:
            own.append(uncovered_reason(uncovered))
        return own


def _hits_of(found: SignalHits, chosen: Mapping[int, list[int]]) -> dict[int, dict[int, list[Hit]]]:
    """Hits by post and signal, for the posts that have candidates: what no rule asks for is never made an object."""
    if not chosen:
        return {}
    wanted = np.flatnonzero(np.isin(found.post, np.fromiter(chosen, np.int64, len(chosen))))
    columns = (found.row, found.start, found.end, found.original_start, found.original_end, found.pattern)
    hits = map(Hit._make, zip(*(column[wanted].tolist() for column in columns), strict=True))
    grouped: dict[int, dict[int, list[Hit]]] = {}
    for post, signal, hit in zip(found.post[wanted].tolist(), found.signal[wanted].tolist(), hits, strict=True):
        grouped.setdefault(post, {}).setdefault(signal, []).append(hit)
    return grouped
