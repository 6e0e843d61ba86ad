"""Chooses the languages of Latin runs, and parts a run where the language changes.

A first look settles what is plain. What is not, because two languages are about as likely or because none of those
asked for explains it well, is read closely, against all languages that are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import Glyphs
from moderation.language.latin import CEILING, SCALE, Latin, Reading
from moderation.language.runs import Parts, Runs
from moderation.language.sums import Odds, Sums, leading, likeliest
from moderation.text.classes import HAN, HANGUL, KANA, THAI
from moderation.text.lists import distinct, ends_of, lengths_of, ranges
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

_EACH = slice(None)
_HOSTS = np.zeros(64, np.bool_)
_HOSTS[[HAN, KANA, HANGUL, THAI]] = True


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
        best, lead = leading(prior.onto(sums.odds(self.latin.named)))
        chosen = self._told(best, lead, sums.positions)
        if not self.closely:
            return chosen, None
        doubtful = _doubtful(sums, best, lead).nonzero()[0]
        if not len(doubtful):
            return chosen, None
        chosen[doubtful], parts = self._closely(glyphs, runs, at[doubtful], prior.at(doubtful))
        return chosen, None if parts is None else replace(parts, of=doubtful[parts.of])

    def odds(self, glyphs: Glyphs, runs: Runs, at: Ints) -> NDArray[np.float64]:
        """How likely each language is for each of the runs `at`, in nats."""
        reading = self.latin.read(glyphs, runs.first[at], runs.last[at])
        sums = reading.words.joined(first_of(reading.run))
        return self._prior(runs, at, None).onto(sums.odds(len(self.languages))).T / SCALE

    def _prior(self, runs: Runs, at: Ints, wished: Bools | None) -> _Prior:
        beside, letters = _beside(runs, at), runs.letters[at]
        word = letters >= _WORD
        borrowed = round(_BORROWED * SCALE) + round(_BORROWED_SHORT * SCALE) // letters
        alone = -round(_NAMES_ALONE * SCALE) * letters
        english = np.where(beside, self.guest, borrowed * word)
        undetermined = np.where(beside, round(_NAMES * SCALE), alone * word)
        return _Prior(self.latin.named, self.english, english, undetermined, wished)

    def _told(self, best: Odds, lead: Odds, positions: Ints) -> Ints:
        """The likeliest languages, `und` where it is not sure enough."""
        told = (positions >= _LEAST) & (lead * positions >= _CERTAINTY * SCALE)
        return np.where(told, best, self.latin.named - 1)

    def _closely(self, glyphs: Glyphs, runs: Runs, at: Ints, prior: _Prior) -> tuple[Ints, Parts | None]:
        """The languages of the runs `at`, and the parts of those that are of several languages."""
        reading = self.latin.read(glyphs, runs.first[at], runs.last[at])
        opens = first_of(reading.run)
        closes = ends_of(opens, len(reading.run))
        quarters, of, quarter = _quarters(reading, opens, closes)
        whole = quarters.joined(first_of(of))
        best, lead = leading(prior.onto(whole.odds(len(self.languages))))
        language = self._told(best, lead, whole.positions)
        likely, mixed = _likely(prior.onto(quarters.odds(len(self.languages)), of), of, quarter, best)
        if not len(mixed):
            return language, None
        ahead = prior.onto(np.zeros((len(self.languages), len(mixed)), np.int64), mixed)
        cuts = _all_changes(reading.words, opens[mixed], closes[mixed], likely, np.take_along_axis(ahead, likely, 0))
        return language, self._parted(reading, prior, opens, closes, cuts) if len(cuts) else None

    def _parted(self, reading: Reading, prior: _Prior, opens: Ints, closes: Ints, cuts: Ints) -> Parts:
        """The parts of runs, whose words are those from `opens` to `closes`, that begin with the words `cuts`."""
        parted = distinct(reading.run[cuts])
        starts = np.concatenate((opens[parted], cuts))
        starts.sort()
        words = ranges(opens[parted], closes[parted])
        at = words.searchsorted(starts)
        sums = reading.words.at(words).joined(at)
        of = reading.run[starts]
        language = self._told(*leading(prior.onto(sums.odds(len(self.languages)), of)), sums.positions)
        many = lengths_of(at, len(words))
        last = reading.last(starts + many - 1)
        return Parts(of, reading.first[starts], last, sums.positions - many, language)


@dataclass(frozen=True, slots=True)
class _Prior:
    """How likely languages are before anything is read (1/SCALE nat): by run, what is in favour of `english` and of
    `und`, the last of the first `named`; and by run and language, what hints name.
    """

    named: int
    english: int
    for_english: Ints
    for_undetermined: Ints
    wished: Bools | None

    def at(self, runs: Ints) -> _Prior:
        """That of some runs."""
        wished = None if self.wished is None else self.wished[runs]
        return _Prior(self.named, self.english, self.for_english[runs], self.for_undetermined[runs], wished)

    def onto(self, odds: Odds, runs: Ints | slice = _EACH) -> Odds:
        """Add it to the odds, by language and stretch, of stretches of these runs; returns them."""
        if self.english < len(odds):
            odds[self.english] += self.for_english[runs]
        odds[self.named - 1] += self.for_undetermined[runs]
        odds[self.named :] -= round(_ASKED_FOR * SCALE)
        if self.wished is not None:
            odds += self.wished[runs, : len(odds)].T * round(_HINT * SCALE)
        return odds


@lru_cache(maxsize=4)
def _latin(wanted: tuple[str, ...]) -> Latin:
    """The models, once for all detectors of the same languages: rules that are reloaded seldom ask for others."""
    return Latin.load(wanted)


def _doubtful(sums: Sums, best: Odds, lead: Odds) -> Bools:
    short = CEILING * sums.positions - sums.odds_of(np.arange(len(best)), best)
    doubtful: Bools = (lead < _PLAIN * SCALE) | (short > _EXPLAINED * SCALE * sums.positions)
    return doubtful & (sums.positions >= _LEAST)


def _quarters(reading: Reading, opens: Ints, closes: Ints) -> tuple[Sums, Ints, Ints]:
    """Quarters of runs, whose words are those from `opens` to `closes`; the run of each, and which quarter it is."""
    run = reading.run
    order = (np.arange(len(run)) - opens[run]) * _QUARTERS // (closes - opens)[run] + run * _QUARTERS
    cuts = first_of(order)
    order = order[cuts]
    return reading.words.joined(cuts), order // _QUARTERS, order % _QUARTERS


def _likely(odds: Odds, of: Ints, quarter: Ints, whole: Odds) -> tuple[Odds, Ints]:
    """The runs that the likeliest languages of their quarters make much likelier than that of the `whole`, and, by
    column, all these languages. The quarters are `of` these runs, and the first, second … of them.
    """
    best, highest = likeliest(odds)
    gain = highest - odds[whole[of], np.arange(len(of))]
    mixed = (np.bincount(of, gain) > _SUSPECT * SCALE).nonzero()[0]
    likely = whole[None].repeat(_QUARTERS + 1, axis=0)
    likely[quarter, of] = best
    return likely[:, mixed], mixed


def _all_changes(words: Sums, opens: Ints, closes: Ints, languages: Odds, prior: Ints) -> Ints:
    """The words, of runs that are the words from `opens` to `closes`, that another language begins with; in each run
    some `languages`, by column, are looked for.
    """
    count = closes - opens
    held, run = ranges(opens, closes), np.arange(len(opens)).repeat(count)
    odds = _running(words.odds_of(held, languages.take(run, axis=1)))
    position = _running(words.positions[held])
    ends = count.cumsum()
    starts = ends - count
    found: list[Ints] = []
    for _ in range(_CHANGES):
        stretch, cuts = _changes(odds, position, starts, ends, prior)
        if not len(cuts):
            break
        found.append(held[cuts])
        starts, ends = np.concatenate((starts[stretch], cuts)), np.concatenate((cuts, ends[stretch]))
        prior = prior.take(np.concatenate((stretch, stretch)), axis=1)
    return np.concatenate(found) if found else held[:0]


def _running(values: NDArray[np.integer[Any]]) -> Ints:
    """By boundary, the sum of what is before it."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1), np.int64)
    values.cumsum(axis=-1, out=sums[..., 1:])
    return sums


def _changes(odds: Ints, position: Ints, starts: Ints, ends: Ints, prior: Ints) -> tuple[Ints, Ints]:
    """Where, at most once in each stretch, another language makes the text much likelier: stretches and boundaries.

    `odds`, by language, and `position` are running sums by boundary.
    """
    between = ranges(starts + 1, ends)
    stretch = np.arange(len(starts)).repeat(ends - starts - 1)
    left, right = odds.take(starts, axis=1) - prior, odds.take(ends, axis=1)
    here = odds.take(between, axis=1)
    gain = (here - left.take(stretch, axis=1)).max(axis=0)
    gain += ((right + prior).take(stretch, axis=1) - here).max(axis=0)
    gain -= (right - left).max(axis=0)[stretch]
    at = position[between]
    room = np.minimum(at - position[starts][stretch], position[ends][stretch] - at)
    hit = ((gain > _CHANGE * SCALE) & (room >= _SIDE)).nonzero()[0]
    if len(hit):
        gain, opens = gain[hit], first_of(stretch[hit])
        hit = hit[gain == np.maximum.reduceat(gain, opens).repeat(lengths_of(opens, len(hit)))]
        hit = hit[first_of(stretch[hit])]
    return stretch[hit], between[hit]


def _beside(runs: Runs, at: Ints) -> Bools:
    """Which of the runs `at` share their row with letters that English is a guest among."""
    hosts = runs.row[_HOSTS[runs.script]]
    nearest = np.searchsorted(hosts, runs.row[at])
    nearest[nearest == len(hosts)] = 0
    beside: Bools = hosts[nearest] == runs.row[at] if len(hosts) else np.zeros(len(at), np.bool_)
    return beside
