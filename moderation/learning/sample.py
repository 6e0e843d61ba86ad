"""Which posts are worth a person's label: those that the model is unsure of, or that rules see otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from moderation.decision import Decision


@dataclass(frozen=True, slots=True)
class Candidate:
    """A post to label: why it was picked, and how much it would teach (1 at most)."""

    text: str
    id: str | int | None
    language: str
    why: str
    worth: float
    scores: Mapping[str, float]


def pick(posts: Iterable[tuple[str, Decision]], number: int, asking: frozenset[str]) -> list[Candidate]:
    """The `number` posts most worth a label, languages taking turns, each text once; equal input, equal choice.

    A post is worth much where its highest score is near 0.5 (uncertainty), or where the rules that don't ask the
    classifier say otherwise than it does (disagreement). Posts that no head reads teach none of them, and come last.
    Memory holds a few hundred candidates a language.
    """
    by_language: dict[str, dict[str, Candidate]] = {}
    for text, decision in posts:
        candidate = _candidate(text, decision, asking)
        kept = by_language.setdefault(candidate.language, {})
        kept.setdefault(text, candidate)
        if len(kept) > 4 * number + 100:
            by_language[candidate.language] = {each.text: each for each in _best(kept)[: 2 * number]}
    turns = [_best(kept) for _, kept in sorted(by_language.items())]
    read = list(_in_turn([[each for each in turn if each.scores] for turn in turns], number))
    unread = [[each for each in turn if not each.scores] for turn in turns]
    return [*read, *_in_turn(unread, number - len(read))]


def _candidate(text: str, decision: Decision, asking: frozenset[str]) -> Candidate:
    language = next(iter(decision.languages), "und")
    highest = max(decision.scores.values(), default=0.0)
    uncertain = 1 - abs(2 * highest - 1) if decision.scores else 0.0
    against = any(
        reason.verdict != "allow" and reason.category != "engine" and reason.rule not in asking
        for reason in decision.reasons
    )
    disagree = (1 - highest if against else highest) if decision.scores else 0.0
    why, worth = ("disagreement", disagree) if disagree > uncertain else ("uncertainty", uncertain)
    why = why if decision.scores else "no head reads it"
    return Candidate(text, decision.id, language, why, round(worth, 4), decision.scores)


def _best(kept: Mapping[str, Candidate]) -> list[Candidate]:
    return sorted(kept.values(), key=lambda each: (-each.worth, each.text))


def _in_turn(turns: list[list[Candidate]], number: int) -> Iterator[Candidate]:
    """One of each language, then the next of each: a feed's small languages are seen too."""
    place = 0
    while number and any(place < len(turn) for turn in turns):
        for turn in turns:
            if number and place < len(turn):
                yield turn[place]
                number -= 1
        place += 1
