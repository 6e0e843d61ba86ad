"""Chooses the languages of Latin runs, and parts a run where the language changes.

A first look settles what is plain. What is not, because two languages are about as likely or because none of those
asked for explains it well, is read closely, against all languages that are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import Glyphs
from moderation.language.latin import CEILING, SCALE, Latin, Reading
from moderation.language.runs import Parts, Runs
from moderation.language.sums import Ranks, Sums, leading, number_of, odds_in, rank
from moderation.text.classes import HAN, HANGUL, KANA, THAI
from moderation.text.lists import constant, ends_of, held_in, lengths_of, numbers_to
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
_SURE = constant(round(_CERTAINTY * SCALE), np.int64)
_ENOUGH, _A_WORD, _HIGHEST = constant(_LEAST, np.int64), constant(_WORD, np.int64), constant(CEILING, np.int64)
_NOT_PLAIN, _UNEXPLAINED = constant(round(_PLAIN * SCALE), np.int32), constant(_EXPLAINED * SCALE, np.float64)

# A change of language must make the text so much likelier (nats), and each side be so long (positions). Every part is
# looked at for one change so many times.
_CHANGE = 18.0
_SIDE = 6
_CHANGES = 2

# A run is searched for changes if the languages of its quarters make it so much likelier (nats).
_QUARTERS = 4
_EACH_QUARTER = np.arange(_QUARTERS)[:, None]
_SUSPECT = 8.0


def _borrowed(letters: int) -> int:
    return (round(_BORROWED * SCALE) + round(_BORROWED_SHORT * SCALE) // letters) * (letters >= _WORD)


# The same as they are added to ranks; from so many letters on, nothing is left of what is shared out.
_ALL_LETTERS = round(_BORROWED_SHORT * SCALE) + 1
_BORROWED_BY_LETTERS = np.array([0, *(rank(_borrowed(letters)) for letters in range(1, _ALL_LETTERS + 1))])
_NAME, _AGAINST_NAMES = rank(round(_NAMES * SCALE)), constant(rank(-round(_NAMES_ALONE * SCALE)), np.int64)

_HOSTS = np.zeros(64, np.bool_)
_HOSTS[[HAN, KANA, HANGUL, THAI]] = True


@dataclass(frozen=True, slots=True)
class LatinChooser:
    """Chooses among `languages`; `guest` is what is added to the rank of English in rows with letters of Asia.
    `ranks` are those of all languages where nothing is in favour of any but that it was asked for.
    """

    latin: Latin
    english: int
    guest: int
    closely: bool
    ranks: Ranks

    @classmethod
    def load(cls, wanted: Sequence[str], cjk_english: float, closely: bool = True) -> LatinChooser:
        """The chooser that prefers the `wanted` languages; reads what is doubtful `closely`, or not."""
        latin = _latin(tuple(wanted))
        against = round(_ASKED_FOR * SCALE)
        ranks = [rank(-against * (number >= latin.named), number) for number in range(len(latin.languages))]
        english = latin.languages.index("en")
        return cls(latin, english, rank(round(cjk_english * SCALE)), closely, np.array(ranks, np.int32)[:, None])

    @property
    def languages(self) -> tuple[str, ...]:
        """All that it can say, those asked for first."""
        return self.latin.languages

    def choose(
        self, glyphs: Glyphs, runs: Runs, at: Ints, wished: Bools | None
    ) -> tuple[Ints, tuple[Parts, Ints] | None]:
        """Index in `languages` for each of the runs `at`, and parts to put in the place of some, with theirs, if the
        language changes inside any. `wished` marks, by run and language, what hints name.
        """
        prior = self._prior(runs, at, wished)
        glance = self.latin.glance(glyphs, runs.first[at], runs.last[at])
        sums = glance.sums
        best, lead = leading(prior.onto(sums.ranks(self.latin.named)))
        enough = sums.positions >= _ENOUGH
        chosen = self._told(best, lead, sums.positions, enough)
        if not self.closely:
            return chosen, None
        doubtful = (_are_doubtful(sums, best, lead) & enough).nonzero()[0]
        if not len(doubtful):
            return chosen, None
        reading = self.latin.read(glance, doubtful)
        starts, sums, ranks = self._parted(reading, prior.at(doubtful))
        language = self._told(*leading(ranks), sums.positions, sums.positions >= _LEAST)
        if len(starts) == len(doubtful):
            chosen[doubtful] = language
            return chosen, None
        return chosen, (_parts(reading, starts, sums, at[doubtful]), language)

    def odds(self, glyphs: Glyphs, runs: Runs, at: Ints) -> NDArray[np.float64]:
        """How likely each language is for each of the runs `at`, in nats."""
        reading = self.latin.read(self.latin.glance(glyphs, runs.first[at], runs.last[at]), np.arange(len(at)))
        ranks = reading.words.joined(reading.opens).ranks(len(self.languages))
        return odds_in(self._prior(runs, at, None).onto(ranks)).T / SCALE

    def _prior(self, runs: Runs, at: Ints, wished: Bools | None) -> _Prior:
        letters = runs.letters[at]
        english = _BORROWED_BY_LETTERS.take(letters, mode="clip")
        undetermined = letters * _AGAINST_NAMES
        undetermined *= letters >= _A_WORD
        beside = _beside(runs, at)
        if len(beside):
            english[beside], undetermined[beside] = self.guest, _NAME
        return _Prior(self.ranks, (self.english, self.latin.named - 1), english, undetermined, wished)

    def _told(self, best: Ranks, lead: Ranks, positions: Ints, enough: Bools) -> Ints:
        """The likeliest languages, `und` where it is not sure enough."""
        told: Ints = best.astype(np.int64)
        told[~(enough & (lead * positions >= _SURE))] = self.latin.named - 1
        return told

    def _parted(self, reading: Reading, prior: _Prior) -> tuple[Ints, Sums, Ranks]:
        """The words that parts of one language begin with, the sums of the parts, and ranks; `prior` is by run."""
        quarters, of, quarter = _quarters(reading)
        whole = quarters.joined(of.searchsorted(np.arange(len(reading.opens))))
        ranks = whole.ranks(len(self.languages))
        ahead = prior.onto(np.zeros(ranks.shape, ranks.dtype))
        ranks += ahead
        each = quarters.ranks(len(self.languages)) + ahead.take(of, axis=1)
        likely, mixed = _likely(each, of, quarter, number_of(np.maximum.reduce(ranks)))
        cuts = _all_changes(reading, mixed, likely, odds_in(ahead[likely, mixed])) if len(mixed) else mixed
        if not len(cuts):
            return reading.opens, whole, ranks
        starts = np.concatenate((reading.opens, cuts))
        starts.sort()
        sums = reading.words.joined(starts)
        return starts, sums, sums.ranks(len(self.languages)) + ahead.take(reading.run[starts], axis=1)


class _Prior(msgspec.Struct, frozen=True, eq=False, gc=False):
    """How likely languages are before anything is read: `ranks` by language, and by run what is added to the ranks of
    two, English and `und`; by run and language, what hints name.
    """

    ranks: Ranks
    numbers: tuple[int, int]
    english: Ints
    undetermined: Ints
    wished: Bools | None

    def at(self, runs: Ints) -> _Prior:
        """That of some runs."""
        wished = None if self.wished is None else self.wished[runs]
        return _Prior(self.ranks, self.numbers, self.english[runs], self.undetermined[runs], wished)

    def onto(self, ranks: Ranks) -> Ranks:
        """Add it to the ranks of runs; returns them."""
        ranks += self.ranks[: len(ranks)]
        for language, more in zip(self.numbers, (self.english, self.undetermined), strict=True):
            if language < len(ranks):
                ranks[language] += more
        if self.wished is not None:
            ranks += self.wished[:, : len(ranks)].T * rank(round(_HINT * SCALE))
        return ranks


@lru_cache(maxsize=4)
def _latin(wanted: tuple[str, ...]) -> Latin:
    """The models, once for all detectors of the same languages: rules that are reloaded seldom ask for others."""
    return Latin.load(wanted)


def _are_doubtful(sums: Sums, best: Ranks, lead: Ranks) -> Bools:
    short = sums.positions * _HIGHEST - sums.odds_of(numbers_to(len(best)), best)
    doubtful: Bools = (lead < _NOT_PLAIN) | (short > sums.positions * _UNEXPLAINED)
    return doubtful


def _quarters(reading: Reading) -> tuple[Sums, Ints, Ints]:
    """Quarters of runs, of words that are nearly as many; the run of each, and which quarter it is."""
    starts = (reading.opens + (reading.count * _EACH_QUARTER + _QUARTERS - 1) // _QUARTERS).T.ravel()
    number = lengths_of(starts, len(reading.run)).nonzero()[0]
    return reading.words.joined(starts[number]), number // _QUARTERS, number % _QUARTERS


def _likely(ranks: Ranks, of: Ints, quarter: Ints, whole: Ranks) -> tuple[Ranks, Ints]:
    """The runs that the likeliest languages of their quarters make much likelier than that of the `whole`, and, by
    column, all these languages. The quarters are `of` these runs, and the first, second … of them.
    """
    top = np.maximum.reduce(ranks)
    gain = odds_in(top) - odds_in(ranks[whole[of], np.arange(len(of))])
    mixed = (np.bincount(of, gain) > _SUSPECT * SCALE).nonzero()[0]
    likely = whole[None].repeat(_QUARTERS + 1, axis=0)
    likely[quarter, of] = number_of(top)
    return likely.take(mixed, axis=1), mixed


def _all_changes(reading: Reading, runs: Ints, languages: Ranks, prior: Ranks) -> Ints:
    """The words, of some runs, that another language begins with; in each run some `languages`, by column, are looked
    for.
    """
    count = reading.count[runs]
    starts = count.cumsum() - count
    run = np.arange(len(runs)).repeat(count)
    words = (reading.opens[runs] - starts)[run] + np.arange(len(run))
    running = np.zeros((len(languages) + 1, len(words) + 1), np.int64)
    running[:-1, 1:] = reading.words.odds_of(words, languages.take(run, axis=1))
    running[-1, 1:] = reading.words.positions[words]
    running.cumsum(axis=1, out=running)
    found = [words[:0]]
    for _ in range(_CHANGES):
        cuts = _changes(running, starts, prior.take(run[starts], axis=1))
        if not len(cuts):
            break
        found.append(words[cuts])
        starts = np.concatenate((starts, cuts))
        starts.sort()
    return np.concatenate(found)


def _changes(running: Ints, starts: Ints, prior: Ranks) -> Ints:
    """Where, at most once in each stretch of words, another language makes the text much likelier.

    `running`, by word, are the sums of what is before it: odds by language, and positions.
    """
    ends = ends_of(starts, running.shape[1] - 1)
    stretch = np.arange(len(starts)).repeat(ends - starts)
    opens, closes, here = running.take(starts, axis=1), running.take(ends, axis=1), running[:, 1:]
    opens[:-1] -= prior
    closes[:-1] += prior
    left, right = here - opens.take(stretch, axis=1), closes.take(stretch, axis=1) - here
    gain = np.maximum.reduce(left[:-1])
    whole = gain[ends - 1]
    gain += np.maximum.reduce(right[:-1])
    gain -= whole[stretch]
    hit = ((gain > round(_CHANGE * SCALE)) & (np.minimum(left[-1], right[-1]) >= _SIDE)).nonzero()[0]
    if len(hit) > 1:
        gain, first = gain[hit], first_of(stretch[hit])
        hit = hit[gain == np.maximum.reduceat(gain, first).repeat(lengths_of(first, len(hit)))]
        hit = hit[first_of(stretch[hit])]
    cuts: Ints = hit + 1
    return cuts


def _parts(reading: Reading, starts: Ints, sums: Sums, runs: Ints) -> Parts:
    """Parts that begin with these words; `runs` are the numbers of the runs that were read."""
    words = lengths_of(starts, len(reading.run))
    first, last = reading.letters(starts, starts + words - 1)
    return Parts(runs[reading.run[starts]], first, last, sums.positions - words)


def _beside(runs: Runs, at: Ints) -> Ints:
    """Which of the runs `at`, by place, share their row with letters that English is a guest among."""
    hosts = runs.row[_HOSTS[runs.script]]
    return held_in(runs.row[at], hosts).nonzero()[0] if len(hosts) else hosts
