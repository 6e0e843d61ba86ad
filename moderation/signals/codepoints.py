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
_CASED = r"[\p{Cased}\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]"


@lru_cache(maxsize=4096)
def code_points(piece: str, flags: int) -> Ranges:
    """Inclusive ranges of the code points that `piece` (a class, a set, an escape) matches under `flags`.

    Surrogates, which no view holds, are left out; a range may run across them.
    """
    runs = regex.compile(f"(?:{piece})+", flags).finditer(_every_code_point())
    return tuple((_code(match.start()), _code(match.end() - 1)) for match in runs)


@lru_cache(maxsize=4096)
def case_variants(char: str) -> Ranges:
    """The code points that equal `char` when case is ignored, itself among them."""
    equal = regex.findall(regex.escape(char), _cased(), regex.VERSION0 | regex.IGNORECASE)
    return tuple((ord(each), ord(each)) for each in sorted({char, *equal}))


@lru_cache(maxsize=1)
def _every_code_point() -> str:
    codes = np.concatenate((np.arange(_SURROGATES.start), np.arange(_SURROGATES.stop, 0x110000)))
    return codes.astype("<u4").tobytes().decode("utf-32-le")


@lru_cache(maxsize=1)
def _cased() -> str:
    return "".join(regex.findall(_CASED, _every_code_point()))


def _code(index: int) -> int:
    return index if index < _SURROGATES.start else index + len(_SURROGATES)
