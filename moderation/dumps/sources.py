"""Where a dump comes from: files, folders and globs by name, or standard input, checked before any work is done."""

from __future__ import annotations

import errno
import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moderation.errors import DumpError

STDIN = "-"
SUFFIXES = (
    ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".txt", ".parquet", ".arrow", ".arrows", ".feather",
)  # fmt: skip
COMPRESSED = (".gz", ".zst")


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


def find_sources(names: Sequence[str]) -> tuple[Source, ...]:
    """The inputs by name; no name at all is standard input. A folder is all dumps in it, a glob all files it matches,
    sorted.

    Raises DumpError for what is missing or unreadable, and for folders and globs without a dump.
    """
    names = list(names) or [STDIN]
    if "" in names:
        raise DumpError("one of the inputs has an empty name: is a variable of the shell not set?")
    if names.count(STDIN) > 1:
        raise DumpError("standard input (`-`) is named twice but can be read only once: name it once")
    return tuple(_find(each) for name in names for each in _expanded(name))


def _expanded(name: str) -> list[str]:
    if name == STDIN:
        return [name]
    if os.path.isdir(name):
        found = sorted(str(path) for path in Path(name).rglob("*") if path.is_file() and _is_dump(path))
        if not found:
            raise DumpError(f"the folder {name} holds no dumps ({', '.join(SUFFIXES)}; .gz or .zst behind it or not)")
        return found
    if glob.has_magic(name) and not os.path.lexists(name):
        found = sorted(path for path in glob.glob(name, recursive=True) if os.path.isfile(path))
        if not found:
            raise DumpError(f"no file matches {name}")
        return found
    return [name]


def _is_dump(path: Path) -> bool:
    hidden = any(part.startswith(".") or part.endswith(".parts") for part in path.parts)
    return not hidden and plain_suffix(path.name) in SUFFIXES


def plain_suffix(name: str) -> str:
    """The suffix of a file's name that tells its format, that of its compression aside, in lower case."""
    stem, suffix = os.path.splitext(name.lower())
    return os.path.splitext(stem)[1] if suffix in COMPRESSED else suffix


def unreadable(label: str, error: OSError) -> DumpError:
    """What is wrong with an input, and what to do."""
    cures = {
        errno.ENOENT: "there is no such file: check the path",
        errno.EACCES: f"no permission to read it: chmod +r {label}, or run as its owner",
        errno.EISDIR: "it is a folder",
    }
    return DumpError(f"cannot read {label}: {cures.get(error.errno or 0, error.strerror or error)}")


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
def opened(source: Source) -> Iterator[int]:
    """The source's file descriptor. Raises DumpError where it cannot be read."""
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


def was_replaced(source: Source) -> bool:
    """Whether another file stands under the source's name now."""
    if source.name == STDIN or source.size is None:
        return False
    try:
        status = os.stat(source.name)
    except OSError:
        return True
    return (status.st_dev, status.st_ino) != source.identity


def check_complete(source: Source, descriptor: int, taken: int) -> None:
    """Raise DumpError for a file that lost bytes while it was read: it was not read whole, whatever was found in it."""
    if source.size is None or source.name == STDIN or taken >= source.size:
        return
    now = os.fstat(descriptor)
    if (now.st_dev, now.st_ino) == source.identity:
        raise DumpError(
            f"{source.label} was cut while it was being read ({source.size:,} bytes at first, {now.st_size:,} now): "
            "score a copy that nobody writes to"
        )
