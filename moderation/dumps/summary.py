"""What a run over a dump came to: counted a batch at a time, shown as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from moderation.decision import LIMIT_EXCEEDED, VERDICTS, Decision, Verdict
from moderation.dumps.records import Reject

NO_LANGUAGE = "und"
FIRST_REJECTS = 10

_Cell = tuple[str, str, bool]


@dataclass(slots=True)
class Summary:
    """Counts over a whole run.

    `cells` counts decisions by (verdict, main language, whether rules serve that language); `rules` and `shadow` count
    posts by (rule, verdict); `rejects` counts records by code, `first_rejects` are the first few.
    """

    cells: Counter[_Cell] = field(default_factory=Counter)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    shadow: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    first_rejects: list[Reject] = field(default_factory=list)
    limited: int = 0
    unknown: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, decisions: Sequence[Decision]) -> None:
        """Count a batch of decisions."""
        self.cells.update(map(_cell, decisions))
        for decision in decisions:
            if decision.reasons or decision.shadow or decision.unknown:
                self._add_reasons(decision)

    def add_plain(self, languages: Mapping[str, int]) -> None:
        """Count posts that are allowed without a word, by their language, which is served."""
        self.cells.update({("allowed", language, True): count for language, count in languages.items()})

    def add_rejects(self, rejects: Iterable[Reject]) -> None:
        """Count records that could not be judged."""
        for reject in rejects:
            self.rejects[reject.code] += 1
            if len(self.first_rejects) < FIRST_REJECTS:
                self.first_rejects.append(reject)

    def merge(self, other: Summary) -> None:
        """Add the counts of what comes behind."""
        for name in ("cells", "rules", "shadow", "rejects"):
            getattr(self, name).update(getattr(other, name))
        self.first_rejects += other.first_rejects[: FIRST_REJECTS - len(self.first_rejects)]
        self.limited += other.limited
        self.unknown += other.unknown
        self.notes += other.notes

    def packed(self) -> bytes:
        """All counts, for `unpacked`."""
        pairs = ("cells", "rules", "shadow", "rejects")
        counts = {name: list(getattr(self, name).items()) for name in pairs}
        rest = {"first_rejects": self.first_rejects, "limited": self.limited, "unknown": self.unknown}
        return msgspec.json.encode({**counts, **rest, "notes": self.notes})

    @classmethod
    def unpacked(cls, data: bytes) -> Summary:
        """What `packed` gave. Raises msgspec.DecodeError for anything else."""
        found = msgspec.json.decode(data, type=_Packed)
        return cls(
            Counter(dict(found.cells)), Counter(dict(found.rules)), Counter(dict(found.shadow)),
            Counter(dict(found.rejects)), found.first_rejects, found.limited, found.unknown, found.notes,
        )  # fmt: skip

    def told(self, engine: str) -> dict[str, Any]:
        """All counts for programs, in a stable order; `engine` is the fingerprint."""
        return {
            "engine": engine,
            "posts": self.decisions,
            "verdicts": self.verdicts(),
            "languages": self.languages(),
            "unserved": sorted(self.unserved()),
            "coverage": round(self.coverage(), 4),
            "rules": _counted(self.rules),
            "shadow": _counted(self.shadow),
            "limited": self.limited,
            "unknown": self.unknown,
            "rejects": dict(sorted(self.rejects.items())),
            "notes": self.notes,
        }

    @property
    def decisions(self) -> int:
        """How many posts were judged."""
        return self.cells.total()

    def verdicts(self) -> Mapping[Verdict, int]:
        """Posts by verdict."""
        found = Counter[str]()
        for (verdict, _, _), count in self.cells.items():
            found[verdict] += count
        return {verdict: found[verdict] for verdict in VERDICTS}

    def languages(self) -> Mapping[str, Mapping[Verdict, int]]:
        """Posts by main language and verdict, the most frequent language first."""
        found: dict[str, Counter[str]] = {}
        for (verdict, language, _), count in self.cells.items():
            found.setdefault(language, Counter())[verdict] += count
        ordered = sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))
        return {language: {verdict: counts[verdict] for verdict in VERDICTS} for language, counts in ordered}

    def unserved(self) -> frozenset[str]:
        """Languages that no live pack serves."""
        return frozenset(language for (_, language, served) in self.cells if not served)

    def coverage(self) -> float:
        """The share of posts whose main language is served by rules, among those that have a language."""
        total = served = 0
        for (_, language, is_served), count in self.cells.items():
            if language != NO_LANGUAGE:
                total += count
                served += count if is_served else 0
        return served / total if total else 1.0

    def _add_reasons(self, decision: Decision) -> None:
        self.rules.update((reason.rule, reason.verdict) for reason in decision.reasons)
        self.shadow.update((reason.rule, reason.verdict) for reason in decision.shadow)
        self.limited += any(reason.rule == LIMIT_EXCEEDED for reason in decision.reasons)
        self.unknown += bool(decision.unknown)


class _Packed(msgspec.Struct):
    cells: list[tuple[_Cell, int]]
    rules: list[tuple[tuple[str, str], int]]
    shadow: list[tuple[tuple[str, str], int]]
    rejects: list[tuple[str, int]]
    first_rejects: list[Reject]
    limited: int
    unknown: int
    notes: list[str]


def _counted(rules: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    ordered = sorted(rules.items(), key=lambda item: (-item[1], item[0]))
    return [{"rule": rule, "verdict": verdict, "posts": count} for (rule, verdict), count in ordered]


def _cell(decision: Decision) -> _Cell:
    language = next(iter(decision.languages), NO_LANGUAGE)
    return decision.verdict, language, language not in decision.uncovered
