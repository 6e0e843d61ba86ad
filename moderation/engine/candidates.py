"""Which rules are looked at for which posts: those that a signal fired for, or that could hold without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.engine.compile import CompiledRule
from moderation.engine.conditions import All, AnyOf, Condition, Field, Language, Not, Period
from moderation.engine.evidence import Evidence
from moderation.engine.gather import Rows
from moderation.engine.resolve import SignalHits

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Triggers:
    """Rules by the signal that makes them worth a look: entries [first[s], first[s + 1]) of `rule`."""

    first: NDArray[np.int64]
    rule: NDArray[np.int64]
    untriggered: tuple[int, ...]

    @classmethod
    def of(cls, rules: Sequence[CompiledRule], signals: int) -> Triggers:
        lists: list[list[int]] = [[] for _ in range(signals)]
        for number, rule in enumerate(rules):
            for signal in rule.triggers or ():
                lists[signal].append(number)
        return cls(
            np.cumsum([0, *map(len, lists)], dtype=np.int64),
            np.array([number for numbers in lists for number in numbers], np.int64),
            tuple(number for number, rule in enumerate(rules) if rule.triggers is None),
        )


def candidates(
    rules: Sequence[CompiledRule],
    triggers: Triggers,
    hits: SignalHits,
    rows: Rows,
    languages: Sequence[Mapping[str, float]],
) -> Mapping[int, list[int]]:
    """Rule numbers, ascending, by post, for the posts that have any."""
    if not (len(hits.post) or hits.unknown or triggers.untriggered):
        return {}
    missing = np.array(sorted(hits.unknown), np.int64).reshape(-1, 2)
    post = np.concatenate((hits.post, missing[:, 0]))
    signal = np.concatenate((hits.signal, missing[:, 1]))
    counts = triggers.first[signal + 1] - triggers.first[signal]
    entry = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    entry += np.repeat(triggers.first[signal], counts)
    keys = [np.repeat(post, counts) * len(rules) + triggers.rule[entry]]
    for number in triggers.untriggered:
        open_posts = np.flatnonzero(_possible(rules[number].when, hits, rows, languages))
        keys.append(open_posts * len(rules) + number)
    found: dict[int, list[int]] = {}
    for key in np.unique(np.concatenate(keys)).tolist():
        found.setdefault(key // len(rules), []).append(key % len(rules))
    return found


def _possible(condition: Condition, hits: SignalHits, rows: Rows, languages: Sequence[Mapping[str, float]]) -> Mask:
    """Posts for which a condition may be anything but false: a cheap look by columns that never says no wrongly."""
    if isinstance(condition, All | AnyOf):
        combine = np.logical_and if isinstance(condition, All) else np.logical_or
        columns = [_possible(child, hits, rows, languages) for child in condition.children]
        return np.asarray(combine.reduce(columns), np.bool_)
    if isinstance(condition, Field | Period):
        column = (condition.evaluate(_attributes_only(attributes)) for attributes in rows.attributes)
        return np.fromiter((outcome.value is not False for outcome in column), np.bool_, len(rows))
    if isinstance(condition, Language):
        shares = (condition.evaluate(_languages_only(held)) for held in languages)
        return np.fromiter((outcome.value is not False for outcome in shares), np.bool_, len(rows))
    if isinstance(condition, Not):
        return np.ones(len(rows), np.bool_)
    fired = np.zeros(len(rows), np.bool_)
    signals = np.array(sorted(condition.triggers(_EVEN) or ()), np.int64)
    fired[hits.post[np.isin(hits.signal, signals)]] = True
    fired[[post for post, signal in hits.unknown if signal in signals]] = True
    return fired


class _Even(dict[int, float]):
    """Every signal costs the same."""

    def __missing__(self, key: int) -> float:
        return 1.0


_EVEN = _Even()


def _attributes_only(attributes: Mapping[str, object]) -> Evidence:
    return Evidence({}, frozenset(), attributes, {}, lambda hit: "")


def _languages_only(languages: Mapping[str, float]) -> Evidence:
    return Evidence({}, frozenset(), {}, languages, lambda hit: "")
