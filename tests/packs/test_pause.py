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
