"""Records that are no posts: each one named with its line, its code and itself, and none of its neighbours lost."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]

BAD: list[tuple[bytes, str, str]] = [
    (b'{"id": 1, "text": "cut', "R001", 'broken JSON at column 19: unterminated string, found "cut'),
    (b"{'text': 'a'}", "R001", "broken JSON at column 2: expecting property name"),
    (b'{"text": "a"}{"text": "b"}', "R001", 'broken JSON at column 14: extra data, found {"text": "b"}'),
    (b'{"text": "a\x00b"}', "R001", "broken JSON at column 12: invalid control character, found \x00b"),
    (b"\x00" * 50, "R001", "broken JSON at column 1: expecting value"),
    (b'{"text": "a", "n": NaN}', "R001", "NaN is not a number in JSON"),
    (b'{"a":' * 50_000, "R001", "nested too deeply"),
    (b'{"text": "ok \xff"}', "R002", "invalid UTF-8 at column 14: byte 0xff"),
    ('{"text": "加微信"}'.encode("gb18030"), "R002", "invalid UTF-8 at column 11: byte 0xbc"),
    (b'[{"text": "a"}, {"text": "b"}]', "R003", "a record is one object a line, not a list"),
    (b'"text"', "R003", "not one value"),
    (b"{}", "P002", "no text: the post has nothing"),
    (b'{"message": "a"}', "P002", "no text: the post has `message`; text is looked for in `text`, `title`"),
    (b'{"text": null}', "P002", "no text: `text` holds nothing"),
    (b'{"text": 7}', "P003", "`text` is a text or a list of texts, not the number 7"),
    (b'{"text": {"a": 1}}', "P003", "not an object"),
    (b'{"text": "a", "title": ["b", 3]}', "P003", "`title` is a text or a list of texts"),
    (b'{"text": "a", "id": 1.5}', "P004", "`id` is a text or a whole number, not the number 1.5"),
    (b'{"text": "a", "id": true}', "P004", "not true or false"),
]
LIGHT = [item for item in BAD if len(item[0]) < 1000]


def score(run: Run, folder: Path, content: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
    """The decisions, the rejects, and what was told."""
    (folder / "posts").write_bytes(content)
    done = run("score", folder / "posts", "--rejects", folder / "rejects")
    assert done.returncode == 0
    rejects = (folder / "rejects").read_bytes().splitlines()
    return list(map(json.loads, done.stdout.encode().splitlines())), list(map(json.loads, rejects)), done.stderr


@pytest.mark.parametrize(("raw", "code", "reason"), BAD)
def test_a_reject_tells_all(run: Run, tmp_path: Path, raw: bytes, code: str, reason: str) -> None:
    neighbour = '{"text": "出假票"}\n'.encode()
    decisions, (reject,), told = score(run, tmp_path, b"\n" + neighbour + raw + b"\r\n" + neighbour)
    assert [(item["id"], item["verdict"]) for item in decisions] == [(2, "blocked"), (4, "blocked")]
    assert (reject["file"], reject["line"], reject["code"]) == (f"{tmp_path}/posts", 3, code)
    assert reason in reject["reason"]
    assert raw_of(reject) == raw + b"\r"
    assert f"  1 {code} " in told and reason not in told


def raw_of(reject: dict[str, Any]) -> bytes:
    return reject["raw"].encode() if "raw" in reject else base64.b64decode(reject["raw_base64"])


def test_nothing_is_lost(run: Run, tmp_path: Path) -> None:
    """Every line that isn't blank is a decision or a reject, in order, and the rejects make the input again."""
    content = b"".join(raw + b'\n{"text": "fine"}\n' for raw, _, _ in LIGHT * 300)
    decisions, rejects, _ = score(run, tmp_path, content)
    assert [decision["id"] for decision in decisions] == list(range(2, 2 * len(LIGHT) * 300 + 1, 2))
    assert [reject["line"] for reject in rejects] == list(range(1, 2 * len(LIGHT) * 300, 2))
    assert [raw_of(reject) for reject in rejects] == [raw for raw, _, _ in LIGHT] * 300


def test_rejects_are_named_on_standard_error_otherwise(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posts").write_bytes(BAD[0][0] + b"\n")
    told = run("score", tmp_path / "posts", "-q").stderr
    assert told.startswith(f"{tmp_path}/posts:1: R001: {BAD[0][2]}\n1 record rejected; --rejects FILE keeps them\n")


@pytest.mark.parametrize("raw", [b'{"text": "\x1b[31mred', b'{"\x1b]0;title\x07": 1}', "{\u202e".encode()])
def test_a_reject_cannot_write_to_the_terminal(run: Run, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "posts").write_bytes(raw)
    told = run("score", tmp_path / "posts").stderr
    assert "R001: " in told or "P002: " in told
    assert not set(told) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize(
    ("line", "verdict", "text"),
    [
        (r'{"text": "a\u0000b 假票"}', "blocked", "假票"),
        (r'{"text": "\ud800 假票 \udc00"}', "blocked", "假票"),
        (r'{"text": "\ud800"}', "allowed", None),
        (r'{"text": "fine", "text": "出假票"}', "blocked", "假票"),
        (r'{"text": "出假票", "text": "fine"}', "allowed", None),
        (r'{"text": "出\u200b假\u200b票"}', "blocked", "假\u200b票"),
        (r'{"text": ""}', "allowed", None),
        (r'{"tags": ["出", "假票"]}', "blocked", "假票"),
        ('\ufeff{"text": "出假票"}', "blocked", "假票"),
    ],
)
def test_odd_posts_are_judged(run: Run, tmp_path: Path, line: str, verdict: str, text: str | None) -> None:
    (decision,), rejects, _ = score(run, tmp_path, line.encode())
    assert not rejects
    assert (decision["id"], decision["verdict"]) == (1, verdict)
    assert [span["text"] for reason in decision["reasons"] for span in reason["spans"]] == ([text] if text else [])


def test_an_id_comes_back_as_it_was(run: Run, tmp_path: Path) -> None:
    ids = ["\ud800", "\u0000", 0, -1, 2**63, 10**30, "", "7", "\u2028", "二"]
    lines = [json.dumps({"id": id, "text": "假票 \udc00"}) + "\n" for id in ids]
    decisions, rejects, _ = score(run, tmp_path, "".join(lines).encode())
    assert [decision["id"] for decision in decisions] + [reject["raw"] for reject in rejects] == ids


def test_a_post_of_ten_megabytes_is_flagged(run: Run, tmp_path: Path) -> None:
    """It is told that only its beginning was read, and that was read: nothing is allowed unseen."""
    long = json.dumps({"id": "long", "text": "word " * 2_000_000})
    early = json.dumps({"id": "early", "text": "出假票" + "好" * 3_400_000}, ensure_ascii=False)
    last = json.dumps({"id": "last", "text": "fine"})
    decisions, rejects, told = score(run, tmp_path, "\n".join([long, early, last]).encode())
    assert [(item["id"], item["verdict"]) for item in decisions] == [
        ("long", "flagged"), ("early", "blocked"), ("last", "allowed"),
    ]  # fmt: skip
    assert [reason["rule"] for reason in decisions[0]["reasons"]] == ["engine/limit-exceeded"]
    assert rejects == [] and " · 2 longer than the limit · " in told


def test_a_line_too_long_to_be_a_post(run: Run, tmp_path: Path) -> None:
    huge = b'{"text": "' + b"x" * (65 << 20) + b'"}'
    (decision,), (reject,), _ = score(run, tmp_path, huge + b'\n{"text": "fine"}\n')
    assert decision["id"] == 2
    assert (reject["line"], reject["code"]) == (1, "R004")
    assert f"a line of {len(huge):,} bytes" in reject["reason"] and huge.startswith(raw_of(reject))
