"""What is particular to the matcher with native parts: threads, processes, and what Hyperscan would get wrong."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.signals.hyperscan_matcher import HyperscanMatcher
from moderation.signals.matcher import Hits, Matcher, Wanted
from moderation.signals.regex_matcher import RegexMatcher
from moderation.text.batch import Batch
from moderation.text.edges import script_edges
from moderation.text.views import View, original_view

TERMS = ("微信", "vx", "传销", "スパム", "كلمة")
REGEXES = (r"1[3-9]\d{9}", r"(?:加|私).{0,4}(?:v|w)x", r"(?<!not )spam\b", r"(.)\1{4,}")
TEXTS = tuple(
    f"{a} {b} {c}" for a, b, c in product(("加vx", "私我wx", "hello"), ("13812345678", "aaaaa"), ("spam", "微信"))
)

inherited: list[Matcher] = []


def view_of(*texts: str) -> View:
    return original_view(Batch.of(texts))


def listed(hits: Hits) -> list[tuple[int, int, int, int]]:
    return list(zip(hits.row.tolist(), hits.pattern.tolist(), hits.start.tolist(), hits.end.tolist(), strict=True))


def scan_inherited(shift: int) -> list[tuple[int, int, int, int]]:
    return listed(inherited[0].scan(view_of(*TEXTS[shift:])))


def scan_sent(matcher: Matcher, shift: int) -> list[tuple[int, int, int, int]]:
    return listed(matcher.scan(view_of(*TEXTS[shift:])))


@pytest.fixture(scope="module")
def matcher() -> HyperscanMatcher:
    return HyperscanMatcher(TERMS, REGEXES, ignore_case=True, timeout_ms=1000)


@pytest.fixture(scope="module")
def expected() -> list[list[tuple[int, int, int, int]]]:
    oracle = RegexMatcher(TERMS, REGEXES, ignore_case=True, timeout_ms=1000)
    return [listed(oracle.scan(view_of(*TEXTS[shift:]))) for shift in range(4)]


def test_threads_share_a_matcher(matcher: HyperscanMatcher, expected: list[list[tuple[int, int, int, int]]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda i: scan_sent(matcher, i % 4), range(200))) == [expected[i % 4] for i in range(200)]


@pytest.mark.skipif(sys.platform != "linux", reason="fork is safe on Linux only")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_forked_workers_inherit_a_matcher(
    matcher: HyperscanMatcher, expected: list[list[tuple[int, int, int, int]]]
) -> None:
    inherited[:] = [matcher]
    scan_inherited(0)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        assert list(pool.map(scan_inherited, range(4))) == expected


def test_spawned_workers_compile_their_own(
    matcher: HyperscanMatcher, expected: list[list[tuple[int, int, int, int]]]
) -> None:
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    worker = context.Process(target=_send_hits, args=(matcher, send))
    worker.start()
    send.close()
    assert receive.recv() == expected[1]
    worker.join()


def _send_hits(matcher: Matcher, send: multiprocessing.connection.Connection) -> None:
    send.send(scan_sent(matcher, 1))


@pytest.mark.parametrize("length", [0, 1, 14, 15, 16, 17, 40, 64, 70, 100])
@pytest.mark.parametrize("regexes", [("[ab].|Aq", "xyz", "XY"), ("a.", r"\u0130"), (r"curl.*\|\s*python",)])
def test_a_match_that_ends_a_row_is_found(regexes: tuple[str, ...], length: int) -> None:
    texts = ["?" * length + end for end in ("XY", "\u0130", "curl x | python", "aq")]
    found = HyperscanMatcher((), regexes, False, 1000).scan(view_of(*texts))
    assert listed(found) == listed(RegexMatcher((), regexes, False, 1000).scan(view_of(*texts)))


def test_regexes_that_nothing_can_rule_out_are_named() -> None:
    regexes = ["spam", "(?:spam){e<=1}", "(a)?(?(1)b|c)", "x*", r"(?x) a b", r"\d{3}"]
    assert HyperscanMatcher(["a"], regexes, True, 20).unfiltered == (1, 2, 3, 4)


def test_an_anchor_amid_a_regex_costs_precision_only() -> None:
    matcher = HyperscanMatcher([], ["a|(?:^|b)*c", "x^y", "plain"], True, 20)
    assert matcher.unfiltered == ()
    assert listed(matcher.scan(view_of("bbc", "plain a"))) == [(0, 0, 0, 3), (1, 0, 2, 3), (1, 0, 6, 7), (1, 2, 0, 5)]


def test_many_terms_compile_and_are_found() -> None:
    terms = [
        f"{a}{b}{c}" for a, b, c in product("加微信卖茶群粉号码赌", "abcdefghij", "0123456789天地玄黄宇宙洪荒日月")
    ]
    hits = HyperscanMatcher(terms, [], True, 20).scan(view_of("".join(terms), *terms))
    assert hits.row.tolist()[len(terms) :] == list(range(1, len(terms) + 1))
    assert set(hits.pattern.tolist()) == set(range(len(terms)))


def test_regexes_on_demand_are_tried_only_where_asked() -> None:
    matcher = HyperscanMatcher(["vx"], ["[0-9]+", "[a-z]+"], True, 20, demanded=frozenset({2}))
    view = view_of("12 ab", "vx", "--")
    assert matcher.possible(view).T.tolist() == [[0, 1]]
    asked = np.array([[0, 0, 1, 2], [1, 2, 2, 2]])
    assert matcher.confirm(view, asked)[0].T.tolist() == [[0, 1, 0, 2], [0, 2, 3, 5], [1, 2, 0, 2]]
    assert listed(matcher.scan(view)) == listed(RegexMatcher(["vx"], ["[0-9]+", "[a-z]+"], True, 20).scan(view))


@pytest.mark.parametrize("late", [{0}, {0, 1, 2, 3, 4, 5}, {1, 4}])
def test_terms_on_demand_are_found_in_the_rows_that_were_asked_for(late: set[int]) -> None:
    terms = ["u", "微信", "a\0b", "\0", "人u", "加微信吗"]
    view = view_of("u 微信", "a", "b u", "人u人", "", "加微信吗 you", "微信")
    everything = HyperscanMatcher(terms, [], True, 20).terms(view).T.tolist()
    for kind in (HyperscanMatcher, RegexMatcher):
        matcher = kind(terms, [], True, 20, demanded=frozenset(late))
        assert sorted(matcher.terms(view).T.tolist()) == sorted(hit for hit in everything if hit[1] not in late)
        for rows in ([], [0], [1, 2], [0, 3, 5, 6], list(range(7))):
            found = matcher.terms_in(view, np.array(rows, np.int64)).T.tolist()
            expected = sorted(hit for hit in everything if hit[1] in late and hit[0] in rows)
            assert sorted(found) == expected
            # Patterns 1 and 4 share a bit, and row 3 asks for pattern 5 as well.
            patterns, asking = np.array([1, 2, 1, 1, 2, 4], np.uint64), np.array([3, 0, 1, 6, 1, 4, 2], np.uint64)
            wanted = matcher.terms_in(view, np.array(rows, np.int64), Wanted(patterns, asking)).T.tolist()
            assert sorted(wanted) == [hit for hit in expected if int(patterns[hit[1]]) & int(asking[hit[0]])]
        assert listed(matcher.scan(view)) == listed(HyperscanMatcher(terms, [], True, 20).scan(view))


@given(
    st.lists(st.text(st.sampled_from("ashes 微1é\u0301ñкA.\0"), max_size=12), min_size=1, max_size=5),
    st.sets(st.integers(0, 5)),
    st.sets(st.integers(0, 5)),
)
def test_terms_that_need_edges_are_found_wherever_they_have_them(
    texts: list[str], edged: set[int], late: set[int]
) -> None:
    terms = ["as", "a", "he s", "é", "sash", "微a"]
    view = view_of(*texts)
    rows = np.arange(len(texts))
    matcher = HyperscanMatcher(terms, [], True, 20, frozenset(late), frozenset(edged))
    found = np.concatenate((matcher.terms(view), matcher.terms_in(view, rows)), axis=1)
    every = RegexMatcher(terms, [], True, 20).terms(view)
    row, pattern, start, end = every
    needed = script_edges(view, row, start, end) | ~np.isin(pattern, sorted(edged))
    hits, all_hits = ({tuple(hit) for hit in columns.T.tolist()} for columns in (found, every))
    assert len(hits) == found.shape[1]
    assert {tuple(hit) for hit in every[:, needed].T.tolist()} <= hits <= all_hits


def test_a_term_that_needs_edges_is_not_told_of_inside_of_words() -> None:
    view = view_of("as last has, as1 微as", "asas as")
    assert HyperscanMatcher(["as"], [], True, 20).terms(view).shape[1] == 8
    found = HyperscanMatcher(["as"], [], True, 20, edged=frozenset({0})).terms(view)
    assert found.T.tolist() == [[0, 0, 0, 2], [0, 0, 13, 15], [0, 0, 18, 20], [1, 0, 5, 7]]
