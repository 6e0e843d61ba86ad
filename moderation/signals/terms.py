"""Terms, words among them apart.

Much of the time of looking for terms goes into telling where they stand, and `as` or `he` stand inside of every other
English word. Terms that are words of Latin letters, and count only where no letter goes on beyond them, are therefore
looked for with their edges: between spaces, in a copy of the text in which everything but a to z is a space.
"""

from __future__ import annotations

from codecs import utf_32_le_encode
from collections.abc import Collection, Mapping

import numpy as np
import regex
from numpy.typing import NDArray

from moderation.signals.matcher import NO_HITS, Columns, Wanted
from moderation.text.dense_search import DenseSearch
from moderation.text.lists import Index, constant
from moderation.text.literal_search import LiteralSearch, Occurrences
from moderation.text.views import View

_SURROGATE = regex.compile(r"[\ud800-\udfff]")
_ONE, _TWO = constant(1, np.int64), constant(2, np.int64)
_SPACED = np.array([code if ord("a") <= code <= ord("z") else ord(" ") for code in range(256)], np.uint8)
"""What stands for each code point in the copy in which words are looked for; the last for all beyond it too."""


class Terms:
    """Terms by number. Those in `edged` are left out where a letter from a to z goes on beyond their first or last.
    They are found `densely` where most texts hold many of them.
    """

    def __init__(self, terms: Mapping[int, str], edged: Collection[int], densely: bool = False) -> None:
        words = {number: term for number, term in terms.items() if number in edged and _is_word(term)}
        plain = {number: term for number, term in _sayable(terms).items() if number not in words}
        self._plain, self._words = _numbers(plain), _numbers(words)
        self._search = (DenseSearch if densely and plain else LiteralSearch)([*plain.values()])
        self._word_search = LiteralSearch([f" {word} ".encode() for word in words.values()])
        self._hold_separators = any("\0" in term for term in terms.values())

    def everywhere(self, view: View) -> Columns:
        """Every occurrence in a view, overlapping ones too."""
        found = self._find(view.text, view.codes)
        if not found.shape[1]:
            return NO_HITS
        row = view.starts.searchsorted(found[1], side="right") - _ONE
        return self._columns(view, row, found, view.starts.take(row))

    def inside(self, view: View, rows: Index, wanted: Wanted | None = None) -> Columns:
        """Every occurrence in some rows, or those that are wanted. Rows are searched joined."""
        if not self:
            return NO_HITS
        opens, closes = view.starts[rows], view.starts[rows + _ONE]
        text = view.text
        text = "".join([text[start:end] for start, end in zip(opens.tolist(), closes.tolist(), strict=True)])
        found = self._find(text, np.frombuffer(utf_32_le_encode(text)[0], np.uint32))
        if not found.shape[1]:
            return NO_HITS
        lengths = closes - opens
        base = np.add.accumulate(lengths) - lengths
        part = base.searchsorted(found[1], side="right") - _ONE
        if wanted is not None:
            kept = wanted.are(rows.take(part), found[0]).nonzero()[0]
            part, found = part.take(kept), found.take(kept, 1)
        return self._columns(view, rows.take(part), found, base.take(part))

    def __bool__(self) -> bool:
        return bool(len(self._plain) or len(self._words))

    def _columns(self, view: View, row: Index, found: Occurrences, base: Index) -> Columns:
        """Hits in their rows, which begin at `base`; what reaches over a separator is none."""
        hits = np.empty((4, len(row)), np.int64)
        hits[0], hits[1] = row, found[0]
        np.subtract(found[1:], base, out=hits[2:])
        if not self._hold_separators:
            return hits
        return hits.compress(hits[3] < view.starts[row + _ONE] - view.starts[row], 1)

    def _find(self, text: str, codes: NDArray[np.uint32]) -> Occurrences:
        """Where terms stand in a text, of which these are the code points, by their numbers."""
        plain = self._search.find(text)
        plain[0] = self._plain.take(plain[0])
        if not len(self._words):
            return plain
        words = self._word_search.find(b" %b " % _SPACED.take(codes, mode="clip").tobytes())
        if not words.shape[1]:
            return plain
        words[0] = self._words.take(words[0])
        # One more space stands before the text, and one around each word.
        words[2] -= _TWO
        return np.concatenate((plain, words), axis=1) if plain.shape[1] else words


def _numbers(terms: Mapping[int, str]) -> Index:
    return np.array([*terms], np.int64)


def _sayable(terms: Mapping[int, str]) -> Mapping[int, str]:
    """Without those that hold lone surrogates, which no view does."""
    try:
        "".join(terms.values()).encode()
    except UnicodeEncodeError:
        return {number: term for number, term in terms.items() if not _SURROGATE.search(term)}
    return terms


def _is_word(term: str) -> bool:
    return term.isascii() and term.isalpha() and term.islower()
