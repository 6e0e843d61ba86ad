"""Hyperscan's databases: of expressions, and of terms, words among them apart.

Half of the time of looking for terms goes into being told of matches, and `as` or `he` stand inside of every other
English word. Terms that are words of Latin letters, and count only where no letter goes on beyond them, are therefore
looked for with their edges: between spaces, in a copy of the text in which everything but a to z is a space.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import hyperscan
import numpy as np
import numpy.typing as npt

from moderation.signals.matcher import NO_PAIRS

_Matches = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
_A, _LETTERS, _SPACE = np.uint8(ord("a")), 26, np.uint8(ord(" "))


class TermDatabase:
    """Terms by number. Those in `edged` are left out where a letter from a to z goes on beyond their first or last."""

    def __init__(self, terms: Mapping[int, str], edged: Collection[int]) -> None:
        plain = {number: term for number, term in terms.items() if number not in edged or not _is_word(term)}
        self._plain = _literals({number: term.encode("utf-8", "surrogatepass") for number, term in plain.items()})
        self._words = _literals({number: f" {term} ".encode() for number, term in terms.items() if number not in plain})

    def __bool__(self) -> bool:
        return bool(self._plain or self._words)

    def scan(self, data: bytes) -> _Matches:
        """Number and end offset of every match. Behind the last word stands another byte."""
        pattern, end = self._plain.scan(data)
        if not self._words:
            return pattern, end
        word, behind = self._words.scan(_spaced(data))
        return np.concatenate((pattern, word)), np.concatenate((end, behind - 2))


class Database:
    """Compiled expressions, or literals, and a scratch space for each thread that scans with them."""

    def __init__(self, expressions: Sequence[bytes], ids: Sequence[int], flags: int = 0, literal: bool = False) -> None:
        self._native = _compiled(expressions, ids, flags, literal) if expressions else None
        self._local = threading.local()

    def __bool__(self) -> bool:
        return self._native is not None

    def scan(self, data: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Id and end offset of every match."""
        if self._native is None or not data:
            return NO_PAIRS[0], NO_PAIRS[1]
        found = array("I")
        append = found.append

        def note(identity: int, start: int, end: int, flags: int, context: object) -> None:
            append(identity)
            append(end)

        self._native.scan(data, note, 0, None, self._scratch())
        plain = np.array(found, np.int64)
        return plain[::2], plain[1::2]

    def scan_each(self, parts: Sequence[bytes]) -> list[tuple[int, int]]:
        """(index into `parts`, id) of every match."""
        found: list[tuple[int, int]] = []
        append = found.append

        def note(identity: int, start: int, end: int, flags: int, at: int) -> None:
            append((at, identity))

        native: Any = self._native
        scan, scratch = native.scan, self._scratch()
        for at, part in enumerate(parts):
            scan(part, note, 0, at, scratch)
        return found

    def _scratch(self) -> Any:
        if not hasattr(self._local, "scratch"):
            self._local.scratch = hyperscan.Scratch(self._native)
        return self._local.scratch


def _literals(terms: Mapping[int, bytes]) -> Database:
    """Terms, in UTF-8, by number. Literals compile three times as fast as expressions do, but hold no NUL."""
    if any(b"\0" in term for term in terms.values()):
        return Database([_escaped(term) for term in terms.values()], [*terms])
    return Database([*terms.values()], [*terms], literal=True)


def _compiled(expressions: Sequence[bytes], ids: Sequence[int], flags: int, literal: bool = False) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(expressions)
    database.compile(
        expressions=list(expressions), ids=list(ids), elements=count, flags=[flags] * count, literal=literal
    )
    return database


def _escaped(term: bytes) -> bytes:
    """The term's bytes, each written so that nothing in it means anything."""
    return "".join(f"\\x{byte:02x}" for byte in term).encode()


def _is_word(term: str) -> bool:
    return term.isascii() and term.isalpha() and term.islower()


def _spaced(data: bytes) -> bytes:
    """Everything but a to z as spaces, and one more before and behind. These letters hold the bit of a space."""
    found = np.empty(len(data) + 2, np.uint8)
    found[[0, -1]] = _SPACE
    each = np.frombuffer(data, np.uint8)
    inside = np.multiply(each, (each - _A) < _LETTERS, out=found[1:-1])
    inside |= _SPACE
    return found.tobytes()
