"""What is looked for in loose readings: the rows of symbols that a spelling may show as.

A row is a text here, a character of it for each symbol of 16 bits: none of these is a surrogate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, groupby, islice, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.reading import GAP, SYLLABLE, SYMBOL_BREAK, Reading, kind, kind_of, syllable_symbol
from moderation.evasion.tricks import BIT
from moderation.text.batch import Batch, joined
from moderation.text.views import folded_view

_MOST = 16
_SHORT = 4
_SOUNDS = BIT["homophones"] | BIT["near-homophones"] | BIT["emoji"]
_BREAK = chr(SYMBOL_BREAK)
_REPEATED = re.compile(r"(.)\1+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Literals:
    """Texts as a loose reading reads them: 1v1 is read ivi, here as there. By text: `read`, and `plain` symbols."""

    read: tuple[str, ...]
    plain: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Literals:
        """Read texts, all at once."""
        if not texts:
            return cls((), ())
        view = folded_view(Batch.of(texts))
        reading = Reading.of(view)
        bounds = reading.symbol_at(view.starts).tolist()
        symbols = reading.symbols.tobytes().decode("utf-16-le")
        read = reading.codes[: len(view.codes)].tobytes().decode("utf-32-le").split("\0")[:-1]
        return cls(tuple(read), tuple(symbols[start : end - 1] for start, end in pairwise(bounds)))

    def literals(self, at: int, mask: int) -> list[str]:
        """The literals of a text by the tricks of a mask, the plainest first; none where part of it has no reading."""
        plain = self.plain[at]
        if _BREAK in plain:
            return []
        found = [plain]
        if mask & BIT["separators"]:
            found += _across_gaps(self.read[at], plain)
        if mask & (_SOUNDS | BIT["pinyin"]):
            found += dict.fromkeys(each for row in _rows(self.read[at], mask) for each in _as_read(row))
        return found


def is_short(literal: str) -> bool:
    """Whether a literal is at most four Latin letters: these stand inside of many words."""
    return len(literal) <= _SHORT and literal.isascii()


def is_enough(text: str) -> bool:
    """Whether a folded text is long enough for tricks: two different characters that sound, or three letters. Less
    stands in every other post.
    """
    return bool(are_enough((text,))[0])


def are_enough(texts: Sequence[str]) -> NDArray[np.bool_]:
    """The same for many."""
    codes, owner = _read(texts)
    other = np.ones(len(codes), np.bool_)
    other[1:] = (codes[1:] != codes[:-1]) | (owner[1:] != owner[:-1])
    different, syllables = (np.bincount(owner, which, len(texts)) for which in (other, kind_of.take(codes) == SYLLABLE))
    enough: NDArray[np.bool_] = (different >= 2) & (sizes_of(texts) >= np.where(syllables, 2, 3))
    return enough


def sizes_of(texts: Sequence[str]) -> NDArray[np.int64]:
    """How many characters of each text are read."""
    sizes: NDArray[np.int64] = np.bincount(_read(texts)[1], minlength=len(texts))
    return sizes


def _read(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The characters of all texts that are no gaps, and the number of the text that each is of."""
    codes, lengths, _ = joined(texts)
    owner = np.arange(len(texts)).repeat(lengths)
    read = kind_of.take(codes) != GAP
    return codes[read], owner[read]


def _across_gaps(read: str, plain: str) -> Iterator[str]:
    """A Latin text as it is read with something between its letters: of nig ger the g is no repetition, of g r e a t
    t i t s the t is one.
    """
    if not read.isascii():
        return
    if _REPEATED.search(plain):
        yield _once(plain)
    if read.isalpha() and _REPEATED.search(read):
        runs = [(letter, len(list(run))) for letter, run in groupby(read)]
        for at, (_, size) in enumerate(runs):
            if size > 1:
                yield "".join([letter * (1 + (here == at)) for here, (letter, _) in enumerate(runs)])


def _once(row: str) -> str:
    return _REPEATED.sub(r"\1", row)


def _as_read(row: str) -> tuple[str, ...]:
    """Symbols as they are read: repetitions as one, and letters that end one word and begin another as two: pinyin of
    残你 is cani in one word, canni in two.
    """
    if not _REPEATED.search(row):
        return (row,)
    return (_once(row), row) if row.isascii() else (_once(row),)


class _Heard(NamedTuple):
    """A character as one symbol, and by its readings, the commonest first, as symbols and in letters."""

    plain: str
    symbols: tuple[str, ...]
    letters: tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def _heard(character: str) -> _Heard | None:
    """None for what is not read."""
    if kind(character) == GAP:
        return None
    letters = sounds.readings(character)
    symbols = tuple(chr(syllable_symbol(each)) for each in letters)
    return _Heard(symbols[0] if symbols else chr(ord(character) & 0x7F), symbols, letters)


def _rows(read: str, mask: int) -> Iterator[str]:
    """The symbols of a text by other readings of its characters, and by their letters."""
    characters = [heard for heard in map(_heard, read) if heard is not None]
    sounding = {at: heard for at, heard in enumerate(characters) if heard.letters}
    if not sounding:
        return
    plain = "".join([heard.plain for heard in characters])
    if mask & _SOUNDS:
        yield from islice(_otherwise(plain, sounding), _MOST)
    if mask & BIT["pinyin"]:
        yield from islice(_in_letters(plain, sounding), _MOST)


def _otherwise(plain: str, sounding: Mapping[int, _Heard]) -> Iterator[str]:
    """One character by another reading of it."""
    for at, heard in sounding.items():
        for symbol in heard.symbols[1:]:
            yield plain[:at] + symbol + plain[at + 1 :]


def _in_letters(plain: str, sounding: Mapping[int, _Heard]) -> Iterator[str]:
    """All syllables in letters, then some of them, in all ways if they are few."""
    lettered = list(plain)
    for at, heard in sounding.items():
        lettered[at] = heard.letters[0]
    yield "".join(lettered)
    for at, heard in sounding.items():
        for other in heard.letters[1:]:
            yield "".join([*lettered[:at], other, *lettered[at + 1 :]])
    for size in range(len(sounding) - 1, 0, -1) if len(sounding) <= _SHORT else (len(sounding) - 1, 1):
        for chosen in combinations(sounding, size):
            row = list(plain)
            for at in chosen:
                row[at] = lettered[at]
            yield "".join(row)
