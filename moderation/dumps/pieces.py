"""The bytes of a source, piece by piece, unzipped: in constant memory, however large it is or unzips to.

A file or a pipe is read in big binary pieces. A pipe that has no more to give right now ends the piece, so that what
was written into it is judged at once (`tail -f feed.jsonl | moderation score`), and one that is fast fills it. gzip and
zstd are recognised by their first bytes.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import stat
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import chain

from moderation.dumps.sources import Source, unreadable
from moderation.errors import DumpError

PIECE = 1 << 20
_LINGER = 0.005
_BOM = b"\xef\xbb\xbf"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_FOREIGN = [
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff"), "UTF-32 text", "iconv -f UTF-32 -t UTF-8"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "UTF-16 text", "iconv -f UTF-16LE -t UTF-8"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "UTF-16 text", "iconv -f UTF-16BE -t UTF-8"),
    (re.compile(rb"BZh"), "bzip2 data", "bzip2 -dc"),
    (re.compile(rb"\xfd7zXZ"), "xz data", "xz -dc"),
    (re.compile(rb"PK\x03\x04"), "a zip archive", "unzip -p"),
    (re.compile(re.escape(_GZIP)), "zipped twice", "gzip -dc"),
    (re.compile(re.escape(_ZSTD)), "zipped twice", "zstd -dc"),
]
_ZIPPERS = {"gzip": _GZIP, "zstd": _ZSTD}
_GZIP_ONLY = 31
_ZSTD_FEED = 1024


@dataclass(slots=True)
class Taken:
    """How many bytes of a source were read so far."""

    bytes: int = 0


def pieces_of(source: Source, descriptor: int, taken: Taken, size: int = PIECE) -> Iterator[bytes]:
    """The text of a source, unzipped, without a byte order mark. Raises DumpError for what is no text, or damaged."""
    return _decompressed(source, descriptor, _counted(_pieces(source, descriptor, size), taken))


def _pieces(source: Source, descriptor: int, size: int) -> Iterator[bytes]:
    read = _read if stat.S_ISREG(os.fstat(descriptor).st_mode) else _read_waiting
    try:
        while piece := read(descriptor, size):
            yield piece
    except OSError as error:
        raise unreadable(source.label, error) from error


def _read(descriptor: int, size: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, size)
        except BlockingIOError:
            select.select([descriptor], [], [])


def _read_waiting(descriptor: int, size: int) -> bytes:
    """Wait for the first bytes as long as it takes, then for more only as long as nobody notices."""
    parts = [_read(descriptor, size)]
    missing, deadline = size - len(parts[0]), time.monotonic() + _LINGER
    while parts[-1] and missing > 0 and _ready(descriptor, deadline):
        parts.append(_read(descriptor, missing))
        missing -= len(parts[-1])
    return b"".join(parts)


def _ready(descriptor: int, deadline: float) -> bool:
    try:
        return bool(select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0])
    except (OSError, ValueError):
        return False


def _counted(pieces: Iterable[bytes], taken: Taken) -> Iterator[bytes]:
    for piece in pieces:
        taken.bytes += len(piece)
        yield piece


def _decompressed(source: Source, descriptor: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = _beginning(pieces)
    for magic, unzipped in ((_GZIP, _gunzipped), (_ZSTD, _unzstd)):
        if first.startswith(magic):
            pieces = filter(None, unzipped(source, first, pieces))
            first = _beginning(pieces)
            break
    for pattern, kind, command in _FOREIGN:
        if pattern.match(first):
            raise foreign(source, descriptor, kind, command)
    yield first.removeprefix(_BOM)
    yield from pieces


def foreign(source: Source, descriptor: int, kind: str, command: str) -> DumpError:
    """An input is something else than posts, and `command` would make posts of it."""
    zipper, name = zipper_of(descriptor), shlex.quote(source.name)
    cure = f"{zipper} -dc {name} | {command}" if zipper else f"{command} {name}"
    return DumpError(f"{source.label} is {kind}, which has to be converted: {cure} | moderation score -")


def zipper_of(descriptor: int) -> str | None:
    """What a file is zipped by: gzip, zstd or nothing."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    begins = os.pread(descriptor, 4, 0)
    return next((name for name, magic in _ZIPPERS.items() if begins.startswith(magic)), None)


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """Enough of the first bytes to tell what they are: the first line of a text."""
    first = b""
    while len(first) < PIECE and b"\n" not in first and (piece := next(pieces, b"")):
        first += piece
    return first


def _gunzipped(source: Source, first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Unzip piecewise: a small file that unzips to a huge one still takes no more than a piece at a time."""
    member, left = zlib.decompressobj(_GZIP_ONLY), first
    try:
        while left:
            if member.eof:  # another member follows, or padding
                left = left.lstrip(b"\0")
                member = zlib.decompressobj(_GZIP_ONLY) if left else member
            if left:
                yield member.decompress(left, PIECE)
                left = member.unused_data if member.eof else member.unconsumed_tail
            left = left or next(pieces, b"")
        while not member.eof and (text := member.decompress(b"", PIECE)):
            yield text
    except zlib.error as error:
        raise DumpError(f"{source.label}: damaged gzip data ({error}): gzip -t tells more; get a new copy") from error
    if not member.eof:
        raise DumpError(f"{source.label} ends in the middle of its gzip data: the copy is not complete")


def _unzstd(source: Source, first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same for zstd: frame behind frame."""
    try:
        zstandard = import_module("zstandard")
    except ImportError as error:
        raise DumpError(f"{source.label} is zstd data, which needs: pip install 'moderation[zstd]'") from error
    make = zstandard.ZstdDecompressor().decompressobj
    frame = make()
    try:
        for piece in chain([first], pieces):
            left = piece
            while left:
                if frame.eof:
                    frame = make()
                # Of a few bytes zstd can make megabytes: little by little.
                yield frame.decompress(left[:_ZSTD_FEED])
                left = frame.unused_data + left[_ZSTD_FEED:]
    except zstandard.ZstdError as error:
        raise DumpError(f"{source.label}: damaged zstd data ({error}): zstd -t tells more; get a new copy") from error
    if not frame.eof:
        raise DumpError(f"{source.label} ends in the middle of its zstd data: the copy is not complete")
