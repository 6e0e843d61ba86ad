"""One look at a portion of posts: views, languages and signals for all of them, then post by post the decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, Reason, Segment, Span, Verdict
from moderation.engine.columns import Columns
from moderation.engine.compile import Plan
from moderation.engine.coverage import uncovered_in
from moderation.engine.disguised import Via
from moderation.engine.evidence import Evidence
from moderation.engine.find import Finder
from moderation.engine.gather import Rows, gather
from moderation.engine.hits import Hit, SignalHits
from moderation.engine.judge import RuleOutcome, by_itself, judge, limit_reason, outcome_of, uncovered_reason
from moderation.engine.judged import Judged
from moderation.engine.scores import Scorer, Scores
from moderation.engine.speech import Speech, speech_of
from moderation.evasion.spellings import in_other_digits
from moderation.evasion.tricks import names_of
from moderation.language.detect import Detector
from moderation.text.folding import fold
from moderation.text.lists import Index
from moderation.text.views import View, folded_view, original_view, tricks


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an engine holds: all of it immutable. `beyond` are the languages of the detector that are not `covered`."""

    plan: Plan
    finder: Finder
    detector: Detector
    covered: frozenset[str]
    beyond: NDArray[np.bool_]
    fingerprint: str
    scorer: Scorer | None = None


class Told(NamedTuple):
    """What every decision tells of its post: languages, segments, scores."""

    languages: Mapping[str, float]
    segments: tuple[Segment, ...]
    scores: Mapping[str, float]


class Look(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A portion of posts and all that is known of them. `candidates` are the numbers of the rules to decide by post."""

    compiled: Compiled
    rows: Rows
    views: Mapping[str, View]
    speech: Speech
    scores: Scores | None
    candidates: Mapping[int, list[int]]
    hits: SignalHits

    @classmethod
    def at(cls, compiled: Compiled, posts: Columns, thorough: bool = False) -> Look:
        """Fold, detect, match: columnar over the whole portion. `thorough` keeps hits that decide nothing."""
        plan = compiled.plan
        rows = gather(posts, plan.policy.limits.post_chars)
        views = {"folded": folded_view(rows.batch)}
        if plan.reads_original:
            views["original"] = original_view(rows.batch)
        found = compiled.detector.detect(rows.batch, rows.hints)
        speech = speech_of(found, rows, compiled.beyond)
        scorer = compiled.scorer
        scores = None if scorer is None else scorer.scores(views["folded"], rows, speech)
        hits, chosen = compiled.finder.find(views, rows, speech, scores, thorough)
        return cls(compiled, rows, views, speech, scores, _by_post(*chosen), hits)

    def decisions(self) -> list[Decision]:
        """The portion's decisions, in order. Most have nothing to weigh: they are only written down."""
        ids, told = self.rows.ids, self._tell()
        languages, segments, scores = told
        behind = (_EACH_NO_AUDIENCES, _EACH_NOTHING, repeat(self.compiled.fingerprint))
        decided = list(map(Decision, ids, *_EACH_ALLOWED, languages, segments, _EACH_NOTHING, scores, *behind))
        for post in self._weighed().tolist():
            decided[post] = self.decision(post, Told(languages[post], segments[post], scores[post]))
        return decided

    def judged(self) -> Judged:
        """The portion's decisions as columns."""
        rows, engine, at = self.rows, self.compiled.fingerprint, self._weighed()
        told = [self.decision(post, Told(*each)) for post, *each in zip(at.tolist(), *self._tell(at), strict=True)]
        scores = self.scores
        known, table = ((), np.zeros((len(rows), 0))) if scores is None else (scores.categories, scores.table)
        return Judged(rows.ids, self.speech.of(), known, table, at, told, engine)

    def _weighed(self) -> Index:
        """The posts that there may be anything to say of."""
        found = self.speech.uncovered
        if self.candidates or self.rows.truncated:
            found = found.copy()
            found[[*self.candidates, *self.rows.truncated]] = True
        return found.nonzero()[0]

    def decision(self, post: int, told: Told | None = None) -> Decision:
        """One post's decision; `told` is what is told of it, if that is known."""
        told = told or self.told(post)
        uncovered, share = uncovered_in(told.languages, self.compiled.covered) if self.speech.uncovered[post] else _ALL
        own = self._own_reasons(post, uncovered, share)
        if post in self.candidates:
            judged = judge(self.outcomes(post, told), own, self.compiled.plan.policy.unknown, self.span_of)
        else:
            judged = by_itself(own)
        return Decision(
            self.rows.ids[post],
            judged.verdict,
            judged.severity,
            judged.categories,
            judged.reasons,
            judged.shadow,
            told.languages,
            told.segments,
            uncovered,
            told.scores,
            _NO_AUDIENCES,
            judged.unknown,
            self.compiled.fingerprint,
        )

    def outcomes(self, post: int, told: Told | None = None) -> list[RuleOutcome]:
        """The rules that hold or are unknown for a post, in the order of their ids."""
        numbers = self.candidates.get(post)
        if not numbers:
            return []
        evidence, rules = self.evidence(post, told), self.compiled.plan.rules
        found = [outcome_of(rules[number], evidence) for number in numbers]
        return [outcome for outcome in found if outcome is not None]

    def all_outcomes(self) -> list[list[RuleOutcome]]:
        """The same, by post."""
        return list(map(self.outcomes, range(len(self.rows))))

    def evidence(self, post: int, told: Told | None = None) -> Evidence:
        """Everything that the post's rules may ask for."""
        unknown = self.hits.unknown.get(post, _NONE)
        languages, _, scores = told or self.told(post)
        attributes = self.rows.attributes[post]
        return Evidence(self.hits.of_post(post), unknown, attributes, languages, self._matched, scores)

    def told(self, post: int) -> Told:
        """What is told of a post."""
        return Told(*(column[0] for column in self._tell(np.array([post]))))

    def _tell(self, posts: Index | None = None) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
        """The same of all or many, as columns."""
        scores, said = self.scores, self.speech.of(posts)
        scored = [_NO_SCORES] * len(said) if scores is None else scores.plain(posts)
        return said.languages(), said.segments(), scored

    def span_of(self, found: Hit) -> Span:
        """A hit as it stands in a decision: the field, the author's own text, the term, the folds that it took."""
        row, start, end, rows = found.row, found.original_start, found.original_end, self.rows
        view = self.compiled.plan.view_of[found.signal]
        via = self._disguise(found) if view.name == "folded" else None
        if via is not None and via.original is not None:
            start, end = via.original
        text = rows.batch.texts[row][start:end]
        term = view.spelled_by(found.pattern, found.signal)
        written_so = text == term or view.name != "folded"
        folds = () if written_so or text.isascii() else tricks(text)
        if via is None and not written_so and (others := _in_other_digits(term)) and self._matched(found) in others:
            folds += ("digits",)
        return Span(rows.fields[row], start, end, text, term, folds + (names_of(via.mask) if via is not None else ()))

    def _disguise(self, found: Hit) -> Via | None:
        return self.hits.disguised.get((found.row, found.pattern, found.start, found.end))

    def _matched(self, found: Hit) -> str:
        view = self.views[self.compiled.plan.view_of[found.signal].name]
        base = int(view.starts[found.row])
        return view.text[base + found.start : base + found.end]

    def _own_reasons(self, post: int, uncovered: tuple[str, ...], share: float) -> tuple[Reason, ...]:
        policy = self.compiled.plan.policy
        known = uncovered and policy.uncovered.verdict == "flag" and share >= policy.uncovered.share
        own = (uncovered_reason(uncovered),) if known else ()
        return own if post not in self.rows.truncated else (limit_reason(policy.limits.post_chars), *own)


@lru_cache(maxsize=1 << 12)
def _in_other_digits(term: str) -> tuple[str, ...]:
    return tuple(in_other_digits(fold(term)))


def _by_post(post: Index, rule: Index) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for owner, number in zip(post.tolist(), rule.tolist(), strict=True):
        found.setdefault(owner, []).append(number)
    return found


_NONE: frozenset[int] = frozenset()
_NO_SCORES: Mapping[str, float] = {}
_NO_AUDIENCES: Mapping[str, Verdict] = {}
_EACH_NO_AUDIENCES, _EACH_NOTHING = repeat(_NO_AUDIENCES), repeat(())
_EACH_ALLOWED = (repeat("allowed"), repeat(0), _EACH_NOTHING, _EACH_NOTHING, _EACH_NOTHING)
_ALL: tuple[tuple[str, ...], float] = ((), 0.0)
