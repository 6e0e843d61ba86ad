"""The shipped language tables (built by `python -m moderation.language.build_tables`) and how they are read."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_table(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of one shipped table by name."""
    path = resources.files(__package__) / f"{name}.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}
