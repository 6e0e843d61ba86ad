"""Which languages a feed is written in: counted a batch at a time, in memory that does not grow with the feed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np

from moderation.authoring.times import HOUR, seconds_of, written
from moderation.language.confidence import confidences
from moderation.language.detect import Detector
from moderation.language.varieties import variety_of
from moderation.post import Post, attribute, declared_language
from moderation.text.batch import Batch
from moderation.text.classes import names as script_names
from moderation.text.scripts import script_of

EXAMPLES = 3
EXAMPLE_LENGTH = 100
LEAST_OF_A_MIX = 0.1
UNDETERMINED = "und"
_MOST_HOURS = 24 * 366


class LanguageShare(msgspec.Struct, frozen=True):
    """One language of a feed: posts that are mostly in it, posts that hold any of it, and its share of all letters.

    `confidence` is how sure detection is of what it called this language, from 0 to 1, over the letters.
    """

    language: str
    posts: int
    share: float
    holding: int
    letters: float
    confidence: float
    varieties: Mapping[str, int]
    examples: tuple[str, ...]


class Mix(msgspec.Struct, frozen=True):
    """Two languages that posts are written in at once, each at least a tenth of the letters."""

    languages: tuple[str, str]
    posts: int
    share: float
    example: str


class Hour(msgspec.Struct, frozen=True):
    """The posts of one hour (its beginning, UTC) by their main language."""

    hour: str
    posts: int
    languages: Mapping[str, int]


class Languages(msgspec.Struct, frozen=True):
    """The languages of a feed, the most frequent first; `scripts` are shares of letters."""

    posts: int
    languages: tuple[LanguageShare, ...]
    scripts: Mapping[str, float]
    mixes: tuple[Mix, ...]
    hours: tuple[Hour, ...]
    undated: int


class Census:
    """Counts the languages of posts. `by_hour` counts them by the hour of `created_at` too."""

    def __init__(self, detector: Detector, by_hour: bool = False) -> None:
        self._detector = detector
        self._by_hour = by_hour
        self._posts = self._undated = 0
        self._main: Counter[str] = Counter()
        self._holding: Counter[str] = Counter()
        self._letters: Counter[str] = Counter()
        self._sure: Counter[str] = Counter()
        self._varieties: dict[str, Counter[str]] = {}
        self._scripts = np.zeros(len(script_names), np.int64)
        self._mixes: Counter[tuple[str, str]] = Counter()
        self._hours: dict[int, Counter[str]] = {}
        self._examples: dict[str, list[tuple[bool, str]]] = {}
        self._mixed: dict[tuple[str, str], str] = {}

    def add(self, posts: Sequence[Post]) -> None:
        """Count a batch of posts."""
        if not posts:
            return
        owner = np.repeat(np.arange(len(posts)), [len(post.fields) for post in posts])
        texts = [text for post in posts for _, text in post.fields]
        hints = [declared_language(posts[number].attributes) for number in owner.tolist()]
        batch = Batch.of(texts)
        found = self._detector.detect(batch, hints if any(hints) else None)
        sure = confidences(self._detector, batch, found)
        self._scripts += np.bincount(script_of[batch.codes], minlength=len(script_names))[: len(script_names)]
        held: list[Counter[str]] = [Counter() for _ in posts]
        columns = (found.row, found.start, found.end, found.language, found.weight, sure)
        for row, start, end, number, weight, certainty in zip(*(column.tolist() for column in columns), strict=True):
            language = found.names[number]
            held[int(owner[row])][language] += weight
            self._letters[language] += weight
            self._sure[language] += weight * certainty
            if language == "zh":
                variety = variety_of(texts[row][start:end])
                self._varieties.setdefault(language, Counter())[variety] += weight
        for post, languages in zip(posts, held, strict=True):
            self._count(post, languages)

    def _count(self, post: Post, languages: Counter[str]) -> None:
        self._posts += 1
        ordered = sorted(languages, key=lambda name: (-languages[name], name))
        main = ordered[0] if ordered else UNDETERMINED
        self._main[main] += 1
        self._holding.update(ordered or [UNDETERMINED])
        self._show(main, len(ordered) > 1, post)
        total = languages.total()
        mixed = sorted(name for name in ordered if name != UNDETERMINED and languages[name] >= LEAST_OF_A_MIX * total)
        for pair in combinations(mixed, 2):
            self._mixes[pair] += 1
            self._mixed.setdefault(pair, _shown(post))
        if self._by_hour:
            self._clock(post, main)

    def _show(self, language: str, mixed: bool, post: Post) -> None:
        """Keep the first different posts as examples; those in one language rather than mixed ones."""
        kept = self._examples.setdefault(language, [])
        if len(kept) == EXAMPLES and (mixed or not kept[-1][0]):
            return
        if (mixed, shown := _shown(post)) not in kept:
            kept.append((mixed, shown))
            kept.sort(key=itemgetter(0))
            del kept[EXAMPLES:]

    def _clock(self, post: Post, main: str) -> None:
        seconds = seconds_of(attribute(post.attributes, "created_at"))
        number = None if seconds is None else int(seconds // HOUR)
        if number is None or (number not in self._hours and len(self._hours) >= _MOST_HOURS):
            self._undated += 1
            return
        self._hours.setdefault(number, Counter())[main] += 1

    def result(self) -> Languages:
        """All that was counted."""
        posts = max(self._posts, 1)
        letters = max(self._letters.total(), 1)
        total = max(int(self._scripts[1:].sum()), 1)
        return Languages(
            self._posts,
            tuple(self._language(name, posts, letters) for name, _ in _ordered(self._holding, self._main)),
            {
                script_names[number].title(): round(float(self._scripts[number] / total), 4)
                for number in np.argsort(-self._scripts, kind="stable").tolist()
                if number and self._scripts[number]
            },
            tuple(
                Mix(pair, count, round(count / posts, 4), self._mixed[pair])
                for pair, count in sorted(self._mixes.items(), key=lambda item: (-item[1], item[0]))
            ),
            tuple(
                Hour(written(number * HOUR), counts.total(), dict(_by_count(counts)))
                for number, counts in sorted(self._hours.items())
            ),
            self._undated,
        )

    def _language(self, name: str, posts: int, letters: int) -> LanguageShare:
        held = self._letters[name]
        return LanguageShare(
            name,
            self._main[name],
            round(self._main[name] / posts, 4),
            self._holding[name],
            round(held / letters, 4),
            round(self._sure[name] / held, 3) if held else 0.0,
            dict(_by_count(self._varieties.get(name, Counter()))),
            tuple(text for _, text in self._examples.get(name, ())),
        )


def _ordered(holding: Counter[str], main: Counter[str]) -> list[tuple[str, int]]:
    return sorted(holding.items(), key=lambda item: (-main[item[0]], -item[1], item[0]))


def _by_count(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _shown(post: Post) -> str:
    text = " ".join(" ".join(text for _, text in post.fields).split())
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 1] + "…"
