"""Every line becomes a post, a reject that names the fault, or (blank) nothing."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.dumps.fields import FieldMap
from moderation.dumps.readers import Block
from moderation.dumps.records import Reject, read_posts, read_unit
from moderation.post import Post

FIELDS = ("text", "title")


def read(*lines: bytes | str, named: bool = False, first: int = 1) -> tuple[list[Post], list[Reject]]:
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    return read_posts(Block("feed.jsonl", first, raw, 0), FieldMap(FIELDS), named)


@pytest.mark.parametrize(
    ("line", "code", "column", "reason"),
    [
        ('{"text": "a" "b"}', "R001", 14, "broken JSON at column 14: expecting ',' delimiter, found \"b\"}"),
        ('{"text": "你好', "R001", 10, 'broken JSON at column 10: unterminated string, found "你好'),
        ('{"text": 1', "R001", 11, "broken JSON at column 11: expecting ',' delimiter, found the line's end"),
        ("{", "R001", 2, "expecting property name enclosed in double quotes, found the line's end"),
        ("{'text': 'a'}", "R001", 2, "expecting property name enclosed in double quotes, found 'text'"),
        ('{"text": "a"} x', "R001", 15, "extra data, found x"),
        ('{"text": "a", "n": NaN}', "R001", None, "NaN is not a number in JSON"),
        ('{"text": "a", "n": -Infinity}', "R001", None, "-Infinity is not a number in JSON"),
        ('{"a":' * 100_000, "R001", None, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "R001", None, "nested too deeply"),
        (b'{"text": "\xe4\xbd\xa0\xff"}', "R002", 12, "invalid UTF-8 at column 12: byte 0xff"),
        (b"\xd6\xd0\xce\xc4", "R002", 1, "invalid UTF-8 at column 1: byte 0xd6"),
        ('["a"]', "R003", None, 'a record is one object a line, not a list: ["a"]'),
        ('"a"', "R003", None, 'not one value: "a"'),
        ("null", "R003", None, "not one value: null"),
        ('{"message": "a"}', "P002", None, "no text: the post has `message`; text is looked for in `text`, `title`"),
        ('{"text": 7}', "P003", None, "`text` is a text or a list of texts, not the number 7"),
        ('{"text": "a", "id": 1.5}', "P004", None, "`id` is a text or a whole number"),
    ],
)
def test_rejects(line: str | bytes, code: str, column: int | None, reason: str) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    posts, rejects = read(b'{"text": "before"}', raw, b'{"text": "after"}')
    assert [post.id for post in posts] == [1, 3]
    (reject,) = rejects
    assert (reject.source, reject.line, reject.code, reject.column) == ("feed.jsonl", 2, code, column)
    assert reason in reject.reason
    assert reject.raw == raw


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"text": "\\ud800"}', "\ud800"),
        ('{"text": "a\\udc00b"}', "a\udc00b"),
        ('{"text": "\\ud83d\\ude00"}', "😀"),
        ('{"text": "first", "text": "last"}', "last"),
        ('{"text": "\\ud800", "text": "last"}', "last"),
        ('  {"text": "नमस्ते"}\r', "नमस्ते"),
        ('\ufeff{"text": "ข้อความ"}', "ข้อความ"),
        ('{"text": "\\u0000"}', "\0"),
        ('{"text": "large", "n": 1e999}', "large"),
        ('{"text": "larger", "n": ' + "9" * 5000 + "}", "larger"),
    ],
)
def test_accepted(line: str, text: str) -> None:
    posts, rejects = read(line)
    assert not rejects
    assert posts[0].fields == (("text", text),)


@pytest.mark.parametrize("line", ["", " ", "\r", "\t \r"])
def test_blank_lines_are_nothing(line: str) -> None:
    assert read(line) == ([], [])


def test_ids() -> None:
    lines = ('{"text": "a", "id": "x"}', '{"text": "a", "id": 0}', '{"text": "a"}', '{"text": "a", "id": null}')
    assert [post.id for post in read(*lines, first=10)[0]] == ["x", 0, 12, 13]
    assert [post.id for post in read(*lines, first=10, named=True)[0]] == ["x", 0, "feed.jsonl:12", "feed.jsonl:13"]


def test_a_line_too_long_to_be_read() -> None:
    posts, (reject,) = read_posts(Block("feed.jsonl", 5, [b'{"text": "aaa'], 0, length=99_000_000), FieldMap(FIELDS))
    assert posts == []
    assert (reject.line, reject.code) == (5, "R004")
    assert "99,000,000 bytes" in reject.reason


@given(st.binary().filter(lambda raw: b"\n" not in raw))
def test_any_bytes_are_read_or_rejected_whole(raw: bytes) -> None:
    posts, rejects = read(raw)
    assert len(posts) + len(rejects) == bool(raw.strip())
    for reject in rejects:
        record = json.loads(reject.to_json())
        restored = record["raw"].encode() if "raw" in record else base64.b64decode(record["raw_base64"])
        assert restored == raw


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    ("lines", "plain"),
    [
        ((b'{"text": "a"}', b'{"text": "\\u52a0", "id": 7, "lang": "zh"}', b'{"id": null, "text": ""}'), True),
        ((b'{"text": "a"}', b'{"title": "b"}'), False),
        ((b'{"text": "a", "title": "b"}',), False),
        ((b'{"text": ["a", "b"]}',), False),
        ((b'{"text": "a", "id": true}',), False),
        ((b'{"text": "a"}', b""), False),
        ((b'{"text": "a"}', b"[1]"), False),
        ((b'{"text": "a"}', b'{"text": "\\ud800"}'), False),
    ],
)
def test_plain_records_are_read_as_the_closer_look_reads_them(
    lines: tuple[bytes, ...], plain: bool, named: bool
) -> None:
    block = Block("feed.jsonl", 5, list(lines), 0)
    read = read_unit(block, FieldMap(FIELDS), named, direct=True)
    records = [post for post in read.posts if isinstance(post, dict)]
    assert (len(records) == len(read.posts) == len(lines)) == plain
    if plain:
        assert [Post.of(record, FIELDS) for record in records] == read_posts(block, FieldMap(FIELDS), named)[0]
