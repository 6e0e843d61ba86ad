"""Rules are read and compiled, and dumps are judged, without a pause for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage is collected meanwhile: hundreds of thousands of objects come to stay, or go all together, and the
    collector would walk them again and again for a sixth of the time that loading takes. Also a decorator.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
