"""Chooses the language of runs in Cyrillic, Arabic or Devanagari letters, which few languages share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import Glyphs
from moderation.language.ngrams import SCALE, Ngrams
from moderation.language.runs import Runs
from moderation.language.sums import Odds, likeliest
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
    """Chooses among all languages of an alphabet; `prior` is how likely each is before anything is read."""

    ngrams: Ngrams
    prior: Ints

    @classmethod
    def load(cls, script: int, wanted: Sequence[str]) -> Chooser:
        """The chooser that prefers the `wanted` languages of an alphabet, or its main one if none of them is."""
        ngrams = Ngrams.load(script, LANGUAGES)
        asked = np.array([language in wanted for language in ngrams.languages])
        asked[0] |= not asked.any()
        prior = np.where(asked, 0, -round(_ASKED_FOR * SCALE))
        prior[asked.argmax()] += round(_HOME * SCALE)
        return cls(ngrams, prior)

    @property
    def languages(self) -> tuple[str, ...]:
        return self.ngrams.languages

    def choose(self, glyphs: Glyphs, runs: Runs, at: Ints, wished: Bools | None) -> Odds:
        """Index in `languages` for each of the runs `at`; `wished` marks, by run and language, what hints name."""
        odds = self._odds(glyphs, runs, at)
        if wished is not None:
            odds += wished.T * round(_HINT * SCALE)
        return likeliest(odds)[0]

    def odds(self, glyphs: Glyphs, runs: Runs, at: Ints) -> NDArray[np.float64]:
        """How likely each language is for each of the runs `at`, in nats."""
        return self._odds(glyphs, runs, at).T / SCALE

    def _odds(self, glyphs: Glyphs, runs: Runs, at: Ints) -> Odds:
        sums = self.ngrams.sums(glyphs, runs.first[at], runs.last[at])
        odds = sums.odds(len(self.languages))
        odds += self.prior[:, None]
        return odds
