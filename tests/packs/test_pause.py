"""Loading without pauses for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from moderation.packs.pause import collector_paused


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    enabled = gc.isenabled()
    yield
    gc.enable() if enabled else gc.disable()


@pytest.mark.parametrize("enabled", [True, False])
def test_it_leaves_the_collector_as_it_was(enabled: bool) -> None:
    gc.enable() if enabled else gc.disable()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled() == enabled


def test_it_goes_on_after_an_error() -> None:
    @collector_paused()
    def fails() -> None:
        raise ValueError

    gc.enable()
    for _ in range(2):
        with pytest.raises(ValueError):
            fails()
        assert gc.isenabled()


def test_what_was_made_meanwhile_is_not_walked_over_at_once() -> None:
    gc.enable()
    with collector_paused(staying=True):
        made = [[number] for number in range(2000)]
    assert any(each is made[0] for each in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_what_is_frozen_stays_frozen() -> None:
    gc.enable()
    gc.freeze()
    try:
        with collector_paused(staying=True):
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
