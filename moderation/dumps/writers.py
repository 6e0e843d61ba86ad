"""Writing dumps: decisions as JSON lines, into a file that appears whole or not at all, or straight into a pipe."""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from moderation.decision import Decision, encode
from moderation.dumps.readers import Source
from moderation.errors import DumpError

STDOUT = "-"
_encoder = msgspec.json.Encoder()
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/dev/fd/2": 2, STDOUT: 1}
_WRITE = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Sink(Protocol):
    """Where bytes go. Raises DumpError where they can't, BrokenPipeError where nobody reads them any more."""

    def write(self, data: bytes) -> None: ...


def encode_lines(decisions: Iterable[Decision]) -> bytes:
    """Decisions as JSON lines."""
    decisions = list(decisions)
    try:
        return _encoder.encode_lines(decisions)
    except UnicodeEncodeError:
        return b"".join(encode(decision) + b"\n" for decision in decisions)


@contextmanager
def open_sink(name: str | None) -> Iterator[Sink]:
    """Open an output; None or `-` is standard output.

    A file is written under a temporary name beside it and takes its name when all is written: an error or an interrupt
    leaves what stood there before. Pipes and devices are written straight.
    """
    descriptor = _STREAMS.get(name or STDOUT)
    if descriptor is not None:
        yield _Stream(descriptor, "standard error" if descriptor == 2 else "standard output")
        return
    assert name is not None
    with _named(name):
        path = Path(os.path.realpath(name))
        straight = _is_straight(path)
    if straight:
        with _opened(name) as descriptor:
            yield _Stream(descriptor, name)
    else:
        with _replacing(path, name) as descriptor:
            yield _Stream(descriptor, name)


def refuse_overlap(sources: Sequence[Source], outputs: Sequence[str | None]) -> None:
    """Raise DumpError where an output is also an input, or the other output."""
    inputs: dict[tuple[int, int] | str, str]
    inputs = {source.identity: source.label for source in sources if source.size is not None}
    seen: dict[tuple[int, int] | str, str] = {}
    for output in outputs:
        identity = None if output is None else _identity(output)
        if output is None or identity is None:
            continue
        label = _label(output)
        if identity in inputs:
            raise DumpError(f"{label} is the same file as the input {inputs[identity]}: choose another output")
        if identity in seen:
            raise DumpError(f"two outputs are one file, {seen[identity]}: give each its own")
        seen[identity] = label


@dataclass(frozen=True, slots=True)
class _Stream:
    descriptor: int
    label: str

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[_write(self.descriptor, left) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(self.label, error) from error


def _write(descriptor: int, data: memoryview) -> int:
    while True:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:
            select.select([], [descriptor], [])


@contextmanager
def _opened(name: str) -> Iterator[int]:
    with _named(name):
        descriptor = os.open(name, _WRITE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _replacing(path: Path, name: str) -> Iterator[int]:
    temporary = path.with_name(f".moderation-{os.getpid()}-{os.urandom(4).hex()}.part")
    with _named(name):
        descriptor = os.open(temporary, _WRITE | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            _keep_mode(path, temporary)
            yield descriptor
            with _named(name):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with _named(name):
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def _keep_mode(path: Path, temporary: Path) -> None:
    with suppress(OSError):
        os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_straight(path: Path) -> bool:
    """Whether a pipe or a device stands there, which a file cannot replace. Raises OSError for a folder."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "its folder does not exist", str(path.parent)) from None
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return not stat.S_ISREG(mode)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise unwritable(name, error) from error


def unwritable(label: str, error: Exception) -> DumpError:
    """What is wrong with an output, and what to do."""
    number = getattr(error, "errno", None) or 0
    full = "make room or write to another disk, then run again (nothing was replaced)"
    cures = {
        errno.ENOENT: f"its folder does not exist: mkdir -p {os.path.dirname(label) or '.'}",
        errno.EACCES: "no permission to write there: choose a folder of your own",
        errno.EISDIR: "it is a folder: name a file in it",
        errno.ENOSPC: f"the disk is full: {full}",
        errno.EDQUOT: f"the quota is used up: {full}",
        errno.EROFS: "that disk is read-only: choose another",
    }
    return DumpError(f"cannot write {label}: {cures.get(number, getattr(error, 'strerror', None) or error)}")


def _label(output: str) -> str:
    return "standard output" if output == STDOUT else output


def _identity(output: str) -> tuple[int, int] | str | None:
    """What tells whether two names are one regular file; None for pipes, devices and terminals."""
    try:
        descriptor = _STREAMS.get(output)
        status = os.stat(output) if descriptor is None else os.fstat(descriptor)
    except (OSError, ValueError):
        return None if output == STDOUT else os.path.realpath(output)
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
