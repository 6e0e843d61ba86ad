"""Terms, words among them apart.

Much of the time of looking for terms goes into telling where they stand, and `as` or `he` stand inside of every other
English word. Terms that are words of Latin letters, and count only where no letter goes on beyond them, are therefore
looked for with their edges: between spaces, in a copy of the text in which everything but a to z is a space.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import regex

from moderation.signals.matcher import NO_HITS, Columns, Wanted
from moderation.text.literal_search import Index, LiteralSearch, Occurrences
from moderation.text.views import View

_SURROGATE = regex.compile(r"[\ud800-\udfff]")
_A, _LETTERS, _SPACE = np.uint8(ord("a")), 26, np.uint8(ord(" "))


class Terms:
    """Terms by number. Those in `edged` are left out where a letter from a to z goes on beyond their first or last."""

    def __init__(self, terms: Mapping[int, str], edged: Collection[int]) -> None:
        words = {number: term for number, term in terms.items() if number in edged and _is_word(term)}
        plain = {number: term for number, term in _sayable(terms).items() if number not in words}
        self._plain, self._words = _numbers(plain), _numbers(words)
        self._search = LiteralSearch([*plain.values()])
        self._word_search = LiteralSearch([f" {word} ".encode() for word in words.values()])

        self._hold_separators = any("\0" in term for term in terms.values())

    def everywhere(self, view: View) -> Columns:
        """Every occurrence in a view, overlapping ones too."""
        pattern, start, end = self._find(view.text)
        row = view.starts.searchsorted(start, side="right") - 1
        base = view.starts[row]
        return self._columns(view, row, pattern, start - base, end - base)

    def inside(self, view: View, rows: Index, wanted: Wanted | None = None) -> Columns:
        """Every occurrence in some rows, or those that are wanted. Rows are searched joined."""
        if not len(self._plain) and not len(self._words):
            return NO_HITS
        opens, closes = view.starts[rows], view.starts[rows + 1]
        text = view.text
        joined = "".join([text[start:end] for start, end in zip(opens.tolist(), closes.tolist(), strict=True)])
        pattern, start, end = self._find(joined)
        lengths = closes - opens
        base = np.add.accumulate(lengths) - lengths
        part = base.searchsorted(start, side="right") - 1
        row = rows[part]
        if wanted is not None:
            kept = wanted.are(row, pattern).nonzero()[0]
            row, pattern, start, end, part = row[kept], pattern[kept], start[kept], end[kept], part[kept]
        base = base[part]
        return self._columns(view, row, pattern, start - base, end - base)

    def _columns(self, view: View, *columns: Index) -> Columns:
        """Hits in their rows; what reaches over a separator is none."""
        found = np.array(columns)
        if not self._hold_separators:
            return found
        row, _, _, end = found
        return found.compress(end < view.starts[row + 1] - view.starts[row], 1)

    def _find(self, text: str) -> Occurrences:
        """Where terms stand, by their numbers."""
        found = self._search.find(text)
        plain = Occurrences(self._plain[found.literal], found.start, found.end)
        if not len(self._words):
            return plain
        found = self._word_search.find(_spaced(text))
        # One more space stands before the text, and one around each word.
        words = (self._words[found.literal], found.start, found.end - 2)
        return Occurrences(*map(np.concatenate, zip(plain, words, strict=True)))


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


def _spaced(text: str) -> bytes:
    """Everything but a to z as spaces, and one more before and behind. These letters hold the bit of a space."""
    found = np.empty(len(text) + 2, np.uint8)
    found[[0, -1]] = _SPACE
    each = np.frombuffer(text.encode("ascii", "replace"), np.uint8)
    inside = np.multiply(each, (each - _A) < _LETTERS, out=found[1:-1])
    inside |= _SPACE
    return found.tobytes()
