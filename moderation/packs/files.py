"""Where rules are read from: a folder, one pack file, or memory. Nothing outside of the rules folder is ever read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from moderation.errors import Diagnostic, RulesError
from moderation.packs.codes import diagnostic
from moderation.packs.source import MAX_BYTES

SUFFIXES = (".yaml", ".yml")


class OutsideError(Exception):
    """A path, or a link, that leads out of the rules folder."""


class Files(Protocol):
    """Files by path relative to the rules folder, with `/` between the parts."""

    @property
    def names(self) -> tuple[str, ...]:
        """The YAML files, in order."""

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """The bytes of a file; of one larger than `limit`, one more than that. Raises OSError, OutsideError."""


@dataclass(frozen=True, slots=True)
class MemoryFiles:
    """Files that were read before."""

    sources: Mapping[str, bytes]

    @property
    def names(self) -> tuple[str, ...]:
        """The YAML files, in order."""
        return tuple(sorted(name for name in self.sources if name.endswith(SUFFIXES)))

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """The bytes of a file. Raises FileNotFoundError."""
        if name not in self.sources:
            raise FileNotFoundError(2, "no such file")
        return self.sources[name]


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """Files below a folder. `asked` was named by the user, who may name a link to wherever."""

    root: str
    names: tuple[str, ...]
    asked: str = ""

    def read(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """The bytes of a file. Raises OSError, OutsideError."""
        path = os.path.join(self.root, name)
        real, root = os.path.realpath(path, strict=True), os.path.realpath(self.root)
        if name != self.asked and os.path.commonpath([real, root]) != root:
            raise OutsideError(name)
        # A pipe would be waited for, a device read without end.
        if not stat.S_ISREG(os.stat(real).st_mode):
            raise OSError(0, "it is no file")
        with open(real, "rb") as file:
            return file.read(limit + 1)


def files_of(path: Path | str) -> FolderFiles:
    """The rule files of a folder, or one pack file with the lists beside it. Raises RulesError."""
    asked = os.fspath(path)
    try:
        mode = os.stat(asked).st_mode
    except (OSError, ValueError) as error:
        raise RulesError([_unreadable(asked, error)]) from None
    asked = os.path.abspath(asked)
    if not stat.S_ISDIR(mode):
        # A pack's lists may stand beside its own folder, as in ../lists/names.txt.
        root = os.path.dirname(os.path.dirname(asked))
        name = os.path.relpath(asked, root).replace(os.sep, "/")
        if not name.endswith(SUFFIXES):
            raise RulesError([diagnostic("M011", asked)])
        return FolderFiles(root, (name,), name)
    found: list[Diagnostic] = []
    names = tuple(sorted(_walk(asked, found)))
    if not names and not found:
        found.append(diagnostic("M011", asked))
    if found:
        raise RulesError(found)
    return FolderFiles(asked, names)


def _walk(root: str, found: list[Diagnostic]) -> Iterator[str]:
    """The YAML files below a folder, hidden ones left out; what cannot be listed goes to `found`."""

    def failed(error: OSError) -> None:
        found.append(_unreadable(str(error.filename), error))

    for folder, folders, files in os.walk(root, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if name.endswith(SUFFIXES) and not name.startswith("."):
                relative = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
                # The system hands out what it cannot decode as lone surrogates.
                if relative.encode("utf-8", "ignore").decode() == relative:
                    yield relative
                else:
                    found.append(diagnostic("M010", relative, problem="its name is not UTF-8"))


def _unreadable(path: str, error: Exception) -> Diagnostic:
    return diagnostic("M010", path, problem=reason(error))


def reason(error: Exception) -> str:
    """Why a file cannot be read, in lower case."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    said = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return said[:1].lower() + said[1:]
