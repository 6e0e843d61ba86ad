"""Which script a code point is written in, and which scripts put spaces between words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moderation.text.classes import *  # noqa: F403
from moderation.text.tables import read_table, spread

_table = read_table("scripts")

script_of: NDArray[np.uint8] = spread(_table["script_starts"], _table["script_values"])
"""Script class by code point: an index into `names`. Punctuation, and marks and symbols of many scripts, are COMMON."""

kind_of: NDArray[np.uint8] = spread(_table["kind_starts"], _table["kind_values"])
"""PLAIN, MARK (combining marks and variation selectors: Mn, Me) or DIGIT (Nd), by code point."""
