"""Modules are imported, rules read and compiled, and dumps judged, without a pause for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused(staying: bool = False) -> Iterator[None]:
    """No garbage is collected meanwhile: hundreds of thousands of objects come to stay, or go all together, and the
    collector would walk them again and again for a sixth of the time that loading takes. Also a decorator.

    `staying`: they come to stay, and count as old from then on. The collector walks over them when it next looks at
    everything, and not right now. Where somebody has frozen something, it stays frozen.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if staying and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()
