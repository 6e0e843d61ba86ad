"""What is looked for in loose readings: the rows of symbols that a spelling may show as."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, groupby, islice, pairwise
from operator import eq

import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.reading import GAP, SYLLABLE, SYMBOL_BREAK, Reading, kind, kind_of, syllable_symbol
from moderation.evasion.tricks import BIT
from moderation.text.batch import Batch
from moderation.text.views import folded_view

Symbols = tuple[int, ...]

_MOST = 16
_SHORT = 4
_LETTERS_END = 0x80
_SOUNDS = BIT["homophones"] | BIT["near-homophones"] | BIT["emoji"]


@dataclass(frozen=True, slots=True)
class Literals:
    """Texts as a loose reading reads them: 1v1 is read ivi, here as there. By text: `read`, and `plain` symbols."""

    read: tuple[str, ...]
    plain: tuple[bytes, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Literals:
        """Read texts, all at once."""
        if not texts:
            return cls((), ())
        view = folded_view(Batch.of(texts))
        reading = Reading.of(view)
        bounds = reading.symbol_at(view.starts).tolist()
        symbols = reading.symbols.tobytes()
        read = reading.codes[: len(view.codes)].tobytes().decode("utf-32-le").split("\0")[:-1]
        return cls(tuple(read), tuple(symbols[2 * start : 2 * end - 2] for start, end in pairwise(bounds)))

    def literals(self, at: int, mask: int) -> Iterator[bytes]:
        """The literals of a text by the tricks of a mask, the plainest first; none where part of it has no reading."""
        plain = self.plain[at]
        if SYMBOL_BREAK in array("H", plain):
            return
        yield plain
        if mask & BIT["separators"]:
            yield from _across_gaps(self.read[at], plain)
        if mask & (_SOUNDS | BIT["pinyin"]):
            yield from dict.fromkeys(each for row in _rows(self.read[at], mask) for each in _encoded(row))


def is_short(literal: bytes) -> bool:
    """Whether a literal is at most four Latin letters: these stand inside of many words."""
    return len(literal) <= 2 * _SHORT and not any(literal[1::2])


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
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    owner = np.arange(len(texts)).repeat(list(map(len, texts)))
    read = kind_of.take(codes) != GAP
    return codes[read], owner[read]


def _across_gaps(read: str, plain: bytes) -> Iterator[bytes]:
    """A Latin text as it is read with something between its letters: of nig ger the g is no repetition, of g r e a t
    t i t s the t is one.
    """
    if not read.isascii():
        return
    symbols = array("H", plain)
    once = [symbol for at, symbol in enumerate(symbols) if not at or symbol != symbols[at - 1]]
    if len(once) < len(symbols):
        yield array("H", once).tobytes()
    if read.isalpha():
        runs = [(letter, len(list(run))) for letter, run in groupby(read)]
        for at, (_, size) in enumerate(runs):
            if size > 1:
                row = [ord(letter) for here, (letter, _) in enumerate(runs) for _ in range(1 + (here == at))]
                yield array("H", row).tobytes()


def _encoded(row: Symbols) -> Iterator[bytes]:
    """Symbols as bytes, as they are read: repetitions as one, and letters that end one word and begin another as two:
    pinyin of 残你 is cani in one word, canni in two.
    """
    if not any(map(eq, row, row[1:])):
        yield array("H", row).tobytes()
        return
    yield array("H", [symbol for symbol, _ in groupby(row)]).tobytes()
    if max(row) < _LETTERS_END:
        yield array("H", row).tobytes()


def _rows(read: str, mask: int) -> Iterator[Symbols]:
    """The symbols of a text by other readings of its characters, and by their letters."""
    characters = [character for character in read if kind(character) != GAP]
    heard = {at: found for at, character in enumerate(characters) if (found := sounds.readings(character))}
    if not heard:
        return
    plain = [
        (syllable_symbol(heard[at][0]),) if at in heard else (ord(character) & 0x7F,)
        for at, character in enumerate(characters)
    ]
    if mask & _SOUNDS:
        yield from islice(_otherwise(plain, heard), _MOST)
    if mask & BIT["pinyin"]:
        yield from islice(_in_letters(plain, heard), _MOST)


def _otherwise(plain: Sequence[Symbols], heard: dict[int, tuple[str, ...]]) -> Iterator[Symbols]:
    """One character by another reading of it."""
    for at, syllables in heard.items():
        for syllable in syllables[1:]:
            yield _joined([*plain[:at], (syllable_symbol(syllable),), *plain[at + 1 :]])


def _in_letters(plain: Sequence[Symbols], heard: dict[int, tuple[str, ...]]) -> Iterator[Symbols]:
    """All syllables in letters, then some of them, in all ways if they are few."""
    letters = {at: _letters_of(syllables[0]) for at, syllables in heard.items()}
    yield _joined([letters.get(at, each) for at, each in enumerate(plain)])
    for at, syllables in heard.items():
        for other in syllables[1:]:
            turned = {**letters, at: _letters_of(other)}
            yield _joined([turned.get(here, each) for here, each in enumerate(plain)])
    for size in range(len(heard) - 1, 0, -1) if len(heard) <= _SHORT else (len(heard) - 1, 1):
        for chosen in combinations(heard, size):
            yield _joined([letters[at] if at in chosen else each for at, each in enumerate(plain)])


@lru_cache(maxsize=1 << 10)
def _letters_of(syllable: str) -> Symbols:
    return tuple(map(ord, syllable))


def _joined(parts: Sequence[Symbols]) -> Symbols:
    return tuple([symbol for part in parts for symbol in part])
