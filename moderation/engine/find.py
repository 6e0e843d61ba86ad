"""What stands in posts, and which rules it concerns: terms first, then regexes where a rule hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from moderation.engine.candidates import Fired, Glance, Mask
from moderation.engine.compile import Plan
from moderation.engine.conditions import Condition
from moderation.engine.disguised import Disguised, look_everywhere, look_on_demand
from moderation.engine.gather import Rows
from moderation.engine.hits import NOTHING_HIT, SignalHits
from moderation.engine.nearby import Nearby
from moderation.engine.needs import Needs, signals_of
from moderation.engine.resolve import Entries, SignalColumns, entries_of, without_excepted
from moderation.engine.signals import ViewPlan, regex_signals
from moderation.engine.speech import Speech
from moderation.signals.matcher import NO_PAIRS, Pairs
from moderation.text.lists import Index, Lists, distinct, held_in
from moderation.text.views import View

_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds hits and candidates, in three rounds: what is looked for everywhere; then, where that leaves a rule in
    question, terms on demand; then, where they still do, regexes on demand.

    The first two `needs` tell which rules are in question after the first two rounds, the third which are candidates,
    the last what there is to tell of: rules whose words all stand there, though not near each other.
    `regexes` are the signals by rule that are regexes, `resisting` tells by rule whether any of its terms resists a
    trick.
    """

    plan: Plan
    columns: SignalColumns
    needs: tuple[Needs, Needs, Needs, Needs]
    nearby: Nearby
    regexes: Lists
    resisting: Mask

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
        return cls(
            plan,
            SignalColumns.of(plan.signals),
            (first, second, last, thorough),
            nearby,
            Lists.of(sorted(sought.keys() & signals_of((rule.when, rule.unless))) for rule in plan.rules),
            np.array([any(plan.signals[n].resist for n in signals_of((rule.when,))) for rule in plan.rules], np.bool_),
        )

    def find(
        self, views: Mapping[str, View], rows: Rows, speech: Speech, thorough: bool = False
    ) -> tuple[SignalHits, tuple[Index, Index]]:
        """Hits, and the (post, rule) pairs to be decided. Hits that no such rule hangs on are left out, unless
        `thorough`.
        """
        glance = Glance(rows, speech)
        looks = [_ViewLook.at(plan, views[plan.name], self.columns, rows) for plan in self.plan.views]
        everything = self._all_pairs(rows) if thorough else None
        wanted = everything or self._in_question(looks, self.needs[0], rows, glance)
        if not len(wanted[0]):
            return NOTHING_HIT, wanted
        concerned = _mask(wanted[0], len(rows))
        resisting = _mask(wanted[0][self.resisting[wanted[1]]], len(rows))
        looks = [look.with_late_terms(concerned, resisting, self.columns, rows) for look in looks]
        near = self.nearby.fired(wanted[1], [look.terms for look in looks], rows)
        wanted = everything or self._in_question(looks, self.needs[1], rows, glance, near)
        if not len(wanted[0]):
            return NOTHING_HIT, wanted
        return self._settle(looks, wanted, rows, glance, thorough)

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
        self, looks: Sequence[_ViewLook], wanted: tuple[Index, Index], rows: Rows, glance: Glance, thorough: bool
    ) -> tuple[SignalHits, tuple[Index, Index]]:
        """Try the regexes that rules in question hang on, take exceptions off, and see what is left."""
        asked, concerned = self._asked(*wanted), _mask(wanted[0], len(rows))
        signals = len(self.plan.signals)
        parts: list[tuple[View, Entries]] = []
        unknown: set[tuple[int, int]] = set()
        for look in looks:
            entries, missing = look.confirmed(asked, concerned, signals, self.columns, rows)
            parts.append((look.view, without_excepted(entries, signals)))
            unknown |= missing
        near = [] if thorough else [self.nearby.fired(wanted[1], [entries for _, entries in parts], rows)]
        fired = _fired([*((entries.post, entries.signal) for _, entries in parts), *near], sorted(unknown))
        chosen = glance.candidates(self.needs[3 if thorough else 2], fired)
        if not thorough:
            decided = _mask(chosen[0], len(rows))
            parts = [(view, entries.where(decided[entries.post])) for view, entries in parts]
        disguised = {key: via for look in looks for key, via in look.disguised.found.items()}
        return SignalHits.of(parts, unknown, signals, disguised), chosen

    def _all_pairs(self, rows: Rows) -> tuple[Index, Index]:
        rules = len(self.plan.rules)
        return np.repeat(np.arange(len(rows)), rules), np.tile(np.arange(rules), len(rows))

    def _asked(self, post: Index, rule: Index) -> Index:
        """The regexes that candidates ask for, as sorted keys: post * signals + signal."""
        at, signal = self.regexes.at(rule)
        return distinct(post[at] * len(self.plan.signals) + signal)


@dataclass(frozen=True, slots=True)
class _ViewLook:
    """One view's term hits, and where its regexes may match."""

    plan: ViewPlan
    view: View
    terms: Entries
    possible: Pairs
    disguised: Disguised

    @classmethod
    def at(cls, plan: ViewPlan, view: View, columns: SignalColumns, rows: Rows) -> _ViewLook:
        disguised = look_everywhere(plan, view)
        terms = entries_of(plan, view, columns, rows, *disguised.beside(plan.matcher.terms(view)))
        return cls(plan, view, terms, plan.matcher.possible(view), disguised)

    def with_late_terms(self, concerned: Mask, resisting: Mask, columns: SignalColumns, rows: Rows) -> _ViewLook:
        """The same, and the hits of terms on demand in the posts that are concerned, in disguise too where a rule
        resists any; those of others are left out.
        """
        asked = concerned[rows.owner].nonzero()[0]
        late = self.plan.matcher.terms_in(self.view, asked)
        loosely = resisting[rows.owner].nonzero()[0]
        disguised = look_on_demand(self.plan, self.view, loosely, self.disguised)
        terms = entries_of(self.plan, self.view, columns, rows, *disguised.beside(late))
        disguised.found.update(self.disguised.found)
        return replace(self, terms=self.terms.where(concerned[self.terms.post]).beside(terms), disguised=disguised)

    def fired(self, rows: Rows) -> list[tuple[Index, Index]]:
        """(post, signal) of all that stands there or may."""
        stands = ~self.terms.excepting
        found = [(self.terms.post[stands], self.terms.signal[stands])]
        if self.possible.shape[1]:
            hit, entry = self.plan.entries.entries(self.possible[1])
            found.append((rows.owner[self.possible[0, hit]], self.plan.signal[entry]))
        return found

    def confirmed(
        self, asked: Index, concerned: Mask, signals: int, columns: SignalColumns, rows: Rows
    ) -> tuple[Entries, set[tuple[int, int]]]:
        """Hits in the posts that are concerned: of terms, and of the regexes that were asked for; (post, signal) of
        those whose time ran out.
        """
        terms = self.terms.where(concerned[self.terms.post])
        pairs = self._asked_for(asked, signals, rows)
        if not pairs.shape[1]:
            return terms, set()
        hits, timeouts = self.plan.matcher.confirm(self.view, pairs)
        unknown = {
            (int(rows.owner[row]), signal) for row, pattern in timeouts for signal in self.plan.signals_of(pattern)
        }
        plainly = np.zeros(hits.shape[1], np.int64)
        return terms.beside(entries_of(self.plan, self.view, columns, rows, hits, plainly)), unknown

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
    missing = np.array(unknown, np.int64).reshape(-1, 2)
    return Fired(
        np.concatenate([missing[:, 0], *(post for post, _ in pairs)]),
        np.concatenate([missing[:, 1], *(signal for _, signal in pairs)]),
    )


def _mask(posts: Index, count: int) -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[posts] = True
    return mask
