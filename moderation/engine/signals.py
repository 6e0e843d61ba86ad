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
from moderation.evasion.spellings import DIGITS, in_other_digits
from moderation.signals.matcher import Kind, Matcher, build_matcher
from moderation.text.lists import Lists, steps

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
    counted = () if DIGITS.isdisjoint("".join(folded)) else plain.items()
    looks = {other: term for text, term in counted for other in in_other_digits(text)} | plain
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
    where `exception[e]`. `spelled` is how the author of a signal spelled it, by pattern * signals + signal. `regex_of`
    is the regex's pattern by signal, -1 for others; `late` tells by pattern whether it is looked for on demand only;
    `loose` finds terms in disguise.
    """

    name: str
    matcher: Matcher
    terms: tuple[str, ...]
    regexes: tuple[str, ...]
    entries: Lists
    signal: NDArray[np.int64]
    exception: NDArray[np.bool_]
    spelled: Mapping[int, str]
    regex_of: NDArray[np.int64]
    late: NDArray[np.bool_]
    loose: LoosePlan | None

    def signals_of(self, pattern: int) -> list[int]:
        """The signals that a pattern belongs to, as one of their exceptions too."""
        _, entry = self.entries.entries(np.array([pattern]))
        found: list[int] = self.signal[entry].tolist()
        return found

    def spelled_by(self, pattern: int, signal: int) -> str:
        """How the author of a signal spelled one of its patterns."""
        return self.spelled[pattern * len(self.regex_of) + signal]


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
    entries = _Entries.of(name, signals)
    if entries is None:
        return None
    terms, regexes, late = entries.terms, entries.regexes, entries.late(demanded)
    numbers = {text: len(terms) + index for index, text in enumerate(regexes)}
    looked_for = [_regex(signal) if signal.view == name else None for signal in signals]
    on_demand, edged = (frozenset(each.nonzero()[0].tolist()) for each in (late, entries.edged(signals)))
    with ThreadPoolExecutor(1) as aside:
        # Hyperscan compiles without Python's lock.
        matcher = aside.submit(build_matcher, terms, regexes, name == "folded", timeout_ms, kind, on_demand, edged)
        loose = entries.loose(signals, late) if name == "folded" else None
    return ViewPlan(
        name,
        matcher.result(),
        terms,
        regexes,
        Lists.cut(entries.bounds, np.arange(len(entries.signal))),
        entries.signal,
        entries.exception,
        entries.spelled_by(len(signals)),
        np.array([-1 if text is None else numbers[text] for text in looked_for], np.int64),
        late,
        loose,
    )


@dataclass(frozen=True, slots=True)
class _Entries:
    """What signals look for in a view, by pattern: those of pattern i are entries `bounds[i]` to `bounds[i + 1]`."""

    terms: tuple[str, ...]
    regexes: tuple[str, ...]
    bounds: NDArray[np.int64]
    signal: NDArray[np.int64]
    exception: NDArray[np.bool_]
    spelled: tuple[str, ...]

    @classmethod
    def of(cls, name: str, signals: Sequence[Signal]) -> _Entries | None:
        """None where nothing is looked for."""
        parts = [
            (number, exception, looks)
            for number, signal in enumerate(signals)
            if signal.view == name
            for exception, looks in ((False, signal.looks), (True, signal.exceptions))
        ]
        looks = [look for _, _, found in parts for look in found]
        if not looks:
            return None
        patterns = sorted({(look.kind == "regex", look.text) for look in looks})
        number_of = {pattern: number for number, pattern in enumerate(patterns)}
        pattern = np.array([number_of[look.kind == "regex", look.text] for look in looks])
        order = pattern.argsort(kind="stable")
        sizes = [len(found) for _, _, found in parts]
        return cls(
            tuple(text for is_regex, text in patterns if not is_regex),
            tuple(text for is_regex, text in patterns if is_regex),
            np.concatenate(([0], np.bincount(pattern).cumsum())),
            np.array([number for number, _, _ in parts]).repeat(sizes)[order],
            np.array([exception for _, exception, _ in parts]).repeat(sizes)[order],
            tuple(looks[at].spelled for at in order.tolist()),
        )

    def spelled_by(self, signals: int) -> dict[int, str]:
        """How authors spelled patterns, by pattern * signals + signal."""
        keys = self._patterns() * signals + self.signal
        own = ~self.exception
        return dict(zip(keys[own].tolist(), [self.spelled[at] for at in own.nonzero()[0].tolist()], strict=True))

    def _patterns(self) -> NDArray[np.int64]:
        """The pattern of each entry."""
        return np.arange(len(self.bounds) - 1).repeat(steps(self.bounds))

    def late(self, demanded: frozenset[int]) -> NDArray[np.bool_]:
        """Which patterns are looked for on demand only."""
        on_demand = self.exception | np.isin(self.signal, sorted(demanded))
        return np.logical_and.reduceat(on_demand, self.bounds[:-1])

    def edged(self, signals: Sequence[Signal]) -> NDArray[np.bool_]:
        """Which terms count only where they stand on edges."""
        edgeless = np.array([signal.edges == "none" for signal in signals], np.bool_)[self.signal] & ~self.exception
        return ~np.logical_or.reduceat(edgeless, self.bounds[:-1])[: len(self.terms)]

    def loose(self, signals: Sequence[Signal], late: NDArray[np.bool_]) -> LoosePlan:
        """The terms that are looked for in disguise: those whose signals resist a trick."""
        resisting = np.array([signal.resist for signal in signals], np.int64)[self.signal]
        # An exception in disguise is none: 草泥马 sounds like what it is an exception of.
        resisting[self.exception] = 0
        masks = np.bitwise_or.reduceat(resisting, self.bounds[:-1])[: len(self.terms)]
        terms = {pattern: (self.terms[pattern], int(masks[pattern])) for pattern in masks.nonzero()[0].tolist()}
        kin: dict[int, set[int]] = {pattern: set() for pattern in terms}
        at = resisting.nonzero()[0]
        for pattern, number in zip(self._patterns()[at].tolist(), self.signal[at].tolist(), strict=True):
            kin[pattern].add(number)
        # Most terms count for one signal, or for the same few.
        shared = {(each := frozenset(numbers)): each for numbers in kin.values()}
        own = {pattern: shared[frozenset(numbers)] for pattern, numbers in kin.items()}
        return LoosePlan.of(terms, frozenset(late.nonzero()[0].tolist()), own)
