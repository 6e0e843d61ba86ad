"""What a class of a regex stands for: the short way gives what asking for every code point gives."""

from __future__ import annotations

import pytest
import regex

from moderation.signals.codepoints import _CASED, _cased, code_points

PIECES = [
    "[a-z0-9]", "[^a-z]", "[-_a-z0-9]", "[a-z_-]", r"[^\s#]", r"[\w-]", r"[^\s\w]", "[K]", "[ſß]", "[一-鿿]", "[^，。]",
    r"[\.\-]", "[à-ÿ]", "[Ѐ-ӿɑɡ]", "[İı]", r"[\d.]", "[\U00010000-\U0010ffff]", "[\ud7ff-\ue000]", "[!-~]", r"[\D]",
    "[.^]", "[a^b]", "[^^]", r"[\]]", r"[^\W]", "[Ａ-Ｚ]", "[ǆǅ]", r"[\p{Han}a]", r"\w", ".", r"[[:alpha:]_]", "k",
]  # fmt: skip

EVERY_CODE = "".join(map(chr, range(0x110000)))
SURROGATES = dict.fromkeys(range(0xD800, 0xE000))
EVERY = EVERY_CODE.translate(SURROGATES)


@pytest.mark.parametrize("flags", [regex.VERSION0, regex.VERSION0 | regex.IGNORECASE])
@pytest.mark.parametrize("piece", PIECES)
def test_code_points(piece: str, flags: int) -> None:
    pattern = regex.compile(piece, flags)
    expected = "".join(pattern.findall(EVERY))
    found = "".join(EVERY_CODE[first : last + 1] for first, last in code_points(piece, flags))
    assert found.translate(SURROGATES) == expected


def test_letters_with_case_are_where_they_are_looked_for() -> None:
    assert _cased() == "".join(regex.findall(_CASED, EVERY))
