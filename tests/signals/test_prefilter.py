"""Prefilters: what they are built from, and that they never see less than the regex does."""

from __future__ import annotations

import pytest
import regex

from moderation.signals.codepoints import case_variants, code_points
from moderation.signals.prefilter import prefilter_of


def expression_of(pattern: str, flags: int = 0) -> str | None:
    found = prefilter_of(regex.compile(pattern, regex.VERSION0 | flags))
    return found.expression if found else None


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        ("ab1", "ab1"),
        ("a|b", "a|b"),
        ("微信", r"\x{5fae}\x{4fe1}"),
        (r"\.\-\ \/", r"\x{2e}\x{2d}\x{20}\x{2f}"),
        (r"\n\x41\u4fe1\U0001F600", r"\x{a}A\x{4fe1}\x{1f600}"),
        ("[a-c_]", r"[\x{5f}a-c]"),
        ("[^a]", r"[\x{0}-\x{60}b-\x{7f}\x{80}-\x{10ffff}]"),
        ("[[:digit:]x]", "[0-9x]"),
        (r"\d", "[0-9]"),
        ("ab*", "a(?:b){0,}"),
        ("(a)(?:b)(?P<n>c)(?<m>d)(?>e)(?|f)", "(?:a)(?:b)(?:c)(?:d)(?:e)(?:f)"),
        ("a{2}b{2,}c{,3}d{1,2}?e++", "(?:a){2,2}(?:b){2,}(?:c){0,3}(?:d){1,2}(?:e){1,}"),
        ("ab{0}c", "ac"),
        ("[a-z]{5,300}", "(?:[a-z]){5,}"),
        (r"[a-z]{70,300}", "(?:[a-z]){16,}"),
        (r"\bab\B$", "ab"),
        (r"^ab|\Ac", r"(?:^|\x{0})ab|(?:^|\x{0})c"),
        ("(?m)^ab", "ab"),
        ("(?=x)a(?!b)(?<!c)d(?<=e)f", "adf"),
        ("(?<=a)b", "(?:a)b"),
        ("a(?=b)|c(?=d)", "a(?:b)|c(?:d)"),
        (r"(a)\1", r"(?:a)[\x{0}-\x{10ffff}]*"),
        ("a(?#note)b", "ab"),
        ("(?i)a(?-i:b)", "[Aa](?:b)"),
        ("a(?i:b)c", "a(?:[Bb])c"),
        (r"\p{Lu}" + "{3}", None),
        ("[a-z][a-z0-9]{0,40}@[a-z]+", r"\x{40}(?:[a-z]){1,}"),
        ("[a-z]x@|[a-z]@?y", r"[a-z]x\x{40}|[a-z](?:\x{40}){0,1}y"),
        ("(?:[a-z]@)b", r"(?:[a-z]\x{40})b"),
        ("(?s).", r"[\x{0}-\x{7f}\x{80}-\x{10ffff}]"),
    ],
)
def test_what_a_prefilter_is_made_of(pattern: str, expression: str | None) -> None:
    found = expression_of(pattern)
    assert found == expression if expression else found is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:foo){e<=1}", "a{", "a{,}", "(?x)a b", "(?a)a", "(?f)a", "(?r)a", "(?w)a", "(?b)a", "(?e)a", "(?p)a",
        "(a)(?(1)b|c)", "(?R)?a", "a(?1)?(b)", "(?&n)?(?P<n>a)", "(*FAIL)|a", "a(?i)b", "(?<=a)+b", "[]a]", "[^]a]",
        "[[a]", r"\L<names>", r"\10(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", r"[^\x00-\U0010ffff]a", "\ud800", r"\077", "a{٣}",
        r"\p{!}", "a{2",
    ],
)  # fmt: skip
def test_syntax_that_is_not_known_to_be_safe_has_no_prefilter(pattern: str) -> None:
    compiled = regex.compile(pattern, regex.VERSION0, **({"names": ["a"]} if "names" in pattern else {}))
    assert prefilter_of(compiled) is None


@pytest.mark.parametrize(
    ("pattern", "blind"),
    [
        (r"\d", {"digits"}),
        ("[0-9]", set()),
        ("(?i)k", {"letters"}),
        ("(?i)a", set()),
        (r"(?i)[a-z\d]", {"digits", "letters"}),
        (r"\w", set()),
        ("٣", set()),
        (r"(?i)ß", set()),
    ],
)
def test_a_prefilter_says_what_it_is_blind_to(pattern: str, blind: set[str]) -> None:
    found = prefilter_of(regex.compile(pattern, regex.VERSION0))
    assert found is not None and found.blind == blind


@pytest.mark.parametrize("char", "kKsſiİıßẞåÅωΩΩθϑµμ微1.かд")
def test_case_variants_are_those_of_the_regex_package(char: str) -> None:
    flags = regex.VERSION0 | regex.IGNORECASE
    assert set(case_variants(char)) == set(singles(code_points(regex.escape(char), flags)))


def test_a_code_point_without_case_has_no_variants() -> None:
    uncased = r"[^\p{Cased}\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]"
    assert code_points(uncased, regex.VERSION0) == code_points(uncased, regex.VERSION0 | regex.IGNORECASE)


def singles(ranges: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    return [(code, code) for low, high in ranges for code in range(low, high + 1)]


def test_a_wide_class_keeps_all_its_members() -> None:
    expression = expression_of(r"\w")
    assert expression is not None
    kept = regex.compile(regex.sub(r"\\x\{([0-9a-f]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", expression))
    words = "".join(chr(code) for low, high in code_points(r"\w", regex.VERSION0) for code in range(low, high + 1))
    assert kept.sub("", words.encode("utf-8", "ignore").decode()) == ""
    assert not kept.search("!.,:;?'\"()[]{}#@&*+-/<=>|~ \t\r\n")
