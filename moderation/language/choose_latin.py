"""Chooses the languages of Latin runs, and parts a run where the language changes.

A first look settles what is plain. What is not, because two languages are about as likely or because none of those
asked for explains it well, is read closely, against all languages that are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import Glyphs
from moderation.language.latin import CEILING, SCALE, UNDETERMINED, Latin, Reading, Sums
from moderation.language.runs import Runs, openings
from moderation.text.classes import HAN, HANGUL, KANA, THAI
from moderation.text.lists import ends_of, lengths_of
from moderation.text.lists import openings as first_of

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# In nats: what a hint is worth, and how much likelier languages are that were asked for.
_HINT = 4.0
_ASKED_FOR = 8.0

# English is borrowed from more than it borrows (nats): `fine` is Italian too, and `sale` French. Short words most: a
# second part is shared out among the letters.
_BORROWED = 1.0
_BORROWED_SHORT = 5.0

# What is in favour of names and abbreviations among the letters of Asia (nats). Elsewhere each letter counts so much
# against them: the longer a post, the rarer it is nothing else. Three letters are more often one of them than a word.
_NAMES = 6.5
_NAMES_ALONE = 0.5
_WORD = 4

# A first look is enough where the likeliest language leads by so many nats and explains so much of every position.
_PLAIN = 6.0
_EXPLAINED = 1.15

# Fewer positions (letters and words' ends) than those of a word of three letters tell nothing; the fewer there are, the
# surer the choice must be.
_LEAST = 4
_CERTAINTY = 1.5

# A change of language must make the text so much likelier (nats), and each side be so long (positions). Every part is
# looked at for one change so many times.
_CHANGE = 18.0
_SIDE = 6
_CHANGES = 2

# A run is searched for changes if the languages of its quarters make it so much likelier (nats).
_QUARTERS = 4
_SUSPECT = 8.0

_HOSTS = np.zeros(64, np.bool_)
_HOSTS[[HAN, KANA, HANGUL, THAI]] = True


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts that runs fall into, in order: `of` is the run that each is of, `language` its language."""

    runs: Runs
    of: Ints
    language: Ints


@dataclass(frozen=True, slots=True)
class LatinChooser:
    """Chooses among `languages`; `guest` is the bonus of English (1/SCALE nat) in rows with letters of Asia."""

    latin: Latin
    english: int
    guest: int
    closely: bool

    @classmethod
    def load(cls, wanted: Sequence[str], cjk_english: float, closely: bool = True) -> LatinChooser:
        """The chooser that prefers the `wanted` languages; reads what is doubtful `closely`, or not."""
        latin = _latin(tuple(wanted))
        return cls(latin, latin.languages.index("en"), round(cjk_english * SCALE), closely)

    @property
    def languages(self) -> tuple[str, ...]:
        """All that it can say, those asked for first."""
        return self.latin.languages

    def choose(self, glyphs: Glyphs, runs: Runs, at: Ints, wished: Bools | None) -> tuple[Ints, Parts | None]:
        """Index in `languages` for each of the runs `at`, and parts to put in the place of some, if the language
        changes inside any. `wished` marks, by run and language, what hints name.
        """
        prior = self._prior(runs, at, wished)
        sums = self.latin.glance(glyphs, runs.first[at], runs.last[at])
        odds = sums.odds + prior[:, : self.latin.named]
        best, lead = _best(odds)
        chosen = np.where(self._told(sums, lead), best, self._undetermined)
        if not self.closely:
            return chosen, None
        doubtful = (self._doubtful(sums, best, lead)).nonzero()[0]
        if not len(doubtful):
            return chosen, None
        parts = self._closely(glyphs, runs, at[doubtful], prior[doubtful])
        if len(parts.of) > len(doubtful):
            return chosen, replace(parts, of=doubtful[parts.of])
        chosen[doubtful] = parts.language
        return chosen, None

    def odds(self, glyphs: Glyphs, runs: Runs, at: Ints) -> NDArray[np.float64]:
        """How likely each language is for each of the runs `at`, in nats."""
        reading = self.latin.read(glyphs, runs.first[at], runs.last[at])
        sums = self.latin.sums(reading, np.searchsorted(reading.run, np.arange(len(at))))
        return (sums.odds + self._prior(runs, at, None)) / SCALE

    @property
    def _undetermined(self) -> int:
        return self.languages.index(UNDETERMINED)

    def _prior(self, runs: Runs, at: Ints, wished: Bools | None) -> Ints:
        prior = np.zeros((len(at), len(self.languages)), np.int64)
        prior[:, self.latin.named :] = -round(_ASKED_FOR * SCALE)
        beside, letters = _beside(runs, at), runs.letters[at]
        word = letters >= _WORD
        borrowed = round(_BORROWED * SCALE) + round(_BORROWED_SHORT * SCALE) // letters
        prior[:, self.english] += np.where(beside, self.guest, borrowed * word)
        alone = -round(_NAMES_ALONE * SCALE) * letters * word
        prior[:, self._undetermined] += np.where(beside, round(_NAMES * SCALE), alone)
        if wished is not None:
            prior += wished * round(_HINT * SCALE)
        return prior

    def _told(self, sums: Sums, lead: Ints) -> Bools:
        told: Bools = (sums.positions >= _LEAST) & (lead * sums.positions >= _CERTAINTY * SCALE)
        return told

    def _doubtful(self, sums: Sums, best: Ints, lead: Ints) -> Bools:
        short = CEILING * sums.positions - sums.odds[np.arange(len(best)), best]
        doubtful: Bools = (lead < _PLAIN * SCALE) | (short > _EXPLAINED * SCALE * sums.positions)
        return doubtful & (sums.positions >= _LEAST)

    def _closely(self, glyphs: Glyphs, runs: Runs, at: Ints, prior: Ints) -> Parts:
        """The runs `at` in parts of one language each."""
        reading = self.latin.read(glyphs, runs.first[at], runs.last[at])
        starts, sums = self._parted(reading, prior)
        run = reading.run[starts]
        best, lead = _best(sums.odds + prior[run])
        language = np.where(self._told(sums, lead), best, self._undetermined)
        ends = ends_of(starts, len(reading.run)) - 1
        letters = np.add.reduceat(reading.last - reading.first + 1, starts)
        alone = np.bincount(run, minlength=len(at))[run] == 1
        whole = runs.at(at[run])
        parts = Runs(
            whole.row,
            whole.script,
            np.where(alone, whole.first, reading.first[starts]),
            np.where(alone, whole.last, reading.last[ends]),
            np.where(alone, whole.letters, letters),
        )
        return Parts(parts, run, language)

    def _parted(self, reading: Reading, prior: Ints) -> tuple[Ints, Sums]:
        """The words that parts of one language begin with, and the sums of the parts; `prior` is that of each run."""
        run = reading.run
        starts = np.searchsorted(run, np.arange(len(prior)))
        quarter = (np.arange(len(run)) - starts[run]) * _QUARTERS // lengths_of(starts, len(run))[run]
        cuts = openings(run, quarter)
        quarters = self.latin.sums(reading, cuts)
        whole = quarters.joined(np.searchsorted(run[cuts], np.arange(len(prior))))
        likely, mixed = _likely(quarters, whole, run[cuts], quarter[cuts], prior)
        if not len(mixed):
            return starts, whole
        number = np.full(len(prior), -1, np.int64)
        number[mixed] = np.arange(len(mixed))
        some = (number[run] >= 0).nonzero()[0]
        words = self.latin.sums_of(reading, some)
        starts = np.sort(np.concatenate((starts, some[_cuts(words, number[run[some]], likely[mixed], prior[mixed])])))
        of = run[starts]
        sums = Sums(whole.odds[of], whole.positions[of])
        again = (number[of] >= 0).nonzero()[0]
        parts = words.joined(np.searchsorted(some, starts[again]))
        sums.odds[again], sums.positions[again] = parts.odds, parts.positions
        return starts, sums


@lru_cache(maxsize=4)
def _latin(wanted: tuple[str, ...]) -> Latin:
    """The models, once for all detectors of the same languages: rules that are reloaded seldom ask for others."""
    return Latin.load(wanted)


def _likely(quarters: Sums, whole: Sums, of: Ints, quarter: Ints, prior: Ints) -> tuple[Ints, Ints]:
    """The likeliest languages of each run and of its quarters; and the runs that those make much likelier. The quarters
    are `of` these runs, and the first, second … of them.
    """
    odds, each = quarters.odds + prior[of], np.arange(len(of))
    likeliest = (whole.odds + prior).argmax(axis=1)
    best = odds.argmax(axis=1)
    gain = odds[each, best] - odds[each, likeliest[of]]
    mixed = (np.bincount(of, gain) > _SUSPECT * SCALE).nonzero()[0]
    likely = likeliest[:, None].repeat(_QUARTERS + 1, axis=1)
    likely[of, quarter] = best
    return likely, mixed


def _cuts(words: Sums, run: Ints, languages: Ints, prior: Ints) -> Ints:
    """The words that another language begins with, of runs each of which is searched for some `languages`."""
    opens = np.searchsorted(run, np.arange(len(languages)))
    odds = words.odds[np.arange(len(run))[:, None], languages[run]]
    return _all_changes(odds, words.positions, opens, prior[np.arange(len(prior))[:, None], languages])


def _all_changes(odds: Ints, positions: Ints, starts: Ints, prior: Ints) -> Ints:
    """The words, of runs that begin at `starts`, that another language begins with; columns are a run's languages."""
    run = np.arange(len(starts)).repeat(lengths_of(starts, len(odds)))
    found: list[Ints] = []
    for _ in range(_CHANGES):
        cuts = _changes(odds, positions, starts, prior[run[starts]])
        if not len(cuts):
            break
        found.append(cuts)
        starts = np.sort(np.concatenate((starts, cuts)))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _best(odds: Ints) -> tuple[Ints, Ints]:
    """The likeliest of each row, and by how much it leads."""
    best: Ints = odds.argmax(axis=1)
    second, top = np.partition(odds, -2, axis=1)[:, -2:].T
    return best, top - second


def _changes(odds: Ints, positions: Ints, starts: Ints, prior: Ints) -> Ints:
    """Where, at most once in each stretch of words, another language makes the text much likelier."""
    stretch = np.arange(len(starts)).repeat(lengths_of(starts, len(positions)))
    running = odds.cumsum(axis=0)
    before = running[starts] - odds[starts]
    whole = np.add.reduceat(odds, starts, axis=0)
    left = running - before[stretch]
    right = whole[stretch] - left
    gain = (left + prior[stretch]).max(axis=1) + (right + prior[stretch]).max(axis=1)
    gain -= ((whole + prior).max(axis=1))[stretch]
    position = positions.cumsum()
    ends = position[ends_of(starts, len(position)) - 1][stretch]
    begins = (position - positions)[starts][stretch]
    gain[(position - begins < _SIDE) | (ends - position < _SIDE)] = 0
    best = np.maximum.reduceat(gain, starts)
    hit = ((gain == best[stretch]) & (gain > _CHANGE * SCALE)).nonzero()[0]
    hit = hit[first_of(stretch[hit])]
    cuts: Ints = hit + 1
    return cuts


def _beside(runs: Runs, at: Ints) -> Bools:
    """Which of the runs `at` share their row with letters that English is a guest among."""
    hosts = runs.row[_HOSTS[runs.script]]
    nearest = np.searchsorted(hosts, runs.row[at])
    nearest[nearest == len(hosts)] = 0
    beside: Bools = hosts[nearest] == runs.row[at] if len(hosts) else np.zeros(len(at), np.bool_)
    return beside
