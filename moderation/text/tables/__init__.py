"""The shipped Unicode tables (built by `python -m moderation.text.build_tables`) and how they are read."""

from __future__ import annotations

from importlib import resources

import numpy as np
from numpy.typing import NDArray

CODE_POINTS = 0x110000

# What the fold table says of a code point: the code point it becomes, or one of these with 21 bits of detail.
CODE = np.uint32(0x1FFFFF)
DELETE = 0x200000
EXPAND = 0x400000  # becomes several: the detail numbers the expansion
COMPOSE = 0x800000  # may merge with the code point before it: the detail is the code point
VANISH = 0x1000000  # as COMPOSE, but a mark: where it merges with nothing, it vanishes

# The kinds of a fold, as bits.
WIDTH, COMPATIBILITY, INVISIBLE, MARKED, TRADITIONAL = 1, 2, 4, 8, 16


def _keep_freed_memory() -> None:
    """Let the C library keep what is freed instead of giving it back to the system.

    glibc takes the size of the largest block that was freed for its measure of what is big. Without this, every batch
    pays for fresh pages in each of its steps: folding takes three times as long.
    """
    np.empty(1 << 24, np.uint8)


def read_table(name: str) -> dict[str, NDArray[np.uint32]]:
    """The arrays of one shipped table by name."""
    path = resources.files(__package__) / f"{name}.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def spread(starts: NDArray[np.uint32], values: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """One value a code point from runs: `values[i]` holds from `starts[i]` to the next start."""
    lengths = np.diff(starts, append=np.uint32(CODE_POINTS))
    return np.repeat(values.astype(np.uint8), lengths.astype(np.int64))


_keep_freed_memory()
