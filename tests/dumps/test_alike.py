"""Units read as columns say what they say when every record is looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import moderation
from moderation.dumps.fields import FieldMap
from moderation.dumps.readers import Block
from moderation.dumps.records import Read, read_unit
from moderation.engine.columns import Columns
from moderation.post import Post, attribute

FIELDS = FieldMap(("text", "title"))
LOOKED_AT = frozenset({"author.age_days", "language", "lang", "n"})

VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6) | st.just([1])
PLAIN = st.fixed_dictionaries(
    {"text": st.text(max_size=8)},
    optional={
        "id": st.integers() | st.text(max_size=4),
        "language": st.sampled_from(["en", "", "zh"]),
        "author": st.dictionaries(st.sampled_from(["age_days", "id"]), VALUES, max_size=2) | VALUES,
        "author.age_days": VALUES,
        "n": VALUES,
        "other": VALUES,
    },
)
ODD = st.fixed_dictionaries({}, optional={"text": VALUES, "title": VALUES, "id": VALUES, "lang": VALUES})
LINE = (PLAIN | PLAIN | PLAIN | ODD).map(lambda record: json.dumps(record).encode())
BROKEN = st.sampled_from([b"", b"{", b"[]", b"1", b'{"text": "a"} {"text": "b"}', b"\xff", b'{"text": "\\ud800"}'])


def seen(read: Read) -> list[Any]:
    """What the engine makes of posts, and what is said of the others."""
    posts = [Post.of(post, FIELDS.text) for post in read.posts]
    told = [(post.id, post.fields, [attribute(post.attributes, path) for path in sorted(LOOKED_AT)]) for post in posts]
    return [told, read.rejects]


def columnar(lines: Sequence[bytes], named: bool = False) -> tuple[Read, Read]:
    block = Block("dump.jsonl", 5, list(lines), 0)
    return read_unit(block, FIELDS, named, None, True, LOOKED_AT), read_unit(block, FIELDS, named)


@given(lines=st.lists(LINE, max_size=6), broken=st.lists(BROKEN, max_size=1), named=st.booleans())
def test_columns_say_what_records_say(lines: list[bytes], broken: list[bytes], named: bool) -> None:
    found, expected = columnar([*lines, *broken], named)
    assert seen(found) == seen(expected)


@pytest.mark.parametrize(
    "other",
    [
        b"1e999", b"-1e999", b"9" * 5000, b"NaN", b"Infinity", b'"\xff"', b'"\xed\xa0\xbd"', b'"\\ud800"', b'"\0"',
        b'"\t"', b"01", b"1.", b"-", b"tru", b"[1,]", b'{"b"}', b"{1:2}", b"'b'", b'"\\x"', b'1,"\xff":1',
        b"[" * 5000 + b"]" * 5000,
    ],
)  # fmt: skip
def test_what_nobody_looks_at_is_judged_alike_whatever_stands_beside_it(other: bytes) -> None:
    lines = [b'{"text": "a"}', b'{"text": "b", "other": ' + other + b"}"]
    alone, beside = columnar(lines)[0], columnar([*lines, b"{broken"])[0]
    posts, rejects = seen(beside)
    assert seen(alone) == [posts, rejects[:-1]]


def test_hints_are_those_of_records() -> None:
    found, _ = columnar([b'{"text": "a", "lang": "fr"}', b'{"text": "b"}', b'{"text": "c", "language": 3}'])
    assert isinstance(found.posts, Columns)
    assert found.posts.hints == ["fr", None, None]
    assert columnar([b'{"text": "a"}'])[0].posts.hints is None  # type: ignore[union-attr]


def test_plain_dumps_are_columns() -> None:
    lines = [json.dumps({"text": "早上好", "author": {"age_days": day}, "x": [{}]}).encode() for day in range(3)]
    found, _ = columnar(lines)
    assert isinstance(found.posts, Columns)
    assert found.posts.ids == [5, 6, 7]
    assert found.posts.attributes[1] == {"author": {"age_days": 1}, "text": "早上好"}
    assert [dict(each) for each in found.posts.attributes[1:]] == [dict(found.posts.attributes[at]) for at in (1, 2)]
    with pytest.raises(IndexError):
        found.posts.attributes[3]


@pytest.mark.parametrize("other", ['"title": "b"', '"title": null', '"title": ""', '"title": ["b"]'])
def test_a_second_text_is_not_overlooked(other: str) -> None:
    found, expected = columnar([b'{"text": "a"}', f'{{"text": "a", {other}}}'.encode()])
    assert not isinstance(found.posts, Columns)
    assert seen(found) == seen(expected)


def test_engines_take_columns(bundled: moderation.Engine) -> None:
    posts = [{"id": 1, "text": "加我威信 abc12345", "author": {"age_days": 1}}, {"id": 2, "text": "hello my friend"}]
    block = Block("", 1, [json.dumps(post).encode() for post in posts], 0)
    columns = read_unit(block, FieldMap(bundled.text_fields), direct=True, attributes=bundled.attributes).posts
    assert isinstance(columns, Columns)
    assert bundled.decide_batch(columns) == bundled.decide_batch(posts)


@pytest.mark.parametrize("at", [0, 63, 64, 130, 199])
def test_what_is_no_utf_8_is_found_wherever_it_stands(at: int) -> None:
    lines = [b'{"text": "a", "other": "b"}'] * 200
    lines[at] = b'{"text": "a", "other": "\xff"}'
    assert [reject.line for reject in columnar(lines)[0].rejects] == [5 + at]
