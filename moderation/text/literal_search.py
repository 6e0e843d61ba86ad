"""Every occurrence of many literals, overlapping ones too, in one pass over a text: Aho-Corasick automata.

`daachorse` (S. Kanda, K. Akabe, Y. Oda: Engineering faster double-array Aho-Corasick automata, Software: Practice and
Experience 53(6), 2023) is built ten times as fast as Hyperscan compiles the same literals, and needs no call back to
Python for each match. Where it has no wheel, which is on ARM but for Macs, `ahocorasick-rs` gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Literals: TypeAlias = "Sequence[str] | Sequence[bytes]"
Occurrences: TypeAlias = "NDArray[np.int64]"
"""Three columns: the number of the literal, where it starts, and where it ends."""


class _Native(NamedTuple):
    """What a package offers, and at which places of its matches literal, start and end stand."""

    find: Callable[[Any], list[tuple[int, int, int]]]
    order: NDArray[np.int64]


_IN_ORDER, _LITERAL_LAST = np.array((0, 1, 2)), np.array((2, 0, 1))


class LiteralSearch:
    """Literals, all texts or all bytes, none of them empty. Immutable, and safe to share between threads."""

    def __init__(self, literals: Literals) -> None:
        self._native = _automaton(literals) if literals else _Native(lambda text: [], _IN_ORDER)

    def find(self, text: str | bytes) -> Occurrences:
        """Every occurrence in a text, or in bytes if the literals are bytes, in any order."""
        found = self._native.find(text)
        columns = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3).T
        return columns.take(self._native.order, 0)


def _automaton(literals: Literals) -> _Native:
    try:
        return _daachorse(literals)
    except ImportError:
        return _ahocorasick_rs(literals)


def _daachorse(literals: Literals) -> _Native:
    from daachorse import CharwiseDoubleArrayAhoCorasick, DoubleArrayAhoCorasick

    kind: Any = DoubleArrayAhoCorasick if isinstance(literals[0], bytes) else CharwiseDoubleArrayAhoCorasick
    return _Native(kind(list(literals), use_prefilter=False).find_overlapping, _LITERAL_LAST)


def _ahocorasick_rs(literals: Literals) -> _Native:
    from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, Implementation

    kind: Any = BytesAhoCorasick if isinstance(literals[0], bytes) else AhoCorasick
    native = kind(list(literals), implementation=Implementation.ContiguousNFA)
    return _Native(partial(native.find_matches_as_indexes, overlapping=True), _IN_ORDER)
