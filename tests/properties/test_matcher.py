"""Whatever is looked for in whatever text, the native matcher answers like the plain one, and both like Python."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.signals.hyperscan_matcher import HyperscanMatcher
from moderation.signals.matcher import Hits
from moderation.signals.regex_matcher import RegexMatcher
from moderation.text.batch import Batch
from moderation.text.views import View, folded_view, original_view

ALPHABETS = ("加微信稳", "abA", "かガナ", "ابّ", "कमी", "ไทย", "😀👍🏽\u200d", " \u3000\n", "\0a", "é\u0301e", "a加क😀 ")
WRITTEN = "加微信一 aAbBkKsSiIxyzéÉßıİſ\u212a012789٣५१½.,!?@:/_-\n\t\r\u00a0\u3000かなカठीमีน😀👍ب\u0301\u200b\0"

TERMS = st.sampled_from(ALPHABETS).flatmap(lambda chars: st.lists(st.text(chars, min_size=1, max_size=4), max_size=8))
ROWS = st.lists(
    st.sampled_from(ALPHABETS).flatmap(lambda chars: st.text(chars, max_size=24)) | st.text(WRITTEN, max_size=90),
    max_size=5,
)

REGEXES = (
    "a",
    "kiss",
    "[ks]i",
    "ß",
    "é",
    r"\d",
    r"\d{3,}",
    r"[0-9]+",
    r"\D+\d",
    r"\w+",
    r"\W{2}",
    r"\s",
    r"\S+\s\S",
    r"\h+",
    r"\p{Han}",
    r"\p{Han}{2,4}",
    r"\p{Script=Arabic}+",
    r"\p{L}\p{N}",
    r"\p{Lu}",
    r"\P{L}{3}",
    r"[[:alpha:]]+[[:punct:]]",
    r"[^\W\d_]{2}",
    r"[a-s]x?",
    "[à-þ]",
    "[^a-z]k",
    r"[\d一二三]+",
    r"\bk",
    r"\Bk\B",
    "^a",
    r"\Aa|\Ab",
    "a$",
    r"a\Z",
    "^$|^.$",
    "(?m)^a$",
    "(?s)a.b",
    "a.b",
    "a.{0,3}b",
    "加.{0,40}信",
    "(?i)KiLo|sKi",
    "(?-i:K)",
    "a(?i:b)",
    "(?=a)ab",
    "a(?!b)",
    "(?<=a)b",
    "(?<![a-z])x",
    r"(?<=[@:])\w+",
    "a(?=b|$)",
    r"(a|b)\1",
    "(?P<c>.)(?P=c)(?P=c)",
    "(?P<first>a)(?<second>b)",
    "(?:ab|ba){2}",
    "(?>a+)b",
    "a++b",
    "a*?b",
    "(?:a|加)?(?:b|微)+",
    "x{2}|y{2,}|z{,2}k",
    r"\X",
    r"\R",
    r"\N{LATIN SMALL LETTER K}",
    r"\x00",
    r"a\x00?b",
    "[😀👍]{1,3}",
    "मी|ठी",
    "(?|(a)|(b))c?",
    r"a\Kb",
    "(?:kiss){e<=1}",
    "(?x) a  b # spaces",
    "(a)?(?(1)b|x)",
)
NOT_IN_RE = regex.compile(r"\\[^dDsSwWbnx1]|\(\?[^P:]|[+*?}]\+|\[\[|\(\?P=|\{e|\{,")
DRAWABLE = [each for each in REGEXES if not NOT_IN_RE.search(each)]
ATOMS = r"""
a k S 1 加 信 क 😀 é ß \. . \d \w \s \S \W \h \p{Han} \p{Lu} [a-k] [^k] [\d_] [加-微] abc 加微信
\b ^ $ \A \Z \K (?!a) (?<!k)
"""
AFFIXES = "* + ? {2} {1,3} {,2} {2,} {3,90} *? ++ ( (?: (?> (?i: (?-i: (?s: (?= (?! (?<= (?P<n>"
PATTERNS = st.recursive(
    st.sampled_from(ATOMS.split()),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map("".join)
        | st.tuples(inner, inner).map("|".join)
        | st.tuples(st.sampled_from(AFFIXES.split()), inner).map(
            lambda each: f"{each[0]}{each[1]})" if each[0][0] == "(" else f"(?:{each[1]}){each[0]}"
        )
    ),
    max_leaves=8,
)
MATCHERS = {
    (kind.__name__, ignore_case): kind(("加微", "a"), REGEXES, ignore_case, timeout_ms=10_000)
    for kind in (HyperscanMatcher, RegexMatcher)
    for ignore_case in (True, False)
}


def listed(hits: Hits) -> list[tuple[int, int, int, int]]:
    assert hits.timeouts == ()
    return spans_but(hits, set())


def rows_of(view: View) -> list[str]:
    return [view.row_text(row) for row in range(len(view.starts) - 1)]


def occurrences(terms: list[str], view: View) -> list[tuple[int, int, int, int]]:
    return [
        (row, index, start, start + len(term))
        for row, text in enumerate(rows_of(view))
        for index, term in enumerate(terms)
        for start in range(len(text))
        if text.startswith(term, start)
    ]


@given(TERMS, ROWS, st.sampled_from([original_view, folded_view]))
@settings(max_examples=200)
def test_terms_are_found_wherever_they_stand(
    terms: list[str], texts: list[str], view_of: Callable[[Batch], View]
) -> None:
    view = view_of(Batch.of(texts))
    expected = occurrences(terms, view)
    assert listed(HyperscanMatcher(terms, (), True, 1000).scan(view)) == expected
    assert listed(RegexMatcher(terms, (), True, 1000).scan(view)) == expected


@given(ROWS, st.booleans())
@settings(max_examples=300)
def test_both_matchers_agree_on_regexes(texts: list[str], ignore_case: bool) -> None:
    view = original_view(Batch.of(texts))
    fast, plain = (MATCHERS[name, ignore_case].scan(view) for name in ("HyperscanMatcher", "RegexMatcher"))
    assert listed(fast) == listed(plain)


@given(st.lists(PATTERNS, min_size=1, max_size=5), ROWS, st.booleans())
@settings(max_examples=100)
def test_both_matchers_agree_on_any_regexes(patterns: list[str], texts: list[str], ignore_case: bool) -> None:
    regexes = [pattern for pattern in patterns if compiles(pattern)]
    view = original_view(Batch.of(texts))
    fast, plain = (kind((), regexes, ignore_case, 20).scan(view) for kind in (HyperscanMatcher, RegexMatcher))
    unknown = {*fast.timeouts, *plain.timeouts}
    assert spans_but(fast, unknown) == spans_but(plain, unknown)


def compiles(pattern: str) -> bool:
    try:
        regex.compile(pattern, regex.VERSION0)
    except regex.error:
        return False
    return True


def spans_but(hits: Hits, unknown: set[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    columns = (hits.row, hits.pattern, hits.start, hits.end)
    return [hit for hit in zip(*(column.tolist() for column in columns), strict=True) if hit[:2] not in unknown]


@given(st.data(), st.booleans())
@settings(max_examples=300)
def test_text_made_to_match_is_found(data: st.DataObject, ignore_case: bool) -> None:
    pattern = data.draw(st.sampled_from(DRAWABLE))
    around = st.text(WRITTEN, max_size=40)
    text = data.draw(around) + data.draw(st.from_regex(pattern, fullmatch=True)) + data.draw(around)
    flags = regex.VERSION0 | (regex.IGNORECASE if ignore_case else 0)
    expected = [match.span() for match in regex.finditer(pattern, text, flags) if match.end() > match.start()]
    hits = listed(MATCHERS["HyperscanMatcher", ignore_case].scan(original_view(Batch.of([text]))))
    assert [(start, end) for _, identity, start, end in hits if identity == 2 + REGEXES.index(pattern)] == expected


@pytest.mark.parametrize("ignore_case", [True, False])
def test_every_regex_of_the_table_hits_somewhere(ignore_case: bool) -> None:
    samples = ["kiss Kilo ski ab aab abab a\0b", "123 ٣५१ a1", "加微微信 微一一", "xxx @k kkk!", "a\nb", "a", "A", "bx"]
    hits = MATCHERS["RegexMatcher", ignore_case].scan(
        original_view(Batch.of([*samples, "é ßþ É ठी मी ب", "😀👍\u00a0\n"]))
    )
    missing = set(range(2, 2 + len(REGEXES))) - set(hits.pattern.tolist())
    assert [REGEXES[pattern - 2] for pattern in missing] == []
