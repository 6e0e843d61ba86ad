"""What a batch came to, counted where it was judged: what metrics and traces are told instead of decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from moderation.decision import FAILURE, OVERLOAD, TIMEOUT, Decision
from moderation.engine.coverage import UNDETERMINED

UNJUDGED = frozenset((FAILURE, OVERLOAD, TIMEOUT))
"""What `unknown` of a decision holds where no engine made it."""


class Tally(msgspec.Struct, frozen=True):
    """Posts by verdict, main language, rules that hold, and why they were not judged; how many had anything unknown."""

    posts: int
    verdicts: Mapping[str, int]
    languages: Mapping[str, int]
    rules: Mapping[str, int]
    unknown: int
    unjudged: Mapping[str, int] = {}

    @classmethod
    def of(cls, decisions: Sequence[Decision], plain: Iterable[Mapping[str, int]] = ()) -> Tally:
        """Count decisions; `plain` are numbers of others, by main language, that allow without a word."""
        unknown = [decision.unknown for decision in decisions if decision.unknown]
        verdicts: Counter[str] = Counter([decision.verdict for decision in decisions])
        languages = Counter([next(iter(decision.languages), UNDETERMINED) for decision in decisions])
        for counted in plain:
            languages.update(counted)
            verdicts["allowed"] += sum(counted.values())
        return cls(
            verdicts.total(),
            +verdicts,
            languages,
            Counter([reason.rule for decision in decisions for reason in decision.reasons]),
            len(unknown),
            Counter([each for names in unknown for each in names if each in UNJUDGED]),
        )
