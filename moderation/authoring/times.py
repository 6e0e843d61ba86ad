"""Times of posts, in the forms that feeds write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from moderation.engine.conditions import as_instant

HOUR = 3600.0

_MILLISECONDS = 1e11


def seconds_of(created_at: Any) -> float | None:
    """Seconds since 1970 of a time: ISO 8601 (without a zone, UTC), a datetime, or seconds or milliseconds since 1970.

    None for what is no time.
    """
    if isinstance(created_at, bool):
        return None
    if isinstance(created_at, int | float):
        seconds = created_at / 1000 if abs(created_at) > _MILLISECONDS else float(created_at)
        return seconds if math.isfinite(seconds) and abs(seconds) < _MILLISECONDS else None
    instant = as_instant(created_at)
    return None if instant is None else instant.timestamp()


def written(seconds: float) -> str:
    """A time in ISO 8601, UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
