"""Lines come out whole, in order and numbered, however the bytes arrive."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.dumps.readers import HEAD, Block, find_sources, read_blocks, was_replaced
from moderation.errors import DumpError


def lines_of(path: Path, **more: int) -> list[tuple[int, bytes]]:
    (source,) = find_sources([str(path)])
    blocks = read_blocks(source, **more)
    return [(block.first + index, line) for block in blocks for index, line in enumerate(block.lines)]


@given(
    st.lists(st.text(max_size=30).map(lambda text: text.replace("\n", " ").encode("utf-8", "replace"))),
    st.integers(1, 40),
)
def test_any_piece_size_gives_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], piece: int
) -> None:
    path = tmp_path_factory.mktemp("dump") / "posts.jsonl"
    path.write_bytes(b"\n".join(lines))
    expected = [line for line in enumerate(b"\n".join(lines).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)]
    assert [line for line in lines_of(path, piece=piece) if line[1]] == [line for line in expected if line[1]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n\n", [(1, b""), (2, b"")]),
        (b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"a\r\n\xe4\xb8\xad\r\n", [(1, b"a\r"), (2, "中\r".encode())]),
        (b"\xef\xbb\xbfa\nb", [(1, b"a"), (2, b"b")]),
        (gzip.compress(b"a\nb\n", mtime=0), [(1, b"a"), (2, b"b")]),
        (
            gzip.compress(b"a\n", mtime=0) + gzip.compress(b"\xef\xbb\xbfb", mtime=0) + b"\0" * 9,
            [(1, b"a"), (2, b"\xef\xbb\xbfb")],
        ),
        (gzip.compress(b"", mtime=0), []),
    ],
)
def test_contents(tmp_path: Path, content: bytes, expected: list[tuple[int, bytes]]) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(content)
    for piece in (1, 7, 1 << 18):
        assert lines_of(path, piece=piece) == expected


def test_a_line_that_is_too_long_leaves_only_its_head(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"a\n" + b"x" * 50_000 + b"\nb\n" + b"y" * 4001)
    (source,) = find_sources([str(path)])
    blocks = [
        (block.first, [len(line) for line in block.lines], block.length) for block in read_blocks(source, 4000, 512)
    ]
    assert blocks == [(1, [1], None), (2, [HEAD], 50_000), (3, [1], None), (4, [HEAD], 4001)]


def test_a_pipe_gives_what_it_has(tmp_path: Path) -> None:
    """A line that was written is read before the next one is written: nothing waits for a buffer to fill."""
    fifo = tmp_path / "feed"
    os.mkfifo(fifo)
    (source,) = find_sources([str(fifo)])
    seen = threading.Event()

    def write() -> None:
        with fifo.open("wb", buffering=0) as feed:
            feed.write(b"one\n")
            assert seen.wait(10)
            feed.write(b"two\nthr")
            feed.write(b"ee")

    writer = threading.Thread(target=write)
    writer.start()
    blocks: Iterator[Block] = read_blocks(source)
    assert next(blocks).lines == [b"one"]
    seen.set()
    assert [line for block in blocks for line in block.lines] == [b"two", b"three"]
    writer.join()


def test_bytes_taken_reach_the_size(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"line\n" * 10_000)
    (source,) = find_sources([str(path)])
    assert [block.taken for block in read_blocks(source)][-1] == source.size == 50_000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "holds no dumps"),
        (lambda path: path.write_bytes("text".encode("utf-16")), "is UTF-16 text, which has to be converted: iconv"),
        (lambda path: path.write_bytes(b"\x28\xb5\x2f\xfd...."), "damaged zstd data"),
        (lambda path: path.write_bytes(gzip.compress(os.urandom(5000))[:900]), "in the middle of its gzip data"),
        (lambda path: path.write_bytes(gzip.compress(b"a" * 50)[:-8] + b"12345678"), "damaged gzip data"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, make: object, message: str) -> None:
    path = tmp_path / "posts.jsonl"
    make(path)  # type: ignore[operator]
    with pytest.raises(DumpError, match=message) as caught:
        lines_of(path)
    assert str(path) in str(caught.value)


def test_standard_input_is_named_once() -> None:
    with pytest.raises(DumpError, match="named twice"):
        find_sources(["-", "-"])


def test_a_file_that_vanishes_before_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"{}\n")
    (source,) = find_sources([str(path)])
    path.unlink()
    with pytest.raises(DumpError, match="there is no such file"):
        list(read_blocks(source))


def test_a_file_cut_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"line\n" * 10)
    (source,) = find_sources([str(path)])
    blocks = read_blocks(source, piece=10)
    next(blocks)
    os.truncate(path, 5)
    with pytest.raises(DumpError, match=r"was cut while it was being read \(50 bytes at first, 5 now\)"):
        list(blocks)


def test_a_file_replaced_while_it_is_read(tmp_path: Path) -> None:
    """The old file is read to its end: a run never mixes two files."""
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"old\n" * 4)
    (source,) = find_sources([str(path)])
    blocks = read_blocks(source, piece=4)
    first = next(blocks)
    other = tmp_path / "other"
    other.write_bytes(b"new\n" * 9)
    other.rename(path)
    assert [line for block in [first, *blocks] for line in block.lines] == [b"old"] * 4
    assert was_replaced(source)
