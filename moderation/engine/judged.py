"""A portion's decisions as columns: most posts of a feed are allowed without a word, and to make an object of each
takes as long as to find its language.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.decision import Decision, Verdict
from moderation.engine.speech import Said
from moderation.post import PostId
from moderation.text.lists import Index


@dataclass(frozen=True, slots=True)
class Judged:
    """Posts and what is decided of them, in order.

    `told` are the decisions on posts that there may be anything to say of: all with a reason, in shadow, unknown or
    uncovered; `at` are the numbers of these posts, ascending. The rest are allowed, in languages that are served.
    `said` and `scores` (posts × `categories`, NaN where there is none) are of all posts; `engine` is the fingerprint.
    """

    ids: Sequence[PostId]
    said: Said
    categories: Sequence[str]
    scores: NDArray[np.float64]
    at: Index
    told: Sequence[Decision]
    engine: str

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def plain(self) -> Mapping[str, int]:
        """How many posts are allowed without a word, by main language."""
        names = self.said.found.names
        counts = np.bincount(np.delete(self.said.main(), self.at), minlength=len(names))
        return {names[number]: int(counts[number]) for number in counts.nonzero()[0].tolist()}

    @property
    def verdicts(self) -> list[Verdict]:
        """By post."""
        found: list[Verdict] = ["allowed"] * len(self)
        for post, decision in zip(self.at.tolist(), self.told, strict=True):
            found[post] = decision.verdict
        return found

    def having(self, verdicts: Collection[Verdict]) -> NDArray[np.bool_]:
        """Which decisions have one of some verdicts."""
        found = np.full(len(self), "allowed" in verdicts)
        found[self.at] = [decision.verdict in verdicts for decision in self.told]
        return found
