"""What is ruled out before a close look."""

from __future__ import annotations

import numpy as np

from moderation.evasion.joins import joins, with_joined
from moderation.evasion.matcher import LooseMatcher
from moderation.evasion.reading import FIRST_SYLLABLE, Reading, symbol_of
from moderation.evasion.tricks import BIT
from moderation.evasion.words import common_characters
from moderation.text.batch import Batch
from moderation.text.views import folded_view


def _sounding(syllable: int) -> str:
    """An uncommon character whose symbol is that of a syllable by number."""
    heard = symbol_of == FIRST_SYLLABLE + syllable
    return chr(int((heard & ~common_characters()).nonzero()[0][0]))


def _read(text: str) -> Reading:
    return Reading.of(folded_view(Batch.of([text])))


def test_what_begins_within_a_symbol_is_no_match() -> None:
    # In bytes 01 02 01 01 02 01, of which 02 01 01 02 are the term's, half a symbol on.
    first, second, between = _sounding(2), _sounding(257), _sounding(1)
    automaton = LooseMatcher({0: (first + second, BIT["homophones"])})._automaton
    reading, term = _read(second + between + first), _read(f"x{first}x{second}")
    assert bytes((2, 1, 1, 2)) in reading.symbols.tobytes()
    assert not list(automaton.candidates(reading, reading.symbols))
    assert not list(automaton.candidates(term, term.symbols))


def test_of_targets_that_read_alike_each_is_told() -> None:
    terms = {0: ("蔚煊", BIT["homophones"]), 1: ("蔚煊", BIT["homophones"] | BIT["separators"])}
    reading = _read("蔚宣")
    kin = {0: frozenset({"a"}), 1: frozenset({"b"})}
    found = LooseMatcher(terms, kin)._automaton.candidates(reading, reading.symbols)
    assert [(target.term, start, end) for target, start, end in found] == [(0, 0, 2), (1, 0, 2)]


def test_all_parts_that_make_a_character_are_found_and_no_others() -> None:
    table = joins()
    left, right = (table.keys >> 21).astype(np.uint32), (table.keys & 0x1FFFFF).astype(np.uint32)
    pairs = np.stack((left, right), axis=1).ravel()
    places, whole = table.at(pairs, np.arange(0, len(pairs), 2))
    assert places.tolist() == list(range(0, len(pairs), 2))
    assert (whole == table.whole).all()
    turned = np.stack((right, left), axis=1).ravel()
    places, _ = table.at(turned, np.arange(0, len(turned), 2))
    made = set(table.keys.tolist())
    keys = (right.astype(np.int64) << 21 | left).tolist()
    assert places.tolist() == [2 * at for at, key in enumerate(keys) if key in made]


def test_of_three_parts_in_a_row_two_are_a_character() -> None:
    codes = np.array([ord(each) for each in "木木木弓虽"], np.uint32)
    assert with_joined(codes).tobytes().decode("utf-32-le") == "林林木强强"


def test_tables_by_literal_lie_in_order() -> None:
    """To take from one that does not copies all of it."""
    automaton = LooseMatcher({0: ("傻瓜", BIT["homophones"]), 1: ("stupid", BIT["leet"])})._automaton
    assert all(table.flags.c_contiguous for table in (automaton.latin, automaton.strict, automaton.targets.ends))
