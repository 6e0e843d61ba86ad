"""Many texts as one buffer of code points: what every stage of the hot path works on."""

from __future__ import annotations

from codecs import utf_32_le_encode
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.text.lists import constant

SEPARATOR = 0
_ONE = constant(1, np.int64)


class Batch(msgspec.Struct, frozen=True, eq=False, gc=False):
    """`texts` as one buffer: row i is `codes[starts[i] : starts[i + 1] - 1]`.

    `joined` is the same as one text, `codes` are its code points (uint32), with one separator (0) after each row;
    `starts` (int64) has one entry more than there are rows. A text may hold lone surrogates and U+0000 itself: only
    positions tell a separator from a NUL.
    """

    texts: tuple[str, ...]
    joined: str
    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Batch:
        """Lay texts out one after the other; no text is changed or refused."""
        rows = tuple(texts)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        lengths += _ONE
        starts = np.zeros(len(rows) + 1, np.int64)
        np.add.accumulate(lengths, out=starts[1:])
        joined = "\0".join((*rows, ""))
        return cls(rows, joined, np.frombuffer(utf_32_le_encode(joined, "surrogatepass")[0], np.uint32), starts)

    @property
    def separators(self) -> NDArray[np.int64]:
        """The positions in `codes` of the separators, one a row."""
        return self.starts[1:] - _ONE

    def __len__(self) -> int:
        return len(self.texts)


class Joined(NamedTuple):
    """Texts end to end, with nothing between them: their code points, and by text its length and where it begins."""

    codes: NDArray[np.uint32]
    lengths: NDArray[np.int64]
    opens: NDArray[np.int64]


def joined(texts: Sequence[str]) -> Joined:
    """Lay texts out for what is asked of each as a whole, by `reduceat`: none of them may be empty then."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    codes = np.frombuffer(utf_32_le_encode("".join(texts), "surrogatepass")[0], np.uint32)
    return Joined(codes, lengths, lengths.cumsum() - lengths)
