"""Which rules are looked at for which posts: those for which all that they need has fired, or that need nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.engine.conditions import All, AnyOf, Classifier, Condition, Field, Language, Not, Period
from moderation.engine.evidence import Evidence
from moderation.engine.gather import Rows
from moderation.engine.hits import NO_HITS
from moderation.engine.needs import Needs, scores_asked, signals_of
from moderation.engine.rule import CompiledRule
from moderation.engine.speech import Speech
from moderation.text.lists import Index

Mask = NDArray[np.bool_]
# Decisions have shares in two decimals, and the columns have them whole.
_SLACK = 0.05


@dataclass(frozen=True, slots=True)
class Fired:
    """(post, signal) pairs, in any order: signals that fired, may fire or are unknown."""

    post: Index
    signal: Index


def candidates(
    rules: Sequence[CompiledRule],
    needs: Needs,
    fired: Fired,
    rows: Rows,
    speech: Speech,
) -> tuple[Index, Index]:
    """(post, rule) pairs, sorted by post."""
    post, rule = needs.met(fired.post, fired.signal)
    for number in needs.scored:
        scored = _possible(All(scores_asked(rules[number].when)), needs.untold, fired, rows, speech)
        kept = (rule != number) | scored[post]
        post, rule = post[kept], rule[kept]
    if not needs.open:
        return post, rule
    posts, numbers = [post], [rule]
    for number in needs.open:
        possible = _possible(rules[number].when, needs.untold, fired, rows, speech).nonzero()[0]
        if len(possible):
            posts.append(possible)
            numbers.append(np.full(len(possible), number))
    if len(posts) == 1:
        return post, rule
    post, rule = np.concatenate(posts), np.concatenate(numbers)
    order = np.lexsort((rule, post))
    return post[order], rule[order]


def _possible(
    condition: Condition,
    untold: frozenset[int],
    fired: Fired,
    rows: Rows,
    speech: Speech,
    among: Mask | None = None,
) -> Mask:
    """Posts for which a condition may be anything but false: a cheap look by columns that never says no wrongly.

    Of posts that are not `among` those asked about, whatever is said goes unheard.
    """
    if isinstance(condition, All):
        # What looks at posts one by one has the last word, on what the columns leave.
        for child in sorted(condition.children, key=_effort):
            possible = _possible(child, untold, fired, rows, speech, among)
            among = possible if among is None else among & possible
            if not among.any():
                break
        return np.ones(len(rows), np.bool_) if among is None else among
    if isinstance(condition, AnyOf):
        columns = [_possible(child, untold, fired, rows, speech, among) for child in condition.children]
        return np.asarray(np.logical_or.reduce(columns), np.bool_)
    if isinstance(condition, Classifier):
        if rows.scores is None:
            return np.ones(len(rows), np.bool_)
        return np.asarray(~(rows.scores.column(condition.category) <= condition.above))
    if isinstance(condition, Language):
        held = speech.held(condition.among(speech.found.names))
        return np.asarray((held > 0) & (held > condition.share - _SLACK))
    if isinstance(condition, Field | Period):
        asked = np.arange(len(rows)) if among is None else among.nonzero()[0]
        column = np.zeros(len(rows), np.bool_)
        column[asked] = [
            condition.evaluate(_attributes_only(rows.attributes[post])).value is not False for post in asked.tolist()
        ]
        return column
    signals = frozenset(signals_of((condition,)))
    if isinstance(condition, Not) or signals & untold:
        return np.ones(len(rows), np.bool_)
    found = np.zeros(len(rows), np.bool_)
    found[fired.post[np.isin(fired.signal, sorted(signals))]] = True
    return found


def _effort(condition: Condition) -> int:
    """The cheap and rare first: a score is high in few posts."""
    return 0 if isinstance(condition, Classifier) else 2 if isinstance(condition, Field | Period) else 1


def _attributes_only(attributes: Mapping[str, object]) -> Evidence:
    return Evidence(NO_HITS, frozenset(), attributes, {}, lambda hit: "")
