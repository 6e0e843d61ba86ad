"""Which rules are looked at for which posts: those for which all that they need has fired, or that need nothing."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.engine.conditions import All, AnyOf, Classifier, Condition, Field, Language, Not, Period
from moderation.engine.evidence import Evidence
from moderation.engine.gather import Rows
from moderation.engine.hits import NO_HITS
from moderation.engine.needs import Asked, Needs, signals_of
from moderation.engine.scores import Scores
from moderation.engine.speech import Speech
from moderation.text.lists import Index, all_true

Mask = NDArray[np.bool_]
# Decisions have shares in two decimals, and the columns have them whole.
_SLACK = 0.05


class Fired(msgspec.Struct, frozen=True, eq=False, gc=False):
    """(post, signal) pairs, in any order: signals that fired, may fire or are unknown."""

    post: Index
    signal: Index


class Glance:
    """What columns tell of the conditions of rules, in one portion of posts. What asks for no signal is told once."""

    def __init__(self, rows: Rows, speech: Speech, scores: Scores | None) -> None:
        self._rows, self._speech, self._scores = rows, speech, scores
        self._told: dict[int, Mask] = {}
        self._posts: dict[int, Index] = {}

    def candidates(self, needs: Needs, fired: Fired) -> tuple[Index, Index]:
        """(post, rule) pairs, sorted by post."""
        post, rule = needs.met(fired.post, fired.signal)
        for asked in needs.scored if len(rule) else ():
            others = rule != asked.rule
            if np.count_nonzero(others) < len(rule):
                kept = others | self._holds(asked, needs, fired)[post]
                post, rule = post[kept], rule[kept]
        opened = [(posts, asked.rule) for asked in needs.open if len(posts := self._holding(asked, needs, fired))]
        if not opened:
            return post, rule
        post = np.concatenate([post, *(posts for posts, _ in opened)])
        rule = np.concatenate([rule, *(np.full(len(posts), number) for posts, number in opened)])
        order = np.lexsort((rule, post))
        return post[order], rule[order]

    def _all(self) -> Mask:
        return all_true(len(self._rows))

    def _holding(self, asked: Asked, needs: Needs, fired: Fired) -> Index:
        """The posts for which what is asked may hold."""
        if not asked.silent:
            return self._holds(asked, needs, fired).nonzero()[0]
        if asked.rule not in self._posts:
            self._posts[asked.rule] = self._holds(asked, needs, fired).nonzero()[0]
        return self._posts[asked.rule]

    def _holds(self, asked: Asked, needs: Needs, fired: Fired) -> Mask:
        if not asked.silent:
            return self._possible(asked.condition, needs.untold, fired)
        if asked.rule not in self._told:
            self._told[asked.rule] = self._possible(asked.condition, needs.untold, fired)
        return self._told[asked.rule]

    def _possible(self, condition: Condition, untold: frozenset[int], fired: Fired, among: Mask | None = None) -> Mask:
        """Posts for which a condition may be anything but false: a cheap look by columns that never says no wrongly.

        Of posts that are not `among` those asked about, whatever is said goes unheard.
        """
        rows, speech = self._rows, self._speech
        if isinstance(condition, All):
            for child in condition.children:
                possible = self._possible(child, untold, fired, among)
                among = possible if among is None else among & possible
                if not np.count_nonzero(among):
                    break
            return self._all() if among is None else among
        if isinstance(condition, AnyOf):
            columns = [self._possible(child, untold, fired, among) for child in condition.children]
            return np.asarray(np.logical_or.reduce(columns), np.bool_)
        if isinstance(condition, Classifier):
            if self._scores is None:
                return self._all()
            return np.asarray(~(self._scores.column(condition.category) <= condition.above))
        if isinstance(condition, Language):
            held = speech.held(condition.among(speech.found.names))
            return np.asarray((held > 0) & (held > condition.share - _SLACK))
        if isinstance(condition, Field | Period):
            asked = np.arange(len(rows)) if among is None else among.nonzero()[0]
            column = np.zeros(len(rows), np.bool_)
            column[asked] = [
                condition.evaluate(_attributes_only(rows.attributes[post])).value is not False
                for post in asked.tolist()
            ]
            return column
        signals = frozenset(signals_of((condition,)))
        if isinstance(condition, Not) or signals & untold:
            return self._all()
        found = np.zeros(len(rows), np.bool_)
        for signal in signals:
            found[fired.post[fired.signal == signal]] = True
        return found


def _attributes_only(attributes: Mapping[str, object]) -> Evidence:
    return Evidence(NO_HITS, frozenset(), attributes, {}, lambda hit: "")
