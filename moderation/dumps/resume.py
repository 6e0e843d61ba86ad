"""Runs that go on where they were interrupted: finished parts wait in a folder beside the output until all are there.

A part is what became of the next `UNITS` units of the input. Its decisions and rejects are written first and its
counts last, each whole or not at all, so that a part with counts is finished, whenever the process ends. Decisions do
not depend on how posts are put together: what is joined in the end has the bytes of a run that nothing interrupted.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from moderation.dumps.readers import Source, Unit
from moderation.dumps.runner import Done, Judge, Plan, Progress, Work, judged, units_of
from moderation.dumps.summary import Summary
from moderation.dumps.writers import Sink, open_sink, unwritable
from moderation.errors import DumpError

UNITS = 32
_ENDS = 1 << 16
_LENGTH = struct.Struct("<Q")
_MANIFEST, _LOCK = "manifest.json", "lock"


def resume_dump(
    engine: Judge,
    fingerprint: str,
    sources: Sequence[Source],
    output: str,
    rejects: str | None = None,
    *,
    plan: Plan,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Summary:
    """`score_dump` into a file, in parts that outlive the process; what an earlier run finished is not done again.

    `fingerprint` is the engine's. Raises DumpError where the parts are of other rules, another input or other options,
    and for inputs that cannot be read twice.
    """
    manifest = _manifest(fingerprint, sources, plan)
    summary = Summary()
    with _opened(Path(f"{output}.parts"), manifest) as parts:
        units = units_of(sources, plan, summary)
        finished = parts.finished()
        _skip(units, finished, progress)
        _add(parts, len(finished), judged(Work(engine, plan), _placed(units, parts), jobs, progress))
        for part in parts.finished():
            summary.merge(part.summary)
        with open_sink(output) as out:
            if rejects is None:
                parts.join(plan, out, None)
            else:
                with open_sink(rejects) as rejected:
                    parts.join(plan, out, rejected)
        parts.remove()
    return summary


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of a finished part: how many units it has, where the last one ends, and its counts."""

    units: int
    end: tuple[str, int]
    summary: Summary


@dataclass(slots=True)
class _Parts:
    folder: Path
    ends: list[tuple[str, int]]

    def finished(self) -> list[_Part]:
        """The parts that are finished, up to the first that is not."""
        found: list[_Part] = []
        while (path := self._path(len(found), "json")).exists():
            with _undamaged(self.folder):
                told = msgspec.json.decode(path.read_bytes(), type=_Told)
                found.append(_Part(told.units, told.end, Summary.unpacked(bytes(told.summary))))
        return found

    def write(self, number: int, group: Sequence[Done]) -> None:
        """Write a part, its counts last."""
        summary = Summary()
        for done in group:
            summary.merge(done.summary)
        ends, self.ends = self.ends[: len(group)], self.ends[len(group) :]
        outputs = (_LENGTH.pack(len(done.output)) + done.output for done in group)
        self._whole(number, "part", b"".join(outputs))
        self._whole(number, "rejects", b"".join(done.rejects for done in group))
        told = _Told(len(group), ends[-1], msgspec.Raw(summary.packed()))
        self._whole(number, "json", msgspec.json.encode(told))

    def join(self, plan: Plan, output: Sink, rejects: Sink | None) -> None:
        """Write all parts behind each other."""
        count = len(self.finished())
        with plan.output.writing(output) as sink:
            sink.write(plan.output.head())
            for number in range(count):
                for block in _blocks(self._path(number, "part")):
                    sink.write(block)
        for number in range(count if rejects is not None else 0):
            rejects.write(self._path(number, "rejects").read_bytes())  # type: ignore[union-attr]

    def remove(self) -> None:
        """Remove the folder; the manifest first, without which nothing in it counts."""
        for path in (self.folder / _MANIFEST, *sorted(self.folder.iterdir())):
            path.unlink(missing_ok=True)
        self.folder.rmdir()

    def _path(self, number: int, suffix: str) -> Path:
        return self.folder / f"{number:08}.{suffix}"

    def _whole(self, number: int, suffix: str, data: bytes) -> None:
        _write_whole(self._path(number, suffix), data)


class _Told(msgspec.Struct):
    units: int
    end: tuple[str, int]
    summary: msgspec.Raw


@contextmanager
def _undamaged(folder: Path) -> Iterator[None]:
    """What stands in the folder was written whole; somebody may have touched it since."""
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DumpError(f"{folder} is damaged ({error}): start anew, after rm -r {folder}") from error


def _write_whole(path: Path, data: bytes) -> None:
    try:
        with open(f"{path}.new", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)
    except OSError as error:
        raise unwritable(str(path.parent), error) from error


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while head := file.read(_LENGTH.size):
            yield file.read(_LENGTH.unpack(head)[0])


def _placed(units: Iterator[tuple[Source, Unit]], parts: _Parts) -> Iterator[tuple[Source, Unit]]:
    for source, unit in units:
        parts.ends.append((source.name, unit.taken))
        yield source, unit


def _add(parts: _Parts, number: int, results: Iterator[Done]) -> None:
    while group := list(islice(results, UNITS)):
        parts.write(number, group)
        number += 1


def _skip(units: Iterator[tuple[Source, Unit]], finished: Sequence[_Part], progress: Progress | None) -> None:
    """Read over what is finished. Raises DumpError where it does not end where it ended before."""
    for part in finished:
        source, unit = None, None
        for source, unit in islice(units, part.units):
            if progress is not None:
                progress(source, unit.taken)
        if source is None or unit is None or (source.name, unit.taken) != part.end:
            raise DumpError(f"{part.end[0]} reads otherwise than before the interruption: remove the parts, start anew")


def _manifest(fingerprint: str, sources: Sequence[Source], plan: Plan) -> dict[str, Any]:
    options = asdict(plan) | {"only": sorted(plan.only)}
    manifest = {"rules": fingerprint, "input": [_told(source) for source in sources], "options": options}
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(manifest))
    return found


def _told(source: Source) -> dict[str, Any]:
    """What tells an input from others: its name and size, when it was written, and what stands at both ends."""
    if source.size is None:
        raise DumpError(f"{source.label} can be read only once: --resume needs files, as in `moderation score FILE`")
    digest = hashlib.sha256()
    with open(source.name, "rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(0, source.size - _ENDS))
        digest.update(file.read(_ENDS))
    written = os.stat(source.name).st_mtime_ns
    return {"name": source.name, "size": source.size, "written": written, "sha256": digest.hexdigest()}


@contextmanager
def _opened(folder: Path, manifest: dict[str, Any]) -> Iterator[_Parts]:
    """The folder of parts, ours alone. Raises DumpError where it is of another run."""
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_WRONLY | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritable(str(folder), error) from error
    try:
        _claim(folder, lock, manifest)
        yield _Parts(folder, [])
    finally:
        os.close(lock)


def _claim(folder: Path, lock: int, manifest: dict[str, Any]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise DumpError(f"another run is writing {folder}: wait for it, or choose another output") from error
    path = folder / _MANIFEST
    if not path.exists():
        for leftover in folder.glob("[0-9]*"):
            leftover.unlink()
        _write_whole(path, msgspec.json.encode(manifest))
        return
    with _undamaged(folder):
        before = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    if changed := [name for name in manifest if manifest[name] != before.get(name)]:
        raise DumpError(
            f"{folder} holds parts of a run with other {' and '.join(changed)}: run with those again to finish it, or "
            f"start anew: rm -r {folder}"
        )
