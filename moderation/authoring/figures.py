"""Figures as people read them."""

from __future__ import annotations

_LEAST_SHOWN = 0.0005


def counted(number: int, thing: str) -> str:
    """`1 post`, `2,000 posts`."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def percent(share: float) -> str:
    """A share with one decimal; what is there and would be rounded away is `<0.1%`."""
    return "<0.1%" if 0 < share < _LEAST_SHOWN else f"{share:.1%}"
