"""What any matcher promises: the same table of cases for both."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from moderation.errors import ModerationError
from moderation.signals.matcher import Hits, Kind, Matcher, build_matcher
from moderation.text.batch import Batch
from moderation.text.views import View, folded_view, original_view

KINDS: tuple[Kind, ...] = ("hyperscan", "regex")


def view_of(*texts: str) -> View:
    return original_view(Batch.of(texts))


def listed(hits: Hits) -> list[tuple[int, int, int, int]]:
    columns = (hits.row, hits.pattern, hits.start, hits.end)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def found(kind: Kind, terms: Sequence[str], regexes: Sequence[str], *texts: str) -> list[tuple[int, int, int, int]]:
    return listed(build_matcher(terms, regexes, ignore_case=True, kind=kind).scan(view_of(*texts)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("terms", "texts", "expected"),
    [
        (["aa"], ["aaaa"], [(0, 0, 0, 2), (0, 0, 1, 3), (0, 0, 2, 4)]),
        (["信", "微信", "微"], ["加微信"], [(0, 0, 2, 3), (0, 1, 1, 3), (0, 2, 1, 2)]),
        (["vx", "vx"], ["加vx聊"], [(0, 0, 1, 3), (0, 1, 1, 3)]),
        (["かな", "ナ"], ["ひらがな カナ", "かな"], [(0, 1, 6, 7), (1, 0, 0, 2)]),
        (["सम", "दी"], ["हिन्दी समय"], [(0, 0, 7, 9), (0, 1, 4, 6)]),
        (["سلام"], ["", "والسلام", "سلا"], [(1, 0, 3, 7)]),
        (["ไทย"], ["ภาษาไทย"], [(0, 0, 4, 7)]),
        (["😀", "👨‍👩"], ["😀👨‍👩‍👧😀"], [(0, 0, 0, 1), (0, 0, 6, 7), (0, 1, 1, 4)]),
        ([" "], ["a b ", " "], [(0, 0, 1, 2), (0, 0, 3, 4), (1, 0, 0, 1)]),
        (["a.c", "\\x61", "(", "^a", "[b]"], ["abc a.c \\x61 ( ^a [b]"], None),
    ],
)
def test_every_occurrence_of_every_term_is_found(
    kind: Kind, terms: list[str], texts: list[str], expected: list[tuple[int, int, int, int]] | None
) -> None:
    naive = [
        (row, index, start, start + len(term))
        for row, text in enumerate(texts)
        for index, term in enumerate(terms)
        for start in range(len(text))
        if text.startswith(term, start)
    ]
    assert found(kind, terms, [], *texts) == (naive if expected is None else expected) == naive


@pytest.mark.parametrize("kind", KINDS)
def test_no_term_is_found_across_rows(kind: Kind) -> None:
    assert found(kind, ["ab", "\0", "a\0b", "b\0"], [], "a", "b", "a\0b") == [(2, 1, 1, 2), (2, 2, 0, 3)]


@pytest.mark.parametrize("kind", KINDS)
def test_case_of_a_term_counts(kind: Kind) -> None:
    assert found(kind, ["vx"], [], "VX Vx vx") == [(0, 0, 6, 8)]


@pytest.mark.parametrize("kind", KINDS)
def test_regex_ids_follow_the_terms(kind: Kind) -> None:
    assert found(kind, ["a", "b"], [r"\d+", "a|b"], "a12b") == [
        (0, 0, 0, 1),
        (0, 1, 3, 4),
        (0, 2, 1, 3),
        (0, 3, 0, 1),
        (0, 3, 3, 4),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_empty_matches_are_no_hits(kind: Kind) -> None:
    assert found(kind, [], ["x*", r"\b", "(?=a)", "$"], "axxa", "") == [(0, 0, 1, 3)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ignore_case", "count"), [(True, 3), (False, 1)])
def test_regexes_ignore_case_on_request(kind: Kind, ignore_case: bool, count: int) -> None:
    assert len(build_matcher([], ["kg"], ignore_case, kind=kind).scan(view_of("kg KG \u212ag"))) == count


@pytest.mark.parametrize("kind", KINDS)
def test_the_folded_view_is_searched(kind: Kind) -> None:
    matcher = build_matcher(["微信"], [r"v ?x"], kind=kind)
    assert listed(matcher.scan(folded_view(Batch.of(["加Ｖ　Ｘ", "加 微​信"])))) == [(0, 1, 1, 4), (1, 0, 2, 4)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [(), ("",), ("", "", "")])
def test_nothing_to_search(kind: Kind, texts: tuple[str, ...]) -> None:
    hits = build_matcher(["a"], ["b", "(?R)?c"], kind=kind).scan(view_of(*texts))
    assert len(hits) == 0 and hits.timeouts == ()
    assert {column.dtype for column in (hits.row, hits.pattern, hits.start, hits.end)} == {np.dtype(np.int32)}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_search_for(kind: Kind) -> None:
    assert len(build_matcher([], [], kind=kind).scan(view_of("a", "b"))) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_lone_surrogate_is_nowhere(kind: Kind) -> None:
    assert found(kind, ["\ud800", "\ufffd"], ["\ud800", "[\ud800a]"], "\ud800a") == [(0, 1, 0, 1), (0, 3, 1, 2)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_regex_that_runs_out_of_time_is_unknown(kind: Kind) -> None:
    matcher = build_matcher(["z"], ["-x", "(x+x+)+z", "z"], timeout_ms=5, kind=kind)
    hits = matcher.scan(view_of("-xxz", "x" * 2000 + "-xxz"))
    assert hits.timeouts == ((1, 2),)
    pairs = list(zip(hits.row.tolist(), hits.pattern.tolist(), strict=True))
    assert pairs == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 3)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("terms", "regexes", "message"),
    [
        (["a", ""], [], "term 1 '' has 0 characters; 1 to 1000 are possible"),
        (["字" * 1001], [], "has 1001 characters"),
        ([], ["a", "(b"], r"regex 1 '\(b' does not compile: missing \)"),
        ([], [r"(?V1)a"], "regex 0 .* does not compile: VERSION0 and VERSION1"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(kind: Kind, terms: list[str], regexes: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_matcher(terms, regexes, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_longest_term(kind: Kind) -> None:
    assert found(kind, ["😀" * 1000], [], "😀" * 1001) == [(0, 0, 0, 1000), (0, 0, 1, 1001)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_matcher_travels_as_its_arguments(kind: Kind) -> None:
    matcher = build_matcher(["微信"], [r"\d{3,}"], kind=kind)
    sent = pickle.dumps(matcher)
    assert len(sent) < 300
    arrived: Matcher = pickle.loads(sent)
    view = view_of("加微信 12345")
    assert listed(arrived.scan(view)) == listed(matcher.scan(view)) == [(0, 0, 1, 3), (0, 1, 4, 9)]


def test_without_hyperscan_auto_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    monkeypatch.delitem(sys.modules, "moderation.signals.hyperscan_matcher", raising=False)
    assert type(build_matcher(["a"], [])).__name__ == "RegexMatcher"
    with pytest.raises(ModerationError, match=r"pip install hyperscan, or choose the matcher 'regex'"):
        build_matcher(["a"], [], kind="hyperscan")


def test_with_hyperscan_auto_uses_it() -> None:
    assert type(build_matcher(["a"], [])).__name__ == "HyperscanMatcher"
