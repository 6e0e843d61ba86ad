"""Which code points a piece of a regex stands for, asked of the `regex` package itself.

Unicode grows, and Hyperscan's tables are years older than those of `regex`: they disagree on what a letter is and on
what equals what when case is ignored. So Hyperscan is never told a name such as `\\w`, only ranges found here.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import regex

Ranges = tuple[tuple[int, int], ...]

_SURROGATES = range(0xD800, 0xE000)
_PLAIN_FLAGS = regex.VERSION0 | regex.IGNORECASE | regex.UNICODE | regex.MULTILINE | regex.DOTALL
_LETTER = r"(?:\\[^\w\s]|[^\\\[\]])"
_ITEM = regex.compile(rf"(\\[dwsDWS])|({_LETTER})(?:-({_LETTER}))?")
_PLAIN_SET = regex.compile(rf"\[(\^?)((?:\\[dwsDWS]|{_LETTER})+)\]")
_CASED = r"[\p{Cased}\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]"


@lru_cache(maxsize=4096)
def code_points(piece: str, flags: int) -> Ranges:
    """Inclusive ranges of the code points that `piece` (a class, a set, an escape) matches under `flags`.

    Surrogates, which no view holds, are left out; a range may run across them.
    """
    plain = _plain_set(piece, flags)
    if plain is not None:
        return plain
    runs = regex.compile(f"(?:{piece})+", flags).finditer(_every_code_point())
    return tuple((_code(match.start()), _code(match.end() - 1)) for match in runs)


def _plain_set(piece: str, flags: int) -> Ranges | None:
    """The same for a set of letters, ranges and simple escapes, in a tenth of the time; None for any other piece.

    Only letters with case can match what they are not: those are asked of the regex, the others are what is written.
    """
    if flags & ~_PLAIN_FLAGS or not (written := _PLAIN_SET.fullmatch(piece)):
        return None
    # One more at each end, so that every range has two edges.
    padded = np.zeros(0x110002, np.bool_)
    held = padded[1:-1]
    for escape, low, high in _ITEM.findall(written[2]):
        for first, last in code_points(escape, flags) if escape else ((_letter(low), _letter(high or low)),):
            held[first : last + 1] = True
    cased = np.frombuffer(_cased().encode("utf-32-le"), np.uint32)
    lettered = held[cased].any()
    if written[1]:
        np.logical_not(held, out=held)
    if lettered:
        matched = regex.compile(piece, flags).sub("\0", _cased())
        held[cased] = np.frombuffer(matched.encode("utf-32-le"), np.uint32) == 0
    # Like the search over every code point, ranges run across the surrogates, and are bounded by none of them.
    held[_SURROGATES.start : _SURROGATES.stop] = held[_SURROGATES.start - 1] and held[_SURROGATES.stop]
    edges = (padded[1:] != padded[:-1]).nonzero()[0]
    return tuple(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))


def _letter(written: str) -> int:
    return ord(written[-1])


@lru_cache(maxsize=4096)
def case_variants(char: str) -> Ranges:
    """The code points that equal `char` when case is ignored, itself among them."""
    if char not in _cased():
        return ((ord(char), ord(char)),)
    equal = regex.findall(regex.escape(char), _cased(), regex.VERSION0 | regex.IGNORECASE)
    return tuple((ord(each), ord(each)) for each in sorted({char, *equal}))


@lru_cache(maxsize=1)
def _every_code_point() -> str:
    codes = np.concatenate((np.arange(_SURROGATES.start), np.arange(_SURROGATES.stop, 0x110000)))
    return codes.astype("<u4").tobytes().decode("utf-32-le")


@lru_cache(maxsize=1)
def _cased() -> str:
    """All letters with case: none is an ideograph or a Hangul syllable, and none stands beyond the first two planes."""
    blocks = ((0, 0x2E80), (0xA000, 0xAC00), (0xFB00, 0x20000))
    codes = np.concatenate([np.arange(*block, dtype="<u4") for block in blocks])
    return "".join(regex.findall(_CASED, codes.tobytes().decode("utf-32-le")))


def _code(index: int) -> int:
    return index if index < _SURROGATES.start else index + len(_SURROGATES)
