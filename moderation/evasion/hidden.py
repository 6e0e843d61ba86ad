"""Text within text: base64, text that a control character turns around, letters in characters that show nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

import msgspec
import numpy as np
import regex

from moderation.evasion.tricks import ALWAYS_BIT, BIT
from moderation.text.batch import Batch
from moderation.text.lists import constant, holding, steps

_LEAST = 12
_BASE64 = regex.compile(rf"(?<![A-Za-z0-9+/_.-])[A-Za-z0-9+/_-]{{{_LEAST - 2},4000}}={{0,2}}(?![A-Za-z0-9+/=_])")
_FOR_URLS = str.maketrans("-_", "+/")
_TURNED = regex.compile("[\u202e\u2067]([^\u202c\u2069\n]{2,500})")
_TAGS = regex.compile("(?<!\U0001f3f4)[\U000e0020-\U000e007e]{3,500}")
_READABLE = regex.compile(r"[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n]+")
_FIRST_TAG = 0xE0020
_TURNING = (0x202E, 0x2067)
_BEFORE = np.array([-1])
_FIRST_SHOWN, _SHOWN, _LONG = constant(0x21, np.uint32), constant(0x5D, np.uint32), constant(_LEAST, np.int64)


class Hidden(msgspec.Struct, frozen=True, gc=False):
    """A text that a row hides by the trick `bit`: character i comes from [opens[i], closes[i]) of the row."""

    row: int
    text: str
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    bit: int


def hidden_texts(batch: Batch, encoded: bool) -> list[Hidden]:
    """What the rows of a batch hide; base64 only if it is `encoded` texts that are asked for."""
    found = [hidden for row in _rows_with_controls(batch) for hidden in _controlled(row, batch.texts[row])]
    if encoded:
        found += [hidden for row, start, word in _long_words(batch) for hidden in _encoded(row, start, word)]
    return found


def _rows_with_controls(batch: Batch) -> list[int]:
    """The rows that may turn or hide text: few batches have any."""
    text, codes = batch.joined, batch.codes
    if text.isascii():
        return []
    turning = [code for code in _TURNING if chr(code) in text]
    if not turning and np.maximum.reduce(codes) < _FIRST_TAG:
        return []
    at = np.logical_or.reduce([codes >= _FIRST_TAG, *(codes == code for code in turning)]).nonzero()[0]
    rows: list[int] = holding(batch.starts, at).tolist()
    return rows


def _long_words(batch: Batch) -> Iterator[tuple[int, int, str]]:
    """(row, start in the row, text) of long stretches of printable ASCII without a space that are no plain word."""
    others = np.concatenate((_BEFORE, ((batch.codes - _FIRST_SHOWN) > _SHOWN).nonzero()[0]))
    long = (steps(others) > _LONG).nonzero()[0]
    if not len(long):
        return
    starts = others[long] + 1
    rows = np.searchsorted(batch.starts, starts, side="right") - 1
    places = zip(
        rows.tolist(), (starts - batch.starts[rows]).tolist(), starts.tolist(), others[long + 1].tolist(), strict=True
    )
    for row, at, start, end in places:
        word = batch.joined[start:end]
        if not (word.islower() or word.isdecimal()):
            yield row, at, word


def _controlled(row: int, text: str) -> Iterator[Hidden]:
    for match in _TURNED.finditer(text):
        places = range(match.end(1) - 1, match.start(1) - 1, -1)
        yield Hidden(row, match[1][::-1], tuple(places), tuple(place + 1 for place in places), ALWAYS_BIT["bidi"])
    for match in _TAGS.finditer(text):
        shown = "".join(chr(ord(character) - 0xE0000) for character in match[0])
        places = range(match.start(), match.end())
        yield Hidden(row, shown, tuple(places), tuple(place + 1 for place in places), ALWAYS_BIT["tags"])


def _encoded(row: int, base: int, word: str) -> Iterator[Hidden]:
    """What a stretch that begins at `base` says in base64: text so written has capitals."""
    for match in _BASE64.finditer(word):
        decoded = _decoded(match[0])
        if decoded is not None:
            size, start, end = len(decoded), base + match.start(), base + match.end()
            yield Hidden(row, decoded, (start,) * size, (end,) * size, BIT["encoded"])


def _decoded(word: str) -> str | None:
    """The text that a word of base64 stands for; None where it is none."""
    body = word.rstrip("=")
    try:
        padded = body.translate(_FOR_URLS) + "=" * (-len(body) % 4)
        text = base64.b64decode(padded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    # An ordinary long word may decode to something by chance, but seldom to letters.
    return text if _READABLE.fullmatch(text) and regex.search(r"\p{L}{2}", text) else None
