"""Which detected languages the live packs serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moderation.engine.compile import live_packs, matches_any
from moderation.packs.load import RuleBook

UNDETERMINED = "und"


def covered_languages(book: RuleBook, names: Sequence[str]) -> frozenset[str]:
    """The detector's names that a live pack serves: by the policy's routes, without routes by the packs' languages.

    Text of no determined language claims no coverage and counts as covered.
    """
    packs = live_packs(book)
    if book.policy.routes:
        routed = book.policy.routes
        served = {code for code, globs in routed.items() if any(matches_any(pack.id, globs) for pack in packs)} - {"*"}
    else:
        served = {code for pack in packs for code in pack.file.languages}
    return frozenset(name for name in names if name == UNDETERMINED or _serves(name, served))


def _serves(name: str, served: set[str]) -> bool:
    return "*" in served or name in served or name.partition("-")[0] in served


def uncovered_in(languages: Mapping[str, float], covered: frozenset[str]) -> tuple[tuple[str, ...], float]:
    """A post's uncovered languages, the largest share first, and the share that they hold together."""
    found = {name: share for name, share in languages.items() if name not in covered}
    return tuple(sorted(found, key=lambda name: (-found[name], name))), sum(found.values())
