"""The signals of all rules, numbered: what is looked for in which view, and what makes a hit count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.evasion.matcher import LoosePlan
from moderation.evasion.spellings import in_other_digits
from moderation.signals.matcher import Kind, Matcher, build_matcher
from moderation.text.lists import Lists

EDGES = ("none", "script", "words")
ALL_SCRIPTS = (1 << 64) - 1


class Look(msgspec.Struct, frozen=True, gc=False):
    """One pattern of a signal: a term (folded) or a regex, as matched and as its author spelled it."""

    kind: str
    text: str
    spelled: str


class Signal(msgspec.Struct, frozen=True):
    """What one text condition looks for.

    A hit counts where it stands on `edges`, in one of `fields` (None: any), overlaps no hit of an exception, and holds
    letters of `scripts` (a bit a script class) if it holds letters at all.
    """

    view: str
    looks: tuple[Look, ...]
    exceptions: tuple[Look, ...]
    edges: str
    fields: frozenset[str] | None
    scripts: int
    resist: int = 0


@lru_cache(maxsize=1 << 9)
def term_looks(terms: tuple[str, ...], folded: tuple[str, ...]) -> tuple[Look, ...]:
    """Terms as they are looked for: folded like the text, with digits in all scripts that Chinese is counted in; a term
    that two spellings fold to is looked for once. Kept, because a list stands in many conditions.
    """
    plain = dict(zip(folded[::-1], terms[::-1], strict=True))
    looks = {other: term for text, term in plain.items() for other in in_other_digits(text)} | plain
    looks.pop("", None)
    return tuple([Look("term", text, looks[text]) for text in sorted(looks)])


@dataclass(slots=True)
class SignalTable:
    """Numbers the signals while conditions are compiled; equal ones share a number."""

    _numbers: dict[Signal, int] = field(default_factory=dict)

    def add(self, signal: Signal) -> int:
        return self._numbers.setdefault(signal, len(self._numbers))

    def signals(self) -> tuple[Signal, ...]:
        return tuple(self._numbers)


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """One view's matcher, and for every pattern of it the signals that it belongs to.

    `entries` are entry numbers by pattern: entry e says that the pattern is one of `signal[e]`, an exception of it
    where `exception[e]`. `spelled` is how the author of a signal spelled it, by (pattern, signal). `regex_of` is the
    regex's pattern by signal, -1 for others; `late` tells by pattern whether it is looked for on demand only; `loose`
    finds terms in disguise.
    """

    name: str
    matcher: Matcher
    terms: tuple[str, ...]
    regexes: tuple[str, ...]
    entries: Lists
    signal: NDArray[np.int64]
    exception: NDArray[np.bool_]
    spelled: Mapping[tuple[int, int], str]
    regex_of: NDArray[np.int64]
    late: NDArray[np.bool_]
    loose: LoosePlan | None

    def signals_of(self, pattern: int) -> list[int]:
        """The signals that a pattern belongs to, as one of their exceptions too."""
        _, entry = self.entries.entries(np.array([pattern]))
        found: list[int] = self.signal[entry].tolist()
        return found


def regex_signals(signals: Sequence[Signal]) -> dict[int, str]:
    """The signals that are regexes, by number."""
    found = {number: _regex(signal) for number, signal in enumerate(signals)}
    return {number: text for number, text in found.items() if text is not None}


def _regex(signal: Signal) -> str | None:
    return signal.looks[0].text if signal.looks and signal.looks[0].kind == "regex" else None


def plan_view(
    name: str, signals: Sequence[Signal], demanded: frozenset[int], timeout_ms: float, kind: Kind
) -> ViewPlan | None:
    """The view's matcher over the patterns of all signals that look at it; None where none does.

    `demanded` are the signals that are looked for only where all else that their rules need has fired.
    """
    entries = _entries(name, signals)
    if not entries:
        return None
    terms = sorted({text for kind_, text in entries if kind_ == "term"})
    regexes = sorted({text for kind_, text in entries if kind_ == "regex"})
    lists = [entries["term", text] for text in terms] + [entries["regex", text] for text in regexes]
    flat = [entry for items in lists for entry in items]
    late = frozenset(
        pattern
        for pattern, items in enumerate(lists)
        if all(exception or number in demanded for number, exception, _ in items)
    )
    numbers = {text: len(terms) + index for index, text in enumerate(regexes)}
    looked_for = [_regex(signal) if signal.view == name else None for signal in signals]
    bounds = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    with ThreadPoolExecutor(1) as aside:
        # Hyperscan compiles without Python's lock, and for as long as the other spellings of terms take.
        matcher = aside.submit(build_matcher, terms, regexes, name == "folded", timeout_ms, kind, late)
        loose = _loose(terms, lists, signals, late) if name == "folded" else None
    return ViewPlan(
        name,
        matcher.result(),
        tuple(terms),
        tuple(regexes),
        Lists.cut(bounds, np.arange(len(flat))),
        np.array([entry[0] for entry in flat], np.int64),
        np.array([entry[1] for entry in flat], np.bool_),
        {(pattern, entry[0]): entry[2] for pattern, items in enumerate(lists) for entry in items if not entry[1]},
        np.array([-1 if text is None else numbers[text] for text in looked_for], np.int64),
        np.isin(np.arange(len(lists)), sorted(late)),
        loose,
    )


def _loose(
    terms: Sequence[str], lists: Sequence[list[tuple[int, bool, str]]], signals: Sequence[Signal], late: frozenset[int]
) -> LoosePlan:
    """The terms that are looked for in disguise: those whose signals resist a trick."""
    masks: dict[int, tuple[str, int]] = {}
    for pattern, text in enumerate(terms):
        mask = 0
        for number, exception, _ in lists[pattern]:
            mask |= 0 if exception else signals[number].resist
        if mask:
            masks[pattern] = (text, mask)
    # An exception in disguise is none: 草泥马 sounds like what it is an exception of.
    kin = {
        pattern: frozenset(n for n, exception, _ in lists[pattern] if not exception and signals[n].resist)
        for pattern in masks
    }
    return LoosePlan.of(masks, late, kin)


def _entries(name: str, signals: Sequence[Signal]) -> Mapping[tuple[str, str], list[tuple[int, bool, str]]]:
    found: dict[tuple[str, str], list[tuple[int, bool, str]]] = {}
    for number, signal in enumerate(signals):
        if signal.view != name:
            continue
        for exception, looks in ((False, signal.looks), (True, signal.exceptions)):
            for look in looks:
                found.setdefault((look.kind, look.text), []).append((number, exception, look.spelled))
    return found
