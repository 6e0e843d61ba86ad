"""Diagnostics as text: carets by display width, nothing that moves the cursor, long lines cut."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from moderation import Diagnostic
from moderation.packs.render import counts, render, visible

FOUND = Diagnostic("zh/spam.yaml", 12, 5, "M020", "unknown key `serverity`", 9, source_line="    serverity: 60")


def lines_of(found: Diagnostic) -> tuple[str, str]:
    """The source line and the caret line, both without their gutter."""
    text = render([found]).splitlines()
    return text[3].partition("| ")[2], text[4].partition("| ")[2]


@pytest.mark.parametrize(
    ("line", "word", "caret"),
    [
        ("x: 加微信", "微信", "     ^^^^"),
        ("x: ＶＸ加", "加", "       ^^"),
        ("😀: 好", "好", "    ^^"),
        ("é: e\u0301x y", "y", "      ^"),
        ("\tx: y", "y", "       ^"),
        ("a\u202eb: y", "y", "          ^"),
        ("مرحبا: x", "x", "       ^"),
    ],
)
def test_carets_stand_by_display_width(line: str, word: str, caret: str) -> None:
    found = replace(FOUND, source_line=line, column=line.index(word) + 1, length=len(word))
    assert lines_of(found)[1] == caret


@given(st.text(max_size=40), st.text(min_size=1, max_size=8), st.text(max_size=200))
def test_carets_stand_under_what_is_marked(before: str, marked: str, after: str) -> None:
    found = replace(FOUND, source_line=f"x{before}{marked}{after}", column=len(before) + 2, length=len(marked))
    source, caret = lines_of(found)
    start = len(caret) - len(caret.lstrip())
    assert cell_len(source) <= 112
    assert caret.strip("^ ") == "" and "^" in caret
    if cell_len(visible("x" + before)) <= 55:
        assert start == cell_len(visible("x" + before))


@given(st.text(max_size=300))
def test_nothing_moves_the_cursor(text: str) -> None:
    shown = render([replace(FOUND, path=text, message=text, hint=text, source_line=text)])
    assert not {unicodedata.category(character) for character in shown.replace("\n", "")} & {
        "Cc",
        "Cf",
        "Zl",
        "Zp",
        "Cs",
    }


@pytest.mark.parametrize(
    "text", ["हिन्दी में", "สวัสดีครับ", "مَرْحَبًا", "שָׁלוֹם", "Tiếng Việt", "e\u0301", "がんばれ", "😀", "한국어"]
)
def test_what_people_write_is_shown(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb", "a\\u200bb"),
        ("❤\ufe0f", "❤\\ufe0f"),
        ("\u0301x", "\\u0301x"),
        ("x\u0301\u0302\u0303\u0304", "x\u0301\u0302\\u0303\\u0304"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\U000e0041", "\\U000e0041"),
        ("ㅤ", "\\u3164"),
        ("\ud83d", "\\ud83d"),
        ("a\tb", "a    b"),
    ],
)
def test_what_hides_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_as_long_as_a_file() -> None:
    line = "微" * 2_000_000
    source, caret = lines_of(replace(FOUND, source_line=line, column=1_000_000, length=3))
    assert source.startswith("…") and source.endswith("…") and cell_len(source) <= 112
    assert caret.strip() == "^^^^^^"


def test_colours_mark_the_same_text() -> None:
    coloured = render([FOUND], color=True)
    assert "\x1b[" in coloured
    plain = coloured
    for code in ("\x1b[1;31m", "\x1b[34m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain == render([FOUND])


def test_the_last_line_counts() -> None:
    warning = replace(FOUND, severity="warning", path="zh/other.yaml")
    assert counts([FOUND, FOUND, warning]) == "2 errors, 1 warning, 2 files"
    assert counts([], files=12) == "0 errors, 0 warnings, 12 files"
    assert render([FOUND], files=1).endswith("\n\n1 error, 0 warnings, 1 file\n")
