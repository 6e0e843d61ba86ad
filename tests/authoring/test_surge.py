"""Surges: alarms for what is unusual at that time of day, none for tides and noise, the same on every replay."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from moderation.authoring.surge import Surge, SurgeMonitor

START = datetime(2026, 11, 2, tzinfo=UTC)
Feed = list[tuple[str, datetime]]


def feed(days: float, surge_at: float | None = None, seed: int = 0, seconds: float = 40.0, tide: float = 0.03) -> Feed:
    """Posts of a Chinese feed whose English share follows the time of day, and from `surge_at` days on is 31 %."""
    source, now, posts = random.Random(seed), START, []
    while now < START + timedelta(days=days):
        now += timedelta(seconds=source.expovariate(1 / seconds))
        share = 0.04 + tide * math.sin(now.hour / 24 * 2 * math.pi)
        if surge_at is not None and now >= START + timedelta(days=surge_at):
            share = 0.31
        posts.append(("en" if source.random() < share else "fr" if source.random() < 0.02 else "zh", now))
    return posts


def alarms(posts: Feed, **options: Any) -> list[Surge]:
    monitor = SurgeMonitor(**options)
    return list(told(monitor, posts))


def told(monitor: SurgeMonitor, posts: Feed) -> Iterator[Surge]:
    for number, (language, at) in enumerate(posts):
        uncovered = ["en"] if language == "en" and number % 5 < 2 else []
        yield from monitor.observe({language: 1.0}, uncovered, at)
    yield from monitor.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_daily_tide_is_no_surge(seed: int) -> None:
    assert alarms(feed(5, seed=seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_surge_is_told_within_its_window(seed: int) -> None:
    found = alarms(feed(4, surge_at=3.1, seed=seed))
    first = found[0]
    assert (first.language, first.state) == ("en", "started")
    begun = START + timedelta(days=3.1)
    assert begun < datetime.fromisoformat(first.end) <= begun + timedelta(hours=2)
    assert first.share > 0.1 > first.baseline and first.score >= 5
    assert first.uncovered == pytest.approx(0.4, abs=0.2)
    assert {alarm.language for alarm in found} == {"en"}


def test_a_busy_feed_tells_within_minutes() -> None:
    found = alarms(feed(1.2, surge_at=1.1, seconds=4.0), window=timedelta(minutes=30))
    assert datetime.fromisoformat(found[0].end) - (START + timedelta(days=1.1)) <= timedelta(minutes=25)


def test_the_message_says_it_all() -> None:
    found = alarms(feed(4, surge_at=3.0))
    grown = found[-1]
    assert grown.state == "grew"
    assert grown.message.startswith("en ") and " → " in grown.message and " in 2 h, " in grown.message
    assert grown.message.endswith("of it uncovered")


def test_a_surge_ends() -> None:
    posts = feed(3, surge_at=2.5)
    later = [(language, at + timedelta(days=3)) for language, at in feed(1, seed=9)]
    states = [alarm.state for alarm in alarms(posts + later) if alarm.language == "en"]
    assert states[0] == "started" and states[-1] == "ended"


def test_replays_give_the_same_alarms_and_the_callback_hears_each() -> None:
    posts, heard = feed(4, surge_at=3.0), []
    monitor = SurgeMonitor(heard.append)
    returned = list(told(monitor, posts))
    assert heard == returned == alarms(posts)
    assert [alarm.to_json() for alarm in heard] == [alarm.to_json() for alarm in returned]


def test_posts_without_a_time_too_late_or_with_a_wrong_clock_are_counted_and_change_nothing() -> None:
    posts = feed(1)
    monitor = SurgeMonitor()
    clean = SurgeMonitor()
    for number, (language, at) in enumerate(posts):
        monitor.observe({language: 1.0}, [], at.isoformat())
        clean.observe({language: 1.0}, [], at.timestamp())
        if number % 100 == 50:
            monitor.observe({"en": 1.0}, [], None)
            monitor.observe({"en": 1.0}, [], "yesterday")
            monitor.observe({"en": 1.0}, [], at + timedelta(days=4000))
            monitor.observe({"en": 1.0}, [], at - timedelta(hours=9))
    rounds = len(range(50, len(posts), 100))
    assert (monitor.undated, monitor.early) == (2 * rounds, rounds)
    assert monitor.late + clean.posts == monitor.posts + monitor.late
    assert monitor.close() == clean.close() == []


def test_a_pause_of_days_is_believed() -> None:
    before, after = feed(1), [(language, at + timedelta(days=30)) for language, at in feed(1, seed=3)]
    monitor = SurgeMonitor()
    list(told(monitor, before + after))
    assert monitor.early < 30 and monitor.late == 0


def test_memory_is_that_of_a_window() -> None:
    monitor = SurgeMonitor()
    list(told(monitor, feed(6, seconds=120)))
    assert len(monitor._window) <= 12 and not monitor._open and len(monitor._tracks) <= 4


@pytest.mark.parametrize("step", [timedelta(0), timedelta(minutes=7), timedelta(hours=3)])
def test_steps_that_do_not_fit_are_refused(step: timedelta) -> None:
    with pytest.raises(ValueError, match="step"):
        SurgeMonitor(step=step)
