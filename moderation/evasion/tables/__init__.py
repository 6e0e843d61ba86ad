"""The shipped tables of evasion (built by `python -m moderation.evasion.build_tables`) and how they are read."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_table(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of one shipped table by name."""
    with (resources.files(__package__) / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def read_lines(name: str) -> list[str]:
    """The lines of a shipped text file, without comments and empty ones."""
    text = (resources.files(__package__) / name).read_text("utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
