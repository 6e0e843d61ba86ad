"""Reading dumps: from files and pipes to blocks of whole lines, in constant memory.

A file or a pipe is read in big binary pieces. A pipe that has no more to give right now ends the block, so that what
was written into it is judged at once (`tail -f feed.jsonl | moderation score`), and one that is fast fills the block.
gzip is recognised by its first bytes.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from moderation.errors import DumpError

STDIN = "-"
PIECE = 1 << 19
MAX_LINE = 64 << 20
MAX_LINES = 4096
HEAD = 1000

_LINGER = 0.005
_FOREIGN = {
    b"\xff\xfe": ("UTF-16 text", "iconv -f UTF-16 -t UTF-8 {}"),
    b"\xfe\xff": ("UTF-16 text", "iconv -f UTF-16 -t UTF-8 {}"),
    b"\x28\xb5\x2f\xfd": ("zstd data", "zstd -dc {}"),
    b"BZh": ("bzip2 data", "bzip2 -dc {}"),
    b"\xfd7zXZ": ("xz data", "xz -dc {}"),
    b"PK\x03\x04": ("a zip archive", "unzip -p {}"),
    b"PAR1": ("a Parquet file", "duckdb -c \"COPY (FROM '{}') TO '/dev/stdout' (FORMAT json)\""),
}
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_GZIP_ONLY = 31


@dataclass(frozen=True, slots=True)
class Source:
    """One input: `name` as the user gave it (`-` is standard input), `size` in bytes where it is known."""

    name: str
    size: int | None
    identity: tuple[int, int]

    @property
    def label(self) -> str:
        """The name as messages say it."""
        return "standard input" if self.name == STDIN else self.name


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of one source, without their newlines.

    `lines[i]` is line `first + i` (from 1); `taken` counts the source's bytes read so far. `length` is set where the
    block is the head of one line that is too long to be read: the bytes that the whole line has.
    """

    source: str
    first: int
    lines: list[bytes]
    taken: int
    length: int | None = None


def find_sources(names: Sequence[str]) -> tuple[Source, ...]:
    """The inputs by name, checked before any work is done; no name at all is standard input.

    Raises DumpError for what is missing, unreadable or a folder.
    """
    names = list(names) or [STDIN]
    if names.count(STDIN) > 1:
        raise DumpError("standard input (`-`) is named twice but can be read only once: name it once")
    return tuple(map(_find, names))


def read_blocks(source: Source, max_line: int = MAX_LINE, piece: int = PIECE) -> Iterator[Block]:
    """All lines of a source, in order. Raises DumpError where it cannot be read to its end."""
    taken = _Taken()
    with _opened(source) as descriptor:
        pieces = _decompressed(source, _counted(_pieces(source, descriptor, piece), taken))
        yield from _split(source.name, pieces, taken, max_line)
        _check_complete(source, descriptor, taken.bytes)


def unreadable(label: str, error: OSError) -> DumpError:
    """What is wrong with an input, and what to do."""
    cures = {
        errno.ENOENT: "there is no such file: check the path",
        errno.EACCES: f"no permission to read it: chmod +r {label}, or run as its owner",
        errno.EISDIR: f"it is a folder: name its files, as in {label.rstrip('/')}/*.jsonl",
    }
    return DumpError(f"cannot read {label}: {cures.get(error.errno or 0, error.strerror or error)}")


@dataclass(slots=True)
class _Taken:
    bytes: int = 0


def _find(name: str) -> Source:
    try:
        status = os.fstat(_stdin()) if name == STDIN else os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if name != STDIN and stat.S_ISREG(status.st_mode):
            os.close(os.open(name, _READ))
    except OSError as error:
        raise unreadable("standard input" if name == STDIN else name, error) from error
    except ValueError as error:
        raise DumpError(f"cannot read {name!r}: {error}") from error
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return Source(name, size, (status.st_dev, status.st_ino))


_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _stdin() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, ValueError, OSError) as error:
        raise DumpError("cannot read standard input: it is closed; name a file, or pipe posts in") from error


@contextmanager
def _opened(source: Source) -> Iterator[int]:
    if source.name == STDIN:
        yield _stdin()
        return
    try:
        descriptor = os.open(source.name, _READ)
    except OSError as error:
        raise unreadable(source.label, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


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


def _counted(pieces: Iterable[bytes], taken: _Taken) -> Iterator[bytes]:
    for piece in pieces:
        taken.bytes += len(piece)
        yield piece


def _decompressed(source: Source, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as text: unzipped where they are gzip, without a byte order mark."""
    first = _beginning(pieces)
    if first.startswith(_GZIP):
        pieces = filter(None, _gunzipped(source, first, pieces))
        first = _beginning(pieces)
    for magic, (kind, command) in _FOREIGN.items():
        if first.startswith(magic):
            cure = f"{command.format(source.name)} | moderation score -"
            raise DumpError(f"{source.label} is {kind}, not JSON lines: {cure}")
    yield first.removeprefix(_BOM)
    yield from pieces


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """Enough of the first bytes to tell what they are."""
    first = b""
    while len(first) < 6 and b"\n" not in first and (piece := next(pieces, b"")):
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


@dataclass(slots=True)
class _Pending:
    """A line whose end was not read yet; of one that is too long only the head is kept."""

    limit: int
    parts: list[bytes] = field(default_factory=list)
    length: int = 0

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.length <= self.limit:
            self.parts.append(piece)
        elif len(self.parts) != 1 or len(self.parts[0]) > HEAD:
            self.parts = [b"".join([*self.parts, piece])[:HEAD]]

    def block(self, source: str, first: int, taken: int) -> Block:
        length = self.length if self.length > self.limit else None
        return Block(source, first, [b"".join(self.parts)], taken, length)


def _split(source: str, pieces: Iterable[bytes], taken: _Taken, limit: int) -> Iterator[Block]:
    line, pending = 1, _Pending(limit)
    for piece in pieces:
        end = piece.find(b"\n")
        if end < 0:
            pending.add(piece)
            continue
        if pending.length + end > limit:
            pending.add(piece[:end])
            yield pending.block(source, line, taken.bytes)
            line, piece = line + 1, piece[end + 1 :]
        elif pending.length:
            piece = b"".join([*pending.parts, piece])
        *lines, rest = piece.split(b"\n")
        for start in range(0, len(lines), MAX_LINES):
            yield Block(source, line + start, lines[start : start + MAX_LINES], taken.bytes)
        line, pending = line + len(lines), _Pending(limit)
        pending.add(rest)
    if pending.length:
        yield pending.block(source, line, taken.bytes)


def _check_complete(source: Source, descriptor: int, taken: int) -> None:
    """A file that lost bytes while it was read was not read whole, whatever was found in it."""
    if source.size is None or source.name == STDIN or taken >= source.size:
        return
    now = os.fstat(descriptor)
    if (now.st_dev, now.st_ino) == source.identity:
        raise DumpError(
            f"{source.label} was cut while it was being read ({source.size:,} bytes at first, {now.st_size:,} now): "
            "score a copy that nobody writes to"
        )


def was_replaced(source: Source) -> bool:
    """Whether another file stands under the source's name now."""
    if source.name == STDIN or source.size is None:
        return False
    try:
        status = os.stat(source.name)
    except OSError:
        return True
    return (status.st_dev, status.st_ino) != source.identity
