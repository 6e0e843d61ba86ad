"""Regexes of packs: what is refused before it can take all memory or all time, and what is not."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moderation.packs.lint_regex import lint_regex
from moderation.packs.regex_limits import size_of
from moderation.packs.regex_speed import is_quick
from moderation.packs.schema import Condition
from moderation.packs.source import read_document

DOCUMENT = read_document("x.yaml", b"regex: x\n")


def codes(pattern: str, view: str = "folded") -> list[str]:
    condition = Condition.model_validate({"regex": pattern, "view": view})
    return [found.code for found in lint_regex(condition, (), DOCUMENT)]


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(号+)+$",
        r"(\w+\w)+",
        "(.*a)+",
        r"(\w+\s?)+",
        "((a+)b?)+",
        "(a*ba*)+$",
        "(a|b+)+",
        "(x+x+)+y",
        r"(?:\p{L}+\p{L})+!",
        "(?:[[:alpha:]]+[a-z]?)+",
        "((?:a+)+)++",
        r"(?:\s*\w*)*!",
        r"(?:\w+(?:-\w*)?)*@",
    ],
)
def test_repeats_that_share_their_text(pattern: str) -> None:
    assert codes(pattern) == ["M047"]


@pytest.mark.parametrize(
    "pattern",
    ["(a|a)+$", "(a|aa)+$", "(?:a|微信|信|微)+$", "x(?:ab|a|b)+y", r"(?:\p{L}|\w)+$", "(?:a{1,20}){1,20}!"],
)
def test_repeats_that_only_trying_finds(pattern: str) -> None:
    assert codes(pattern) == ["M047"]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:[a-z0-9-]+\.)+com",
        "(?>a+)+",
        "(a++)+",
        "(?:a+b)+",
        r"(?:\s+\w+)+",
        "(?:[a-z]+, )+x",
        r"(?:\p{Han}+[a-z])+",
        r"\p{Han}+x",
        "[a-z][-_a-z0-9]{5,19}",
        r"(?:[^\W\d_]+[0-9])+",
        r"(?:加|添加).{0,8}(?:微信|vx)",
        r"([哈嘿])\1{5,}",
        r"(?:\w+\W+){3,30}x",
        r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
        "(?:(?:加|私)我){3,}",
        "[Ѐ-ӿ]{3,}",
    ],
)
def test_honest_repeats(pattern: str) -> None:
    assert codes(pattern) == []


@pytest.mark.parametrize("pattern", ["a*", "a|", "(?=加)", "^", "(?<=微信)", "(?:你好)?", r"\b", "(?!x)"])
def test_the_empty_text_is_no_hit(pattern: str) -> None:
    assert "M046" in codes(pattern)


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("(", "M045"),
        ("[a", "M045"),
        (r"\L<names>", "M045"),
        (r"\g<1>", "M045"),
        ("(?P<a>x)(?P=b)", "M045"),
        ("(?:(?:a{1000}){1000}){1000}", "M050"),
        ("[ab]{5000000}", "M050"),
        ("(" * 3000 + "a" + ")" * 3000, "M050"),
        ("(?R)a", "M051"),
        ("a(?1)", "M051"),
        ("(?P<n>a)(?&n)", "M051"),
        ("(?V1)a", "M051"),
        ("(?ir)a", "M051"),
    ],
)
def test_refused_before_anything_else(pattern: str, code: str) -> None:
    started = time.process_time()
    assert codes(pattern) == [code]
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("pattern", "size", "depth"),
    [
        ("a{3}", 3, 0),
        ("(ab){3}", 6, 1),
        ("[]a{5}]{3}", 3, 0),
        (r"[\]]{4}", 4, 0),
        ("(?:a{2}b?){5,}", 15, 1),
        ("((a))", 1, 2),
    ],
)
def test_size(pattern: str, size: int, depth: int) -> None:
    assert size_of(pattern) == (size, depth)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("門", ["M061"]),
        ("ＶＸ", ["M061", "M061"]),
        ("\u3000", ["M061"]),
        ("VX", []),
        ("[Ａ-Ｚ]", []),
        ("कम", []),
        ("é", ["M061"]),
    ],
)
def test_letters_that_folded_text_never_holds(pattern: str, found: list[str]) -> None:
    assert codes(f"x{pattern}") == found
    assert codes(f"x{pattern}", "original") == []


PIECES = r"""
a 微 門 ( ) (?: (?= (?<! [ [^ ] - | * + ? {2,} {5} \w \b \p{Han} [[:alpha:]] \X \1 (?P<n> (?> ++ (?i) (?x) ^ $ . \
{e<=1} (?| 😀 (?(1)a|b) (*FAIL)
"""


@given(
    st.lists(st.sampled_from([*PIECES.split(), *"\u0301\u200d\x00\n "]), min_size=1, max_size=12)
    .map("".join)
    .filter(str.strip)
)
def test_any_pattern_gives_diagnostics(pattern: str) -> None:
    codes(pattern)


@pytest.mark.parametrize(
    ("pattern", "quick"),
    [
        (r"(?<![0-9])[0-9]{8,15}(?![0-9])", True),
        (r"[a-z][-_a-z]{0,15}[0-9][-_a-z0-9]{3,19}|[0-9][-_a-z0-9]{4,19}", True),
        (r"(?:加|➕)? ?(?:微信|v) ?[:：]{0,3}(?=[0-9])\w{5,20}", True),
        ("a*b", True),
        ("a*a*", False),
        (".*x.*y.*z", False),
        ("(a+)+b", False),
        ("(?:a|[ab]){1,25}c", False),
        ("(?:ab?){0,3}", False),
        ("(?:abcabcabc){e<=3}", False),
        (r"\L<names>", False),
    ],
)
def test_what_needs_no_clock(pattern: str, quick: bool) -> None:
    assert is_quick(pattern, 200, 0.02) is quick


def test_the_less_time_there_is_the_less_is_quick() -> None:
    pattern = "[a-z]{0,30}[a-z]{0,30}[0-9]"
    assert [is_quick(pattern, 100, seconds) for seconds in (0.001, 0.02, 10)] == [False, True, True]
    assert not is_quick("(?:.*x)?.*y.*z", 300, 10)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES.split()), min_size=1, max_size=8).map("".join),
    st.lists(st.sampled_from(["a", "微", "門", "!", " ", "a微"]), min_size=1, max_size=3).map("".join),
)
def test_what_needs_no_clock_is_soon_done(pattern: str, pumped: str) -> None:
    assume(is_quick(pattern, 300, 0.02))
    try:
        compiled = regex.compile(pattern, regex.VERSION0 | regex.IGNORECASE)
    except (regex.error, ValueError, KeyError):
        return
    assert compiled.findall((pumped * 300)[:300] + "\x01", timeout=1) is not None
