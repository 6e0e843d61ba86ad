"""The shipped tables are what the builder builds, and sums over them are exact."""

from __future__ import annotations

import unicodedata
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.language import tables
from moderation.language.glyphs import SYMBOLS, glyph_of
from moderation.language.ngrams import ALPHABETS, Ngrams
from moderation.text.batch import Batch
from moderation.text.classes import LATIN

NAMES = ("glyphs", *ALPHABETS.values())


def test_shipped_tables_are_up_to_date() -> None:
    build_tables = pytest.importorskip("moderation.language.build_tables")
    if str(tables.read_table("glyphs")["unicode"]) != unicodedata.unidata_version:
        pytest.skip("the tables were built with another version of Unicode")
    for name, built in build_tables.build_all().items():
        shipped = tables.read_table(name)
        assert shipped.keys() == built.keys()
        assert [key for key in built if not np.array_equal(built[key], shipped[key])] == []


def test_tables_are_small() -> None:
    sizes = [Path(str(resources.files(tables) / f"{name}.npz")).stat().st_size for name in NAMES]
    assert sum(sizes) < 300_000


def slow_scores(text: str, languages: tuple[str, ...]) -> list[int]:
    """Log-odds of a text of Latin letters and spaces, n-gram by n-gram."""
    table = tables.read_table("latin")
    columns = [table["languages"].tolist().index(language) for language in languages]
    keys = zip(table["lengths"].tolist(), table["grams"].tolist(), strict=True)
    odds = dict(zip(keys, table["odds"][:, columns].astype(int), strict=True))
    symbols = [0, 0, *(int(glyph) % SYMBOLS for glyph in glyph_of()[[ord(letter) for letter in text]]), 0]
    total = np.zeros(len(languages), int)
    for end in range(2, len(symbols)):
        first, second, third = symbols[end - 2 : end + 1]
        if second or third:
            total += odds.get((1, third), 0) + odds.get((2, second * SYMBOLS + third), 0)
            total += odds.get((3, (first * SYMBOLS + second) * SYMBOLS + third), 0) if second else 0
    return total.tolist()


@pytest.fixture(scope="module")
def ngrams() -> Ngrams:
    return Ngrams.load(LATIN, ("en", "es", "vi"))


@given(
    words=st.lists(st.text("aeionstéñzZ", min_size=1, max_size=9), min_size=1, max_size=12), times=st.integers(1, 40)
)
def test_scores_are_the_sums_of_the_log_odds(ngrams: Ngrams, words: list[str], times: int) -> None:
    text = " ".join(words * times)
    batch = Batch.of(["é", text, "zz"])
    bounds = list(pairwise(batch.starts.tolist()))
    firsts, lasts = np.array([start for start, _ in bounds]), np.array([end - 2 for _, end in bounds])
    scores = ngrams.score(glyph_of()[batch.codes], firsts, lasts)
    assert scores.odds[1].tolist() == slow_scores(text, ngrams.languages)
    letters = "".join(words)
    assert scores.evidence[1] == times * (len(letters) + 2 * sum(letters.count(accented) for accented in "éñ"))
