"""Outputs appear whole or not at all, and never eat an input."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from moderation.decision import Decision
from moderation.dumps.readers import find_sources
from moderation.dumps.writers import encode_lines, open_sink, refuse_overlap
from moderation.errors import DumpError


def decision(id: str) -> Decision:
    return Decision(id, "allowed", 0, (), (), (), {}, (), (), {}, {}, (), "sha256:00")


def test_lines() -> None:
    decisions = [decision("一"), decision("\ud800"), decision("3")]
    lines = encode_lines(decisions).splitlines()
    assert [line[:14] for line in lines] == ['{"id":"一","ver'.encode()[:14], b'{"id":"\\ud800"', b'{"id":"3","ver']
    assert encode_lines([]) == b""


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_sink(str(path)) as sink:
        sink.write(b"one\n")
        assert not path.exists()
        sink.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, DumpError, BrokenPipeError, ValueError])
def test_an_interrupt_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old\n")
    with pytest.raises(error), open_sink(str(path)) as sink:
        sink.write(b"new\n")
        raise error
    assert path.read_bytes() == b"old\n"
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_the_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.touch(0o640)
    path.chmod(0o640)
    with open_sink(str(path)):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.jsonl", tmp_path / "link.jsonl"
    link.symlink_to(target)
    with open_sink(str(link)) as sink:
        sink.write(b"x")
    assert link.is_symlink()
    assert target.read_bytes() == b"x"


def test_the_longest_name(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    with open_sink(str(path)) as sink:
        sink.write(b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out.jsonl", "its folder does not exist: mkdir -p "),
        (".", "it is a folder: name a file in it"),
        ("a\0b", "cannot write"),
        ("n" * 256, "cannot write"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DumpError, match=message), open_sink(f"{tmp_path}/{name}"):
        pass


def test_a_full_disk() -> None:
    with pytest.raises(DumpError, match="cannot write /dev/full: the disk is full"), open_sink("/dev/full") as sink:
        sink.write(b"x")


def test_devices_are_written_straight() -> None:
    with open_sink("/dev/null") as sink:
        sink.write(b"x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_overlaps(tmp_path: Path) -> None:
    path, other, hard = tmp_path / "in.jsonl", tmp_path / "other.jsonl", tmp_path / "hard.jsonl"
    path.write_bytes(b"{}")
    other.write_bytes(b"{}")
    os.link(path, hard)
    sources = find_sources([str(path)])
    refuse_overlap(sources, (str(other), None))
    refuse_overlap(sources, ("/dev/null", "/dev/null"))
    for outputs in ((str(path), None), (str(other), str(hard)), (f"{tmp_path}/./in.jsonl", None)):
        with pytest.raises(DumpError, match="is the same file as the input"):
            refuse_overlap(sources, outputs)
    for outputs in ((str(other), str(other)), (f"{tmp_path}/new", f"{tmp_path}/./new")):
        with pytest.raises(DumpError, match="are one file"):
            refuse_overlap(sources, outputs)
