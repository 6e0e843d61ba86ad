"""The shipped tables are what the builder builds, and small."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.text import tables
from moderation.text.folding import fold

pytest.importorskip("opencc", reason="the builder needs the `dev` extra")
build_tables = pytest.importorskip("moderation.text.build_tables")


def same_versions() -> bool:
    return all(tuple(tables.read_table(name)["versions"]) == build_tables.versions() for name in ("folding", "scripts"))


pytestmark = pytest.mark.skipif(
    not same_versions(), reason="the tables were built with another version of Unicode, regex or OpenCC"
)


@pytest.fixture(scope="module")
def slow() -> build_tables.SlowFold:
    return build_tables.SlowFold()


def test_shipped_tables_are_up_to_date(slow: build_tables.SlowFold) -> None:
    for name, built in (("folding", build_tables.build_folding(slow)), ("scripts", build_tables.build_scripts())):
        shipped = tables.read_table(name)
        assert shipped.keys() - {"versions"} == built.keys()
        assert [key for key in built if not np.array_equal(built[key], shipped[key])] == []


def test_tables_are_small_and_load_quickly() -> None:
    sizes = [Path(str(resources.files(tables) / f"{name}.npz")).stat().st_size for name in ("folding", "scripts")]
    assert max(sizes) < 200_000
    started = time.perf_counter()
    for name in ("folding", "scripts"):
        tables.read_table(name)
    assert time.perf_counter() - started < 0.3


PIECES = (
    "a ß…\0\u200b\u0301\u0306\u0308\u3099ｶかиеä¨゛門ﷺㄱ\u1100\u1161\u11a8가\u09c7\u09be\u0dd9\u0dcf\u0dcaํา\ud800\u0344"
)


@given(text=st.text(st.sampled_from(PIECES) | st.characters(exclude_categories=()), max_size=20))
def test_the_fold_is_what_the_builder_spells_out(slow: build_tables.SlowFold, text: str) -> None:
    assert fold(text) == slow.text(text)


def test_assumptions_of_the_fold(slow: build_tables.SlowFold) -> None:
    firsts = {first for first, _ in slow.pairs}
    marks = slow.seconds & build_tables.MARKS
    assert firsts.isdisjoint(slow.seconds)
    assert all(slow.spell(chr(both)) == [both] for both in slow.pairs.values())
    assert all((both, mark) not in slow.pairs for (_, second), both in slow.pairs.items() for mark in marks)
    assert all(slow.spell(chr(first)) == [first] for first in firsts)
