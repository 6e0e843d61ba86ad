"""Whether a hit stands on the edges of words, by the script that it is written in.

An edge is tested only where the hit's own edge character belongs to a script that writes spaces, against a neighbour
of the same script: `vx` stands on edges in 加vx聊 and in vx123, not in vxyz. Digits of all scripts are one class. Of
Hangul only the start is tested, because particles follow a noun without a space. Marks that many scripts share belong
to the character before them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moderation.text.lists import constant
from moderation.text.scripts import COMMON, DIGIT, HAN, HANGUL, MARK, kind_of, names, script_of, writes_spaces
from moderation.text.segmenter import cut
from moderation.text.views import Indexes, View

Edges = NDArray[np.bool_]
Positions = NDArray[np.int64]

_UNTESTED, _DIGITS, _SHARED_MARK = 0, len(names), len(names) + 1
_WINDOW = 64


def _edge_classes() -> NDArray[np.uint8]:
    classes = np.where(writes_spaces, np.arange(len(names)), _UNTESTED).astype(np.uint8)[script_of]
    classes[kind_of == DIGIT] = _DIGITS
    classes[(kind_of == MARK) & (script_of == COMMON)] = _SHARED_MARK
    return classes


_CLASS_OF = _edge_classes()
_IS_SHARED = constant(_SHARED_MARK, np.uint8)


def _tested() -> NDArray[np.bool_]:
    """By class, and then once more for ends, whether an edge with the same class beyond it is none."""
    tested = np.ones((2, 128), np.bool_)
    tested[:, _UNTESTED] = tested[1, HANGUL] = False
    return tested.ravel()


_TESTED, _ENDS = _tested(), np.array(((0,), (128,)), np.uint8)
# What is before a hit and behind it, its first and its last.
_BESIDE = np.array(((-1,), (0,), (0,), (-1,)))


def script_edges(view: View, rows: Indexes, starts: Indexes, ends: Indexes) -> Edges:
    """Which hits stand on edges; `starts` and `ends` are code points of the view, relative to their row."""
    base = view.starts[rows]
    first, after = base + starts, base + ends
    classes = _classes(view.codes, np.array((first, after, first, after)) + _BESIDE)
    if np.count_nonzero(classes == _IS_SHARED):
        classes = _past_marks(view.codes, first, after)
    within = classes[2:]
    joined = classes[:2] == within
    joined &= _TESTED.take(within + _ENDS)
    stands: Edges = ~(joined[0] | joined[1])
    return stands


def _classes(codes: NDArray[np.uint32], positions: Positions) -> NDArray[np.uint8]:
    return _CLASS_OF.take(codes[positions])


def _past_marks(codes: NDArray[np.uint32], first: Positions, after: Positions) -> NDArray[np.uint8]:
    """The same as `script_edges` asks for, where shared marks are looked past."""
    others = (_CLASS_OF.take(codes) != _SHARED_MARK).nonzero()[0]
    before, last = (others[np.searchsorted(others, end) - 1] for end in (first, after))
    following = others[np.searchsorted(others, after)]
    return _classes(codes, np.array((before, following, first, last)))


def word_edges(view: View, rows: Indexes, starts: Indexes, ends: Indexes) -> Edges:
    """Which hits stand on edges and, where they start or end inside of Han text, between two words of it.

    Words are those of jieba's dictionary, in a window of 64 characters around each edge: 口交 does not stand in
    地铁口交易 (地铁口, 交易). Words that the dictionary does not hold are no obstacle: an edge is refused only where a
    word of the dictionary reaches across it.
    Raises ModerationError where the segmenter is not installed.
    """
    stands = script_edges(view, rows, starts, ends)
    base = view.starts[rows]
    edges = np.stack((base + starts, base + ends))
    han = _is_han(view.codes[edges]) & _is_han(view.codes[edges - 1]) & stands
    refused = [edge for edge in np.unique(edges[han]).tolist() if not _between_words(view, edge)]
    return stands & ~(han & np.isin(edges, refused)).any(axis=0)


def _is_han(codes: NDArray[np.uint32]) -> Edges:
    han: Edges = script_of.take(codes) == HAN
    return han


def _between_words(view: View, edge: int) -> bool:
    """Whether no word of the dictionary reaches across an edge that has Han on both sides."""
    opens = max(edge - _WINDOW // 2, 0)
    window = view.codes[opens : edge + _WINDOW // 2]
    others = (~_is_han(window)).nonzero()[0] + opens
    place = int(np.searchsorted(others, edge))
    start = int(others[place - 1]) + 1 if place else opens
    end = int(others[place]) if place < len(others) else opens + len(window)
    words = cut(view.text[start:end])
    return edge - start in np.cumsum([len(word) for word in words])
