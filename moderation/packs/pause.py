"""Modules are imported, and rules are read and compiled, without a pause for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage is collected meanwhile: hundreds of thousands of objects come to stay, and the collector would walk
    them again and again for a sixth of the time that loading takes. Also a decorator.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            _count_as_old()
            gc.enable()


def _count_as_old() -> None:
    """Put all that there is among what is old, where it would come to stand anyway: the collector walks over it when it
    next looks at everything, and not right now. Where somebody has frozen something, it stays frozen.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
