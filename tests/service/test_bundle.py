"""Bundles: what was changed, cut off or signed by another is refused before it is read as rules."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import moderation
from moderation.errors import ModerationError
from moderation.service.bundle import BundleError, new_keys, read_bundle, write_bundle
from moderation.service.rules import load_checked


@pytest.fixture(scope="module")
def keys() -> tuple[bytes, bytes]:
    return new_keys()


@pytest.fixture
def signed(rules: Path, keys: tuple[bytes, bytes], tmp_path: Path) -> Path:
    engine = moderation.load(rules)
    path = tmp_path / "r.bundle"
    write_bundle(path, engine.rulebook.sources, engine.fingerprint, keys[0])
    return path


def test_a_bundle_makes_the_same_engine(signed: Path, rules: Path, keys: tuple[bytes, bytes]) -> None:
    engine = load_checked(str(signed), keys[1])
    assert engine.fingerprint == moderation.load(rules).fingerprint
    before = signed.read_bytes()
    write_bundle(signed, engine.rulebook.sources, engine.fingerprint, keys[0])
    assert signed.read_bytes() == before


def test_who_has_a_key_takes_nothing_else(signed: Path, rules: Path, keys: tuple[bytes, bytes], tmp_path: Path) -> None:
    unsigned = tmp_path / "u.bundle"
    write_bundle(unsigned, moderation.load(rules).rulebook.sources, "x")
    assert read_bundle(unsigned)
    with pytest.raises(BundleError, match="not signed, and a public key is set"):
        load_checked(str(unsigned), keys[1])
    with pytest.raises(BundleError, match="not signed by this key"):
        load_checked(str(signed), new_keys()[1])
    with pytest.raises(ModerationError):
        load_checked(str(rules), keys[1])
    with pytest.raises(ModerationError, match="not a key in PEM"):
        read_bundle(signed, b"garbage")


def test_any_changed_byte_is_seen(signed: Path, keys: tuple[bytes, bytes]) -> None:
    content = signed.read_bytes()
    for at in range(0, len(content), 97):
        if content[at] == 0:
            continue
        signed.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            found = read_bundle(signed, keys[1])
        except BundleError:
            continue
        # A tar's own notes (owner, times) are no part of what is signed.
        signed.write_bytes(content)
        assert found == read_bundle(signed, keys[1])


def test_one_that_was_cut_off(signed: Path, keys: tuple[bytes, bytes]) -> None:
    content = signed.read_bytes()
    for size in (0, 100, 600, 1500, len(content.rstrip(b"\0")) - 200):
        signed.write_bytes(content[:size])
        with pytest.raises(BundleError):
            read_bundle(signed, keys[1])


def _file(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = 1
    return entry


def _link(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return entry


def test_a_file_that_says_to_be_larger_than_it_is(tmp_path: Path) -> None:
    """Sparse: a few bytes that stand for 16 MiB of zeros, thousands of times."""
    path = tmp_path / "x.bundle"
    entry = _file("rules/x")
    entry.size, entry.pax_headers = 0, {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(16 << 20)}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry, io.BytesIO(b""))
    with pytest.raises(BundleError, match="no file of rules"):
        read_bundle(path)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_file, "../evil.yaml"),
        (_file, "/etc/evil"),
        (_file, "rules/../../evil"),
        (_file, "rules/a\\..\\b"),
        (_file, "evil.yaml"),
        (_link, "rules/link.txt"),
    ],
)
def test_no_way_out(make: Callable[[str], tarfile.TarInfo], name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.bundle"
    with tarfile.open(path, "w") as tar:
        tar.addfile(make(name), io.BytesIO(b"x"))
    with pytest.raises(BundleError, match="no file of rules"):
        read_bundle(path)
