"""What is looked for in loose readings: the rows of symbols that a spelling may show as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from moderation.evasion import sounds
from moderation.evasion.reading import (
    GAP,
    MARK,
    SYLLABLE,
    SYMBOL_BREAK,
    kind_of,
    loose_reading,
    syllable_symbol,
    symbol_of,
)
from moderation.evasion.tricks import BIT
from moderation.text.batch import Batch
from moderation.text.views import folded_view

Symbols = tuple[int, ...]

_MOST = 16
_SHORT = 4


def read_as(texts: Sequence[str]) -> list[str]:
    """Texts as a loose reading reads them, character by character: 1v1 is read ivi, there as here."""
    if not texts:
        return []
    view = folded_view(Batch.of(texts))
    codes = loose_reading(view).codes
    return codes.tobytes().decode("utf-32-le").split("\0")[:-1]


def literals(read: str, mask: int, exact: bool) -> list[bytes]:
    """The literals of a spelling as it is read, the plainest first; none for one that holds what has no reading."""
    rows = dict.fromkeys(_squeezed(row) for row in _rows(read, 0 if exact else mask))
    return [encoded(row) for row in rows if SYMBOL_BREAK not in row]


def encoded(row: Symbols) -> bytes:
    """Symbols as bytes, two each."""
    return b"".join(symbol.to_bytes(2, "little") for symbol in row)


def is_short(literal: bytes) -> bool:
    """Whether a literal is at most four Latin letters: these stand inside of so many words that only those at the
    beginning of a word are looked for.
    """
    return len(literal) <= 2 * _SHORT and not any(literal[1::2])


def marked(literal: bytes) -> Iterator[bytes]:
    """A short literal as it stands where its first letter opens a word, and any other may."""
    letters = literal[::2]
    for size in range(len(letters)):
        for also in combinations(range(1, len(letters)), size):
            yield encoded(tuple(byte | MARK if at in (0, *also) else byte for at, byte in enumerate(letters)))


def is_enough(text: str) -> bool:
    """Whether a folded text is long enough for tricks: two different characters that sound, or three letters. Less
    stands in every other post.
    """
    read = [character for character in text if kind_of[ord(character)] != GAP]
    different = sum(one != other for one, other in zip(["", *read], read, strict=False))
    syllables = sum(kind_of[ord(character)] == SYLLABLE for character in read)
    return different >= 2 and len(read) >= (2 if syllables else 3)


def size_of(text: str) -> int:
    """How many characters of a text are read."""
    return sum(kind_of[ord(character)] != GAP for character in text)


def _rows(read: str, mask: int) -> Iterator[Symbols]:
    """The symbols of a text; of characters also other readings, near ones, and their letters."""
    characters = [character for character in read if kind_of[ord(character)] != GAP]
    plain = [(int(symbol_of[ord(character)]),) for character in characters]
    yield _joined(plain)
    heard = {at: found for at, character in enumerate(characters) if (found := sounds.readings(character))}
    yield from islice(_otherwise(plain, heard, mask), _MOST)
    if mask & BIT["pinyin"]:
        yield from islice(_in_letters(plain, heard), _MOST)


def _otherwise(plain: Sequence[Symbols], heard: dict[int, tuple[str, ...]], mask: int) -> Iterator[Symbols]:
    """One character by another reading of it, or by one that is near; by near ones also all together."""
    near = bool(mask & BIT["near-homophones"])
    for at, syllables in heard.items():
        others = [*syllables[1:], *(sorted(sounds.near(syllables[0]) - set(syllables)) if near else ())]
        for syllable in others:
            yield _joined([*plain[:at], (syllable_symbol(syllable),), *plain[at + 1 :]])
    if near and len(heard) > 1:
        yield _joined(
            [(syllable_symbol(_nearest(heard[at][0])),) if at in heard else each for at, each in enumerate(plain)]
        )


def _nearest(syllable: str) -> str:
    return min(sounds.near(syllable) - {syllable}, default=syllable)


def _in_letters(plain: Sequence[Symbols], heard: dict[int, tuple[str, ...]]) -> Iterator[Symbols]:
    """All syllables in letters, then some of them, in all ways if they are few."""
    letters = {at: tuple(map(ord, syllables[0])) for at, syllables in heard.items()}
    choices = [tuple(heard)]
    for at, syllables in heard.items():
        for other in syllables[1:]:
            yield _joined(
                [tuple(map(ord, other)) if here == at else letters.get(here, each) for here, each in enumerate(plain)]
            )
    sizes = range(len(heard) - 1, 0, -1) if len(heard) <= 4 else (1,)
    choices += [chosen for size in sizes for chosen in combinations(heard, size)]
    for chosen in choices:
        yield _joined([letters[at] if at in chosen else each for at, each in enumerate(plain)])


def _joined(parts: Sequence[Symbols]) -> Symbols:
    return tuple(symbol for part in parts for symbol in part)


def _squeezed(row: Symbols) -> Symbols:
    """Repetitions as one, as they are read."""
    return tuple(symbol for at, symbol in enumerate(row) if not at or symbol != row[at - 1])
