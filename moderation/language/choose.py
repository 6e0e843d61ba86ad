"""Chooses the language of runs in an alphabet that several languages share, or that there is too little to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import Glyphs
from moderation.language.ngrams import SCALE, Ngrams
from moderation.language.runs import Runs
from moderation.text.classes import HAN, HANGUL, KANA, LATIN, THAI

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROMANISED = {"zh": "zh-Latn"}
"""Romanisations that are looked for wherever their language is."""

NO_HINT = -1
"""In place of a language's number: the row has no hint, or one that cannot be said."""

# In nats: what a hint is worth; how much likelier an alphabet other than Latin holds its main language.
_HINT = 4.0
_HOME = 4.0

# Latin letters that are less than a word tell nothing; the fewer there are, the surer their n-grams must be.
_LEAST_EVIDENCE = 4
_CERTAINTY = 16.0

_HOSTS = np.zeros(64, np.bool_)
_HOSTS[[HAN, KANA, HANGUL, THAI]] = True


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses among `languages`, the first of which is the main one of the alphabet.

    `english` is the index of English among them, `guest` its bonus (1/SCALE nat) in rows with letters of Asia.
    """

    ngrams: Ngrams
    english: int | None
    guest: int

    @classmethod
    def load(cls, script: int, wanted: Sequence[str], cjk_english: float) -> Chooser:
        """The chooser among the `wanted` languages of an alphabet, or for its main language if it has none of them."""
        ngrams = Ngrams.load(script, wanted)
        english = ngrams.languages.index("en") if "en" in ngrams.languages else None
        return cls(ngrams, english, round(cjk_english * SCALE))

    @property
    def languages(self) -> tuple[str, ...]:
        return self.ngrams.languages

    def choose(self, glyphs: Glyphs, runs: Runs, at: Ints, wished: Bools | None) -> Ints:
        """Index in `languages` for each of the runs `at`; `wished` marks, by run and language, what hints name."""
        scores = self.ngrams.score(glyphs, runs.first[at], runs.last[at])
        odds = scores.odds
        if wished is not None:
            odds += wished * round(_HINT * SCALE)
        if self.ngrams.script != LATIN:
            odds[:, 0] += round(_HOME * SCALE)
        elif self.english is not None:
            odds[:, self.english] += self.guest * _beside(runs, at)
        best: Ints = odds.argmax(axis=1)
        if self.ngrams.script != LATIN:
            return best
        second, top = np.sort(odds, axis=1)[:, -2:].T
        told = (scores.evidence >= _LEAST_EVIDENCE) & ((top - second) * scores.evidence >= _CERTAINTY * SCALE)
        best[~told] = self.languages.index("und")
        return best


def _beside(runs: Runs, at: Ints) -> Bools:
    """Which of the runs `at` share their row with letters that English is a guest among."""
    hosts = runs.row[_HOSTS[runs.script]]
    nearest = np.searchsorted(hosts, runs.row[at])
    nearest[nearest == len(hosts)] = 0
    beside: Bools = hosts[nearest] == runs.row[at] if len(hosts) else np.zeros(len(at), np.bool_)
    return beside
