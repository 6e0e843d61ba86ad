"""Strict YAML: every scalar a text, every place that of its text, with the fast parser and without."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation import RulesError
from moderation.packs import source
from moderation.packs.load import read_sources
from moderation.packs.source import Document, SourceError, read_document

FUNCTION_FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML has no C parser here")
    monkeypatch.setattr(source, "_Parser", getattr(yaml, request.param))
    yield


def codes(sources: dict[str, bytes]) -> list[str]:
    with pytest.raises(RulesError) as error:
        read_sources(sources)
    return [item.code for item in error.value.diagnostics]


def document_of(text: str) -> Document:
    return read_document("x.yaml", text.encode())


@FUNCTION_FIXTURES
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_diagnostics(content: bytes) -> None:
    assert codes({"zh/any.yaml": content})
    assert codes({"policy.yaml": content})


TREE = st.recursive(
    st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@FUNCTION_FIXTURES
@given(TREE)
def test_any_tree_gives_diagnostics(tree: object) -> None:
    assert codes({"zh/any.yaml": yaml.safe_dump(tree, allow_unicode=True).encode()})


WORDS = st.sampled_from(
    ["加微信", "no", "12:30", "010", "~", "😀 x", "مرحبا", "हिन्दी", "a # b", "- x", "e\u0301", "𠮷", "\ufeff"]
)  # fmt: skip


@FUNCTION_FIXTURES
@given(
    st.dictionaries(WORDS, st.lists(WORDS, max_size=4), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r", "\x85", "\u2028"]),
)
def test_places_are_those_of_the_text(tree: dict[str, list[str]], flow: bool, newline: str) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=10_000).replace("\n", newline)
    document = document_of("# 注释" + newline + text)
    assert document.data == tree
    for key, items in tree.items():
        written = {document.line(document.key_place((key,)).line)[document.key_place((key,)).column - 1 :][:1]}
        assert written <= {key[:1], "'", '"'}
        for index, item in enumerate(items):
            place = document.place((key, index))
            shown = document.line(place.line)[place.column - 1 : place.column - 1 + place.length]
            assert shown.strip("'") == item or shown.startswith('"')


def test_scalars_are_texts() -> None:
    text = "a: [no, 12:30, 010, 1e3, ~, null, true, 2026-01-01, '', .inf]"
    assert document_of(text).data == {"a": ["no", "12:30", "010", "1e3", "~", "null", "true", "2026-01-01", "", ".inf"]}


def test_a_byte_order_mark_is_no_text() -> None:
    assert read_document("x.yaml", b"\xef\xbb\xbfa: b\n").data == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: b\x00", "M012", 1, 5),
        ("加: 微\nb: \x1b[0m", "M012", 2, 4),
        ("a: b\rc: \x07", "M012", 2, 4),
        ("a: 1\nb: &x 2", "M004", 2, 4),
        ("a: *x", "M004", 1, 4),
        ("*x : a", "M004", 1, 1),
        ("a: !x b", "M005", 1, 4),
        ("a: 1\n---\nb: 2", "M007", 2, 1),
        ("? {a: b}\n: c", "M008", 1, 3),
        ("a: 1\n'a': 2", "M009", 2, 1),
        ("加: {微: 1, 微: 2}", "M009", 1, 11),
        ("a: {<<: {b: c}}", "M015", 1, 5),
        ("a: [" + "[" * 50, "M013", 1, 44),
        ("", "M003", 1, 1),
        ("# 注释\n", "M003", 1, 1),
        ("---\n...\n", "M003", 1, 1),
        ("a: b: c", "M001", 1, 5),
        ('a: "b', "M001", 1, 4),
        ("a:\n\t- b", "M001", 2, 1),
    ],
)
def test_what_is_refused_has_a_place(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(SourceError) as error:
        document_of(text)
    found = error.value.diagnostics[0]
    assert (found.code, found.line, found.column) == (code, line, column)


def test_all_that_is_refused_is_said() -> None:
    with pytest.raises(SourceError) as error:
        document_of("a: &x 1\na: *x\nb: !t 2\n<<: {c: 3}\nd: 4")
    assert [found.code for found in error.value.diagnostics] == ["M004", "M009", "M004", "M005", "M015"]
    assert error.value.document is not None and error.value.document.data == {"a": "1", "b": "2", "d": "4"}


def test_a_quoted_merge_key_is_a_text() -> None:
    assert document_of("'<<': a").data == {"<<": "a"}


BOMBS = {
    "aliases": "a: &a [x]\n"
    + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "lists": "[" * 20_000,
    "mappings": "{a: " * 2_000,
    "keys": "? " * 2_000,
    "dashes": "- " * 5_000,
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs_are_refused_at_once(name: str) -> None:
    started = time.process_time()
    with pytest.raises(SourceError):
        document_of(BOMBS[name])
    assert time.process_time() - started < 2, "a hundredth of a second, on a machine that does nothing else"


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_NODES", 100)
    with pytest.raises(SourceError, match="more than 100 values"):
        document_of("[" + "x," * 100 + "]")
    with pytest.raises(SourceError, match="larger than"):
        document_of("x" * (source.MAX_BYTES + 1))


def test_packs_are_read_without_what_judges_posts() -> None:
    heavy = "sys.modules.keys() & {'sklearn', 'scipy', 'hyperscan', 'langdetect', 'rjieba'}"
    modules = "load, render, jsonschema, lint, shape, salvage, files"
    code = f"import sys; from moderation.packs import {modules}; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
