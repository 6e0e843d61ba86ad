"""The signals of all rules, numbered: what is looked for in which view, and what makes a hit count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from moderation.signals.matcher import Kind, Matcher, build_matcher
from moderation.text.folding import fold_all

EDGES = ("none", "script", "words")
ALL_SCRIPTS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Look:
    """One pattern of a signal: a term (folded) or a regex, as matched and as its author spelled it."""

    kind: str
    text: str
    spelled: str


@dataclass(frozen=True, slots=True)
class Signal:
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

    def cost(self) -> float:
        """How often it is expected to fire, for choosing what triggers a rule; only the order matters."""
        return sum(_frequency(look) for look in self.looks)


def _frequency(look: Look) -> float:
    if look.kind == "regex":
        return 2.0**-9
    return float(2.0 ** -sum(9 if ord(letter) > 0x2E7F else 4 for letter in look.text))


def term_looks(terms: Iterable[str]) -> tuple[Look, ...]:
    """Terms as they are looked for: folded like the text; a term that two spellings fold to is looked for once."""
    spelled = list(terms)[::-1]
    folded = dict(zip(fold_all(spelled), spelled, strict=True))
    return tuple(Look("term", text, spelled) for text, spelled in sorted(folded.items()) if text)


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

    Pattern p belongs to entries [first[p], first[p + 1]) of `signal` (signal numbers) and `exception` (whether it is
    one of the signal's exceptions there); `spelled` gives the author's spelling by entry.
    """

    name: str
    matcher: Matcher
    regexes: tuple[str, ...]
    first: NDArray[np.int64]
    signal: NDArray[np.int32]
    exception: NDArray[np.bool_]
    spelled: tuple[str, ...]

    def spelling(self, pattern: int, signal: int) -> str:
        """The pattern as the author of this signal spelled it."""
        for entry in range(int(self.first[pattern]), int(self.first[pattern + 1])):
            if self.signal[entry] == signal and not self.exception[entry]:
                return self.spelled[entry]
        raise LookupError(f"pattern {pattern} is not one of signal {signal}")


def plan_view(name: str, signals: Sequence[Signal], timeout_ms: float, kind: Kind) -> ViewPlan | None:
    """The view's matcher over the patterns of all signals that look at it; None where none does."""
    entries = _entries(name, signals)
    if not entries:
        return None
    terms = sorted({text for kind_, text in entries if kind_ == "term"})
    regexes = sorted({text for kind_, text in entries if kind_ == "regex"})
    matcher = build_matcher(terms, regexes, ignore_case=name == "folded", timeout_ms=timeout_ms, kind=kind)
    lists = [entries["term", text] for text in terms] + [entries["regex", text] for text in regexes]
    flat = [entry for items in lists for entry in items]
    return ViewPlan(
        name,
        matcher,
        tuple(regexes),
        np.cumsum([0, *map(len, lists)], dtype=np.int64),
        np.array([entry[0] for entry in flat], np.int32),
        np.array([entry[1] for entry in flat], np.bool_),
        tuple(entry[2] for entry in flat),
    )


def _entries(name: str, signals: Sequence[Signal]) -> Mapping[tuple[str, str], list[tuple[int, bool, str]]]:
    found: dict[tuple[str, str], list[tuple[int, bool, str]]] = {}
    for number, signal in enumerate(signals):
        if signal.view != name:
            continue
        for exception, looks in ((False, signal.looks), (True, signal.exceptions)):
            for look in looks:
                found.setdefault((look.kind, look.text), []).append((number, exception, look.spelled))
    return found
