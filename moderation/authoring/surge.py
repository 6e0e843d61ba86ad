"""Tells when a language surges in a feed: its share in a sliding window against what is usual at that time of day.

The test is a z test on log-odds: those of the language's share in the window against those of its baseline, over a
standard error that adds what sampling leaves open (1/k + 1/(n-k) for window and baseline) and how much the language's
share has been seen to wander from window to window when nothing was wrong. The baseline is the share at the same hours
of the day, and of all days before until a day has been seen; older days fade. So neither a small feed's noise, nor a
feed that sways, nor the nightly tide of another continent is an alarm.

Time is that of the posts. Memory does not grow: 24 hours and one window of counts a language.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from moderation.authoring.times import seconds_of, written
from moderation.decision import Decision

HOURS = 24
HOUR = 3600.0
DAY = 24 * HOUR

_UNDETERMINED = "und"
# Posts that a baseline is worth before any was seen, and how many of them are of a language: an unknown one is rare.
_PRIOR_POSTS, _PRIOR_SHARE = 50.0, 0.005
# Wander (standard deviation of log-odds) that is taken for granted: with a baseline by hour, and without one yet.
_LEAST_WANDER, _WANDER_AT_FIRST = 0.15, 0.5
# How fast wander is learned, and how many times what is known one window may show: a surge is no wander.
_LEARNING, _SURPRISE = 0.02, 4.0
_LEAST_HOURLY = 100.0
_LEAST_OF_ONE = 20
# An alarm is told again when its share has grown so much since.
_GROWTH = 1.5
# So many posts in a row from more than a day ahead are believed.
_LEAPS = 20


class Surge(msgspec.Struct, frozen=True):
    """An alarm: `state` is "started", "grew" (half as much again since the last alarm) or "ended".

    `share` of `posts` in the window from `start` to `end` are in `language`, `baseline` would be usual; `score` is how
    many standard errors lie between. `uncovered` is the part of those posts that no rules serve.
    """

    language: str
    state: str
    start: str
    end: str
    posts: int
    share: float
    baseline: float
    score: float
    uncovered: float
    message: str

    def to_json(self) -> bytes:
        """One line of JSON."""
        return msgspec.json.encode(self)


@dataclass(slots=True)
class _Bucket:
    posts: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    uncovered: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Track:
    """What is known of one language: fading counts by hour of day, how much it wanders, and the last alarm's share."""

    hours: list[float] = field(default_factory=lambda: [0.0] * HOURS)
    wander: float = 0.0
    alarmed: float | None = None


class SurgeMonitor:
    """Watches the languages of a stream of decisions.

    `on_surge` is called with every alarm as it happens; `add` and `close` return them too. `window` slides by `step`.
    A language alarms at `threshold` standard errors above its baseline, with at least `least_share` of at least
    `least_posts` in the window, and `least_rise` times the usual share. A baseline's memory halves in `half_life`.
    Posts may come up to `lateness` after later ones; those that come later still are counted in `late` and nowhere
    else, as those without a time are in `undated`. A post more than a day ahead has a wrong clock: it is counted in
    `early`, unless many come in a row, as they do after a pause. `judged` windows were compared, `alarms` told. Not for
    use from several threads at once.
    """

    def __init__(
        self,
        on_surge: Callable[[Surge], None] | None = None,
        *,
        window: timedelta = timedelta(hours=2),
        step: timedelta = timedelta(minutes=10),
        threshold: float = 5.0,
        least_share: float = 0.02,
        least_posts: int = 100,
        least_rise: float = 1.5,
        half_life: timedelta = timedelta(days=5),
        lateness: timedelta = timedelta(minutes=5),
    ) -> None:
        if step.total_seconds() <= 0 or window < step or HOUR % step.total_seconds():
            raise ValueError("`step` must divide an hour, and `window` be at least as long")
        self.late = self.early = self.undated = self.posts = 0
        self.judged = self.alarms = 0
        self._on_surge = on_surge
        self._step = step.total_seconds()
        self._length = max(1, round(window.total_seconds() / self._step))
        self._threshold, self._least_share = threshold, least_share
        self.least_posts, self._least_rise = least_posts, least_rise
        self._fading = 0.5 ** (self._step / half_life.total_seconds())
        self._lateness = lateness.total_seconds()
        self._open: dict[int, _Bucket] = {}
        self._window: deque[tuple[int, _Bucket]] = deque()
        self._tracks: dict[str, _Track] = {}
        self._totals = [0.0] * HOURS
        self._next: int | None = None
        self._latest = -math.inf
        self._leaping = 0
        self._first: int | None = None

    def add(self, decision: Decision, created_at: Any) -> list[Surge]:
        """Count a decision on a post of this time: ISO 8601, seconds since 1970 or a datetime. Returns new alarms."""
        return self.observe(decision.languages, decision.uncovered, created_at)

    def observe(self, languages: Mapping[str, float], uncovered: Collection[str], created_at: Any) -> list[Surge]:
        """Count a post by the shares of its languages, the largest first, and which of them no rules serve."""
        seconds = seconds_of(created_at)
        if seconds is None:
            self.undated += 1
            return []
        if self._leaps(seconds):
            self.early += 1
            return []
        number = int(seconds // self._step)
        if self._next is not None and number < self._next:
            self.late += 1
            return []
        self.posts += 1
        bucket = self._open.setdefault(number, _Bucket())
        language = next(iter(languages), _UNDETERMINED)
        bucket.posts += 1
        bucket.languages[language] = bucket.languages.get(language, 0) + 1
        if language in uncovered:
            bucket.uncovered[language] = bucket.uncovered.get(language, 0) + 1
        if seconds <= self._latest:
            return []
        self._latest = seconds
        return self._advance(int((seconds - self._lateness) // self._step))

    def close(self) -> list[Surge]:
        """Judge what is still open: the stream has ended."""
        return self._advance(max(self._open) + 1) if self._open else []

    def _leaps(self, seconds: float) -> bool:
        self._leaping = self._leaping + 1 if seconds > self._latest + DAY and self.posts else 0
        return 0 < self._leaping < _LEAPS

    def _advance(self, until: int) -> list[Surge]:
        """Close the steps before `until`, in order; after a long pause the window is emptied at once."""
        alarms: list[Surge] = []
        while self._open and (number := min(self._open)) < until:
            start = number if self._next is None else max(self._next, number - self._length)
            for step in range(start, number + 1):
                alarms += self._close(step)
        return alarms

    def _close(self, number: int) -> list[Surge]:
        self._first = number if self._first is None else self._first
        self._next = number + 1
        self._window.append((number, self._open.pop(number, _Bucket())))
        while self._window[0][0] <= number - self._length:
            self._learn(*self._window.popleft())
        alarms = self._judge(number)
        self.alarms += len(alarms)
        for alarm in alarms:
            if self._on_surge is not None:
                self._on_surge(alarm)
        return alarms

    def _learn(self, number: int, bucket: _Bucket) -> None:
        """What leaves the window becomes part of the baseline."""
        hour = self._hour(number)
        self._totals = [total * self._fading for total in self._totals]
        self._totals[hour] += bucket.posts
        for language in bucket.languages.keys() - self._tracks.keys():
            self._tracks[language] = _Track()
        for language, track in self._tracks.items():
            track.hours = [count * self._fading for count in track.hours]
            track.hours[hour] += bucket.languages.get(language, 0)

    def _judge(self, number: int) -> list[Surge]:
        posts = sum(bucket.posts for _, bucket in self._window)
        if posts < self.least_posts or sum(self._totals) < self.least_posts:
            return []
        self.judged += 1
        counts: dict[str, int] = {}
        for _, bucket in self._window:
            for language, count in bucket.languages.items():
                counts[language] = counts.get(language, 0) + count
        watched = counts.keys() | {name for name, track in self._tracks.items() if track.alarmed is not None}
        found = (self._alarm(language, counts.get(language, 0), posts, number) for language in sorted(watched))
        return [alarm for alarm in found if alarm is not None]

    def _alarm(self, language: str, count: int, posts: int, number: int) -> Surge | None:
        if language == _UNDETERMINED:
            return None
        track = self._tracks.setdefault(language, _Track())
        usual, worth, hourly = self._baseline(track)
        share = count / posts
        difference = _log_odds(count, posts) - math.log(usual / (1 - usual))
        sampling = _variance(count, posts) + _variance(usual * worth, worth)
        wander = max(track.wander, _LEAST_WANDER**2) if hourly else _WANDER_AT_FIRST**2
        score = difference / math.sqrt(sampling + wander)
        surging = (
            score >= self._threshold
            and share >= self._least_share
            and count >= _LEAST_OF_ONE
            and share >= self._least_rise * usual
        )
        if hourly and not surging and track.alarmed is None:
            seen = min(max(difference**2 - sampling, 0.0), _SURPRISE * wander)
            track.wander += _LEARNING * (seen - track.wander)
        state = _next_state(track, surging, share, score < self._threshold / 2)
        return None if state is None else self._surge(language, state, count, posts, usual, score, number)

    def _baseline(self, track: _Track) -> tuple[float, float, bool]:
        """The usual share at the hours of the window, how many posts speak for it, and whether it is by hour."""
        at = [(self._hour(number), bucket.posts) for number, bucket in self._window]
        posts = sum(count for _, count in at)
        hours = {hour for hour, _ in at}
        if all(self._totals[hour] >= _LEAST_HOURLY for hour in hours):
            expected = sum(
                count * _smoothed(track.hours[hour], self._totals[hour], self._overall(track)) for hour, count in at
            )
            return expected / posts, sum(self._totals[hour] for hour in hours), True
        return self._overall(track), sum(self._totals), False

    def _overall(self, track: _Track) -> float:
        return _smoothed(sum(track.hours), sum(self._totals), _PRIOR_SHARE)

    def _surge(
        self, language: str, state: str, count: int, posts: int, usual: float, score: float, number: int
    ) -> Surge:
        unserved = sum(bucket.uncovered.get(language, 0) for _, bucket in self._window)
        uncovered = unserved / count if count else 0.0
        share = count / posts
        start = max(number - self._length + 1, self._first or 0)
        return Surge(
            language,
            state,
            written(start * self._step),
            written((number + 1) * self._step),
            posts,
            round(share, 4),
            round(usual, 4),
            round(score, 1),
            round(uncovered, 4),
            _message(language, state, usual, share, (number + 1 - start) * self._step, uncovered),
        )

    def _hour(self, number: int) -> int:
        return int(number * self._step % DAY // HOUR)


def _next_state(track: _Track, surging: bool, share: float, calm: bool) -> str | None:
    """What to tell of a language, if anything; remembers the share that was told."""
    if track.alarmed is None:
        if not surging:
            return None
        track.alarmed = share
        return "started"
    if surging and share >= _GROWTH * track.alarmed:
        track.alarmed = share
        return "grew"
    if calm:
        track.alarmed = None
        return "ended"
    return None


def _log_odds(count: float, total: float) -> float:
    return math.log((count + 0.5) / (total - count + 0.5))


def _variance(count: float, total: float) -> float:
    return 1 / (count + 0.5) + 1 / (total - count + 0.5)


def _smoothed(count: float, total: float, share: float) -> float:
    return (count + _PRIOR_POSTS * share) / (total + _PRIOR_POSTS)


def _message(language: str, state: str, usual: float, share: float, seconds: float, uncovered: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    span = " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)
    rise = f"{language} {_percent(usual)} → {_percent(share)} in {span}"
    return f"{rise}, {_percent(uncovered)} of it uncovered" if state != "ended" else f"{rise}: back to usual"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.095 or share == 0 else f"{share:.1%}"
