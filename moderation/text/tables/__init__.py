"""The shipped Unicode tables (built by `python -m moderation.text.build_tables`) and how they are read."""

from __future__ import annotations

from importlib import resources

import numpy as np
from numpy.typing import NDArray

CODE_POINTS = 0x110000

# What the fold table says of a code point: the code point it becomes, or one of these with 21 bits of detail.
CODE = 0x1FFFFF
DELETE = 0x200000
EXPAND = 0x400000  # becomes several: the detail numbers the expansion
COMPOSE = 0x800000  # may merge with the code point before it: the detail is the code point

# The kinds of a fold, as bits.
WIDTH, COMPATIBILITY, INVISIBLE, MARKED, TRADITIONAL = 1, 2, 4, 8, 16


def read_table(name: str) -> dict[str, NDArray[np.uint32]]:
    """The arrays of one shipped table by name."""
    path = resources.files(__package__) / f"{name}.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def spread(starts: NDArray[np.uint32], values: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """One value a code point from runs: `values[i]` holds from `starts[i]` to the next start."""
    lengths = np.diff(starts, append=np.uint32(CODE_POINTS))
    return np.repeat(values.astype(np.uint8), lengths.astype(np.int64))
