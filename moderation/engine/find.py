"""What stands in posts, and which rules it concerns: terms first, then regexes where a rule hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from moderation.engine.candidates import Fired, Glance, Mask
from moderation.engine.compile import Plan
from moderation.engine.conditions import Condition
from moderation.engine.disguised import Disguised, look_everywhere, look_on_demand
from moderation.engine.enough import Asked, asked_often, enough
from moderation.engine.gather import Rows
from moderation.engine.hits import NOTHING_HIT, SignalHits
from moderation.engine.interest import ALL_RULES, Interest, by_post
from moderation.engine.nearby import Nearby
from moderation.engine.needs import Needs, signals_of
from moderation.engine.resolve import Counting, Entries, without_excepted
from moderation.engine.scores import Scores
from moderation.engine.signals import ViewPlan, regex_signals
from moderation.engine.speech import Speech
from moderation.signals.matcher import NO_PAIRS, Bits, Pairs, Wanted
from moderation.text.lists import Index, Lists, distinct, held_in
from moderation.text.views import View

_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds hits and candidates, in three rounds: what is looked for everywhere; then, where that leaves a rule in
    question, terms on demand; then, where they still do, regexes on demand.

    The first two `needs` tell which rules are in question after the first two rounds, the third which are candidates,
    the last what there is to tell of: rules whose words all stand there, though not near each other.
    `signals` are those that a rule asks for, `interest` tells whose business a hit is, `regexes` are those signals that
    are regexes, `resisting` tells by rule whether any of its terms resists a trick, `often` by view the regexes of
    which several hits are asked for.
    """

    plan: Plan
    counting: tuple[Counting, ...]
    needs: tuple[Needs, Needs, Needs, Needs]
    nearby: Nearby
    signals: Lists
    interest: Interest
    regexes: Lists
    resisting: Mask
    often: tuple[tuple[Asked, ...], ...]

    @classmethod
    def of(cls, plan: Plan) -> Finder:
        """The tables for a plan."""
        sought = regex_signals(plan.signals)
        untold = (plan.demanded, plan.demanded & sought.keys(), _NONE, _NONE)
        nearby = Nearby.of(plan.rules, plan.signals)
        near: tuple[Mapping[Condition, int], ...] = ({}, nearby.numbers, nearby.numbers, {})
        first, second, last, thorough = (
            Needs.of(plan.rules, plan.costs, unknown, whole) for unknown, whole in zip(untold, near, strict=True)
        )
        asked = [sorted({*signals_of((rule.when, rule.unless))}) for rule in plan.rules]
        signals = Lists.of(asked)
        return cls(
            plan,
            tuple(Counting.of(view, plan.signals) for view in plan.views),
            (first, second, last, thorough),
            nearby,
            signals,
            Interest.of(signals, len(plan.signals), plan.views),
            Lists.of(sorted(sought.keys() & each) for each in asked),
            np.array([any(plan.signals[n].resist for n in signals_of((rule.when,))) for rule in plan.rules], np.bool_),
            tuple(asked_often(view, plan.rules) for view in plan.views),
        )

    def find(
        self,
        views: Mapping[str, View],
        rows: Rows,
        speech: Speech,
        scores: Scores | None,
        thorough: bool = False,
    ) -> tuple[SignalHits, tuple[Index, Index]]:
        """Hits, and the (post, rule) pairs to be decided. Hits that no such rule hangs on are left out, unless
        `thorough`.
        """
        glance = Glance(rows, speech, scores)
        looks = [
            _ViewLook.at(counting, views[counting.plan.name], rows, () if thorough else often)
            for counting, often in zip(self.counting, self.often, strict=True)
        ]
        everything = self._all_pairs(rows) if thorough else None
        wanted = everything or self._in_question(looks, self.needs[0], rows, glance)
        if not len(wanted[0]):
            return NOTHING_HIT, wanted
        bits = self._bits(wanted, rows, thorough)
        by_row = bits[rows.owner]
        loosely = _mask(wanted[0][self.resisting[wanted[1]]], len(rows))[rows.owner].nonzero()[0]
        looks = [
            look.with_late_terms(self.interest.signal, bits, Wanted(patterns, by_row & late), loosely, rows)
            for look, patterns, late in zip(looks, self.interest.patterns, self.interest.late, strict=True)
        ]
        near = self.nearby.fired([look.terms for look in looks], rows)
        wanted = everything or self._in_question(looks, self.needs[1], rows, glance, near)
        if not len(wanted[0]):
            return NOTHING_HIT, wanted
        return self._settle(looks, near, wanted, rows, glance, thorough)

    def _in_question(
        self,
        looks: Sequence[_ViewLook],
        needs: Needs,
        rows: Rows,
        glance: Glance,
        near: tuple[Index, Index] | None = None,
    ) -> tuple[Index, Index]:
        fired = _fired([*(pair for look in looks for pair in look.fired(rows)), *([near] if near else [])])
        return glance.candidates(needs, fired)

    def _settle(
        self,
        looks: Sequence[_ViewLook],
        near: tuple[Index, Index],
        wanted: tuple[Index, Index],
        rows: Rows,
        glance: Glance,
        thorough: bool,
    ) -> tuple[SignalHits, tuple[Index, Index]]:
        """Try the regexes that rules in question hang on, take exceptions off, and see what is left."""
        asked, bits = self._asked(self.regexes, *wanted), self._bits(wanted, rows, thorough)
        signals = len(self.plan.signals)
        parts: list[tuple[View, Entries]] = []
        unknown: set[tuple[int, int]] = set()
        excepted = False
        for look in looks:
            entries, missing = look.confirmed(asked, self.interest.signal, bits, rows)
            excepted |= entries.excepting.shape[1] > 0
            parts.append((look.view, without_excepted(entries, signals)))
            unknown |= missing
        if excepted and not thorough:
            near = self.nearby.fired([entries for _, entries in parts], rows)
        standing = [(entries.post, entries.signal) for _, entries in parts]
        fired = _fired(standing if thorough else [*standing, near], sorted(unknown))
        chosen = glance.candidates(self.needs[3 if thorough else 2], fired)
        if not thorough:
            asked = self._asked(self.signals, *chosen)
            parts = [(view, entries.among(asked, signals)) for view, entries in parts]
        disguised = {key: via for look in looks for key, via in look.disguised.found.items()}
        return SignalHits.of(parts, unknown, disguised), chosen

    def _all_pairs(self, rows: Rows) -> tuple[Index, Index]:
        rules = len(self.plan.rules)
        return np.repeat(np.arange(len(rows)), rules), np.tile(np.arange(rules), len(rows))

    def _bits(self, wanted: tuple[Index, Index], rows: Rows, thorough: bool) -> Bits:
        return np.full(len(rows), ALL_RULES) if thorough else by_post(*wanted, len(rows))

    def _asked(self, signals: Lists, post: Index, rule: Index) -> Index:
        """Of `signals` by rule, what candidates ask for, as sorted keys: post * signals + signal."""
        at, signal = signals.at(rule)
        return distinct(post[at] * len(self.plan.signals) + signal)


class _ViewLook(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One view's term hits, and where its regexes may match."""

    counting: Counting
    view: View
    terms: Entries
    possible: Pairs
    disguised: Disguised

    @classmethod
    def at(cls, counting: Counting, view: View, rows: Rows, often: Sequence[Asked]) -> _ViewLook:
        plan = counting.plan
        disguised = look_everywhere(plan, view)
        terms = counting.entries_of(view, rows, *disguised.beside(plan.matcher.terms(view)))
        return cls(counting, view, terms, enough(often, plan.matcher.possible(view), view, rows), disguised)

    @property
    def plan(self) -> ViewPlan:
        return self.counting.plan

    def with_late_terms(self, signals: Bits, bits: Bits, wanted: Wanted, loosely: Index, rows: Rows) -> _ViewLook:
        """The same, and the hits of terms on demand that are wanted, in disguise too where a rule resists any. What no
        rule of a post's `bits` asks for is left out.
        """
        late = self.plan.matcher.terms_in(self.view, wanted.rows.nonzero()[0], wanted)
        disguised = look_on_demand(self.plan, self.view, loosely, self.disguised)
        terms = self.counting.entries_of(self.view, rows, *disguised.beside(late))
        disguised.found.update(self.disguised.found)
        terms = self.terms.beside(terms).asked_by(bits, signals)
        return _ViewLook(self.counting, self.view, terms, self.possible, disguised)

    def fired(self, rows: Rows) -> list[tuple[Index, Index]]:
        """(post, signal) of all that stands there or may."""
        hits = self.terms.hits
        found = [(hits[5], hits[4])] if hits.shape[1] else []
        if self.possible.shape[1]:
            hit, entry = self.plan.entries.entries(self.possible[1])
            found.append((rows.owner[self.possible[0, hit]], self.plan.signal[entry]))
        return found

    def confirmed(self, asked: Index, signals: Bits, bits: Bits, rows: Rows) -> tuple[Entries, set[tuple[int, int]]]:
        """Hits that a rule of a post's `bits` asks for: of terms, and of the regexes that were asked for; (post,
        signal) of those whose time ran out.
        """
        terms = self.terms.asked_by(bits, signals)
        pairs = self._asked_for(asked, len(signals), rows)
        if not pairs.shape[1]:
            return terms, set()
        hits, timeouts = self.plan.matcher.confirm(self.view, pairs)
        unknown = {
            (int(rows.owner[row]), signal) for row, pattern in timeouts for signal in self.plan.signals_of(pattern)
        }
        return terms.beside(self.counting.entries_of(self.view, rows, hits)), unknown

    def _asked_for(self, asked: Index, signals: int, rows: Rows) -> Pairs:
        """The (row, pattern) pairs to try: all rows of a post, but where a prefilter has ruled the regex out."""
        patterns = len(self.plan.late)
        post, pattern = asked // signals, self.plan.regex_of[asked % signals]
        post, pattern = post[pattern >= 0], pattern[pattern >= 0]
        if not len(post):
            return NO_PAIRS
        at, row = rows.of_posts.at(post)
        keys = distinct(row * patterns + pattern[at])
        possible = self.possible[0] * patterns + self.possible[1]
        keys = keys[self.plan.late[keys % patterns] | held_in(keys, possible)]
        return np.array(np.divmod(keys, patterns))


def _fired(pairs: Sequence[tuple[Index, Index]], unknown: Sequence[tuple[int, int]] = ()) -> Fired:
    if unknown:
        post, signal = np.array(unknown, np.int64).T
        pairs = [(post, signal), *pairs]
    if len(pairs) == 1:
        return Fired(*pairs[0])
    return Fired(*map(np.concatenate, zip(*pairs, strict=True))) if pairs else _NONE_FIRED


def _mask(posts: Index, count: int) -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[posts] = True
    return mask


_NONE_FIRED = Fired(NO_PAIRS[0], NO_PAIRS[1])
