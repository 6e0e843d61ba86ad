"""The shipped tables are what the builder builds, and sums over them are exact."""

from __future__ import annotations

import os
import unicodedata
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.language import tables
from moderation.language.glyphs import SYMBOL_BITS, SYMBOLS, glyph_of
from moderation.language.latin import CEILING, ORDER, Latin
from moderation.language.ngrams import ALPHABETS
from moderation.language.sums import leading, odds_in, rank
from moderation.text.batch import Batch

NAMES = ("glyphs", *ALPHABETS.values(), "latin")


def test_shipped_tables_are_up_to_date() -> None:
    build_tables = pytest.importorskip("moderation.language.build_tables")
    if str(tables.read_table("glyphs")["unicode"]) != unicodedata.unidata_version:
        pytest.skip("the tables were built with another version of Unicode")
    for name, built in build_tables.build_all().items():
        shipped = tables.read_table(name)
        assert shipped.keys() == built.keys()
        assert [key for key in built if not np.array_equal(built[key], shipped[key])] == []


def test_shipped_latin_table_is_up_to_date() -> None:
    """Three minutes, and lingua's models, in the folder that the variable LINGUA_MODELS names."""
    folder = os.environ.get("LINGUA_MODELS")
    if not folder:
        pytest.skip("LINGUA_MODELS names no folder")
    build_latin = pytest.importorskip("moderation.language.build_latin")
    built, shipped = build_latin.build(Path(folder)), tables.read_table("latin")
    assert shipped.keys() == built.keys()
    assert [key for key in built if not np.array_equal(built[key], shipped[key])] == []


def test_tables_are_small() -> None:
    sizes = [Path(str(resources.files(tables) / f"{name}.npz")).stat().st_size for name in NAMES]
    assert sum(sizes) < 4_500_000


@cache
def known_ngrams(names: tuple[str, ...]) -> dict[tuple[int, int], Any]:
    """Odds by length and key of an n-gram."""
    table = tables.read_table("latin")
    columns = [table["languages"].tolist().index(name) for name in names]
    keys = zip(table["lengths"].tolist(), table["grams"].tolist(), strict=True)
    return dict(zip(keys, table["odds"][:, columns].astype(int), strict=True))


def slow_sums(text: str, orders: int, names: tuple[str, ...]) -> list[int]:
    """Sums of a text of Latin letters and spaces, position by position: the longest known n-gram that ends there."""
    table = tables.read_table("latin")
    columns = [table["languages"].tolist().index(name) for name in names]
    known = known_ngrams(names)
    symbols = [0, *(int(glyph) % SYMBOLS for glyph in glyph_of()[[ord(letter) for letter in text]]), 0]
    total = np.zeros(len(columns), int)
    for end in range(1, len(symbols)):
        if symbols[end] or symbols[end - 1]:
            row = table["pairs"][symbols[end - 1] * SYMBOLS + symbols[end]][columns].astype(int)
            for order in range(3, min(orders, end + 1) + 1):
                key = 0
                for symbol in symbols[end - order + 1 : end + 1]:
                    key = key * SYMBOLS + symbol
                row = known.get((order, key), row)
            total += row
    return total.tolist()


@pytest.fixture(scope="module")
def latin() -> Latin:
    return Latin.load(("en", "es", "vi"))


WORDS = st.lists(st.text("aeionsthréñzZ", min_size=1, max_size=9), min_size=1, max_size=12)


@given(words=WORDS, times=st.integers(1, 20))
def test_sums_are_those_of_the_longest_ngrams_known(latin: Latin, words: list[str], times: int) -> None:
    text = " ".join(words * times)
    batch = Batch.of(["é", text, "zz"])
    bounds = list(pairwise(batch.starts.tolist()))
    firsts, lasts = np.array([start for start, _ in bounds]), np.array([end - 2 for _, end in bounds])
    glyphs = glyph_of()[batch.codes]
    glance = latin.glance(glyphs, firsts, lasts)
    assert odds_in(glance.sums.ranks(latin.named))[:, 1].tolist() == slow_sums(text, 3, latin.languages[: latin.named])
    assert glance.sums.positions[1] == times * sum(len(word) + 1 for word in words)
    reading = latin.read(glance, np.arange(3))
    whole = reading.words.joined(reading.opens).ranks(len(latin.languages))
    assert odds_in(whole)[:, 1].tolist() == slow_sums(text, ORDER, latin.languages)
    every = np.arange(len(reading.run))
    spelled = [
        text[first - firsts[1] : last - firsts[1] + 1]
        for first, last in zip(*reading.letters(every, every), strict=True)
    ]
    assert spelled[1:-1] == words * times


@given(words=WORDS, times=st.integers(1, 40))
def test_some_runs_are_read_as_they_are_among_others(latin: Latin, words: list[str], times: int) -> None:
    batch = Batch.of(["ab", "  ".join(words * times), "zz", " ".join(words)])
    firsts, lasts = batch.starts[:-1], batch.starts[1:] - 2
    glance = latin.glance(glyph_of()[batch.codes], firsts, lasts)
    every, some = latin.read(glance, np.arange(4)), latin.read(glance, np.array([1, 3]))
    sums = [reading.words.joined(reading.opens).ranks(len(latin.languages)) for reading in (every, some)]
    assert sums[0][:, [1, 3]].tolist() == sums[1].tolist()


def test_no_ngram_goes_over_a_gap() -> None:
    table = tables.read_table("latin")
    for order in range(3, ORDER + 1):
        grams = table["grams"][table["lengths"] == order]
        assert all((grams >> SYMBOL_BITS * inner & (SYMBOLS - 1)).all() for inner in range(1, order - 1))


def test_the_likeliest_of_equals_is_the_first() -> None:
    odds = np.array([[3, 7, -5], [3, -2, -4], [1, 7, -4]]) << 6
    ranks = odds + np.array([rank(0, number) for number in range(3)])[:, None]
    assert [column.tolist() for column in leading(ranks)] == [[0, 0, 1], [0, 0, 0]]


def test_every_row_has_its_likeliest_language_at_the_ceiling() -> None:
    table = tables.read_table("latin")
    assert (table["odds"].max(axis=1) == CEILING).all()
    assert len(np.unique(table["grams"].astype(np.uint64) << np.uint64(3) | table["lengths"])) == len(table["grams"])


def test_the_languages_asked_for_come_first() -> None:
    latin = Latin.load(("tr", "en"))
    assert latin.languages[:3] == ("en", "tr", "und") and latin.named == 3
    assert Latin.load(("th",)).languages[:2] == ("en", "und")
