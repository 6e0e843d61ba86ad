"""Chooses the language of runs in Cyrillic, Arabic or Devanagari letters, which few languages share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import Glyphs
from moderation.language.ngrams import SCALE, Ngrams
from moderation.language.runs import Runs
from moderation.language.sums import Ranks, number_of, odds_in, rank
from moderation.text.codes import LANGUAGES

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_HINT = -1
"""In place of a language's number: the row has no hint, or one that cannot be said."""

# In nats: what a hint is worth; how much likelier an alphabet other than Latin holds its main language; how much
# likelier languages are that were asked for.
_HINT = 4.0
_HOME = 4.0
_ASKED_FOR = 14.0


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses among all languages of an alphabet; `prior` is the rank of each before anything is read."""

    ngrams: Ngrams
    prior: Ranks

    @classmethod
    def load(cls, script: int, wanted: Sequence[str]) -> Chooser:
        """The chooser that prefers the `wanted` languages of an alphabet, or its main one if none of them is."""
        ngrams = Ngrams.load(script, LANGUAGES)
        asked = np.array([language in wanted for language in ngrams.languages])
        asked[0] |= not asked.any()
        prior = np.where(asked, 0, -round(_ASKED_FOR * SCALE))
        prior[asked.argmax()] += round(_HOME * SCALE)
        ranks = [rank(odds, number) for number, odds in enumerate(prior.tolist())]
        return cls(ngrams, np.array(ranks, np.int32)[:, None])

    @property
    def languages(self) -> tuple[str, ...]:
        return self.ngrams.languages

    def choose(self, glyphs: Glyphs, runs: Runs, at: Ints, wished: Bools | None) -> Ranks:
        """Index in `languages` for each of the runs `at`; `wished` marks, by run and language, what hints name."""
        ranks = self._ranks(glyphs, runs, at)
        if wished is not None:
            ranks += wished.T * rank(round(_HINT * SCALE))
        return number_of(np.maximum.reduce(ranks))

    def odds(self, glyphs: Glyphs, runs: Runs, at: Ints) -> NDArray[np.float64]:
        """How likely each language is for each of the runs `at`, in nats."""
        return odds_in(self._ranks(glyphs, runs, at)).T / SCALE

    def _ranks(self, glyphs: Glyphs, runs: Runs, at: Ints) -> Ranks:
        sums = self.ngrams.sums(glyphs, runs.first[at], runs.last[at])
        return sums.ranks(len(self.languages)) + self.prior
