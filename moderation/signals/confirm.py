"""Exact regex matching with a time limit: what both matchers do in the end."""

from __future__ import annotations

from collections.abc import Sequence

import regex

Spans = list[tuple[int, int]]


def checked_terms(terms: Sequence[str]) -> tuple[str, ...]:
    """The terms as they are; an empty one, which would hit everywhere, raises `ValueError`."""
    if "" in terms:
        raise ValueError(f"term {list(terms).index('')} is empty: an empty term would hit everywhere")
    return tuple(terms)


def compile_regexes(patterns: Sequence[str], ignore_case: bool) -> tuple[regex.Pattern[str], ...]:
    """Patterns of the `regex` package, version 0 behaviour. Raises `ValueError` naming the first that is wrong."""
    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    return tuple(_compile(index, pattern, flags) for index, pattern in enumerate(patterns))


def _compile(index: int, pattern: str, flags: int) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, flags)
    except (regex.error, ValueError) as error:
        raise ValueError(f"regex {index} {pattern!r} does not compile: {error}") from error


def confirm(pattern: regex.Pattern[str], text: str, timeout: float) -> Spans | None:
    """All non-empty matches as code point spans; None when `timeout` seconds did not suffice to find them all."""
    try:
        return [span for match in pattern.finditer(text, timeout=timeout) if (span := match.span())[0] < span[1]]
    except TimeoutError:
        return None
