"""Memory that compiling took and nobody needs any longer."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Hand free memory back to the system, where the C library can be asked to (glibc): compiling leaves a quarter of
    an engine's memory free in small pieces, which would stay with the process. Takes some 10 ms.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
