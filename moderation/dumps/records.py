"""From lines to posts, fast; a line that cannot be read becomes a reject that says why and loses nothing."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from moderation.dumps.readers import Block
from moderation.engine.columns import Columns
from moderation.errors import PostError
from moderation.post import Post

_decode = msgspec.json.decode
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not be judged.

    `code`: R001 (broken JSON), R002 (invalid UTF-8), R003 (not an object), R004 (line too long) or a PostError's.
    `column` counts code points from 1 where the place is known; `raw` is the line as it was read, of R004 its head.
    """

    source: str
    line: int
    code: str
    reason: str
    raw: bytes
    column: int | None = None

    def to_json(self) -> bytes:
        """One line of JSON. `raw` restores the record byte for byte; where it is not UTF-8, `raw_base64` does."""
        record: dict[str, Any] = {"file": self.source, "line": self.line, "code": self.code, "reason": self.reason}
        if self.column is not None:
            record["column"] = self.column
        try:
            record["raw"] = self.raw.decode()
        except UnicodeDecodeError:
            record["raw_base64"] = base64.b64encode(self.raw).decode("ascii")
        return msgspec.json.encode(record)


def read_posts(block: Block, text_fields: Iterable[str], named: bool = False) -> tuple[list[Post], list[Reject]]:
    """The posts of a block in order, and its rejects; blank lines are neither.

    A post without an id gets its line number, or "FILE:LINE" where `named` (lines of several files meet).
    """
    if block.length is not None:
        return [], [_too_long(block, block.length)]
    posts: list[Post] = []
    rejects: list[Reject] = []
    fields = tuple(text_fields)
    for number, line in enumerate(block.lines, block.first):
        try:
            record = _decode(line)
            if type(record) is not dict:
                raise TypeError
            post = Post.of(record, fields)
        except (PostError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, ValueError):
            if not line.strip():
                continue
            reread = _reread(block.source, number, line, fields)
            if isinstance(reread, Reject):
                rejects.append(reread)
                continue
            post = reread
        if post.id is None:
            given = f"{block.source}:{number}" if named else number
            post = Post(given, post.fields, {**post.attributes, "id": given})
        posts.append(post)
    return posts, rejects


def read_plain(block: Block, text_fields: Iterable[str], named: bool = False) -> list[dict[str, Any]] | None:
    """The records of a block as they stand, where all of them are posts with one text field; None where any needs the
    closer look of `read_posts`. Ids as there.
    """
    if block.length is not None:
        return None
    try:
        records = [_decode(line) for line in block.lines]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if Columns.alike(records, tuple(text_fields)) is None:
        return None
    for number, record in enumerate(records, block.first):
        if record.get("id") is None:
            record["id"] = f"{block.source}:{number}" if named else number
    return records


class RecordError(PostError):
    """One line of a dump is no record: `column` counts code points from 1 where the place is known."""

    def __init__(self, code: str, message: str, column: int | None = None) -> None:
        super().__init__(code, message)
        self.column = column


def _reread(source: str, number: int, line: bytes, fields: tuple[str, ...]) -> Post | Reject:
    """Read a line that the fast decoder refused: it may hold a lone surrogate, or else this tells what is wrong."""
    try:
        return Post.of(read_record(line), fields)
    except RecordError as error:
        return Reject(source, number, error.code, error.message, line, error.column)
    except PostError as error:
        return Reject(source, number, error.code, error.message, line)


def read_record(line: bytes) -> dict[str, Any]:
    """The object that a line of JSON holds. Raises RecordError: R001 (broken JSON), R002 (invalid UTF-8), R003."""
    text = read_text(line)
    try:
        record = json.loads(text.removeprefix("\ufeff").removesuffix("\r"), parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise RecordError("R001", f"broken JSON at column {error.colno}: {_cause(error)}", error.colno) from error
    except RecursionError as error:
        raise RecordError("R001", "nested too deeply to be a post") from error
    except ValueError as error:
        raise RecordError("R001", str(error).partition(";")[0]) from error
    if isinstance(record, dict):
        return record
    kind = "a list" if isinstance(record, list) else "one value"
    raise RecordError("R003", f"a record is one object a line, not {kind}: {_shown(text)}")


def read_text(line: bytes) -> str:
    """The line as text. Raises RecordError: R002 (invalid UTF-8)."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        reason = f"invalid UTF-8 at column {column}: byte 0x{line[error.start]:02x}"
        raise RecordError("R002", reason, column) from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {_shown(digits)} is too large")
    return number


def _cause(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].rstrip()
    message = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
    return f"{message}, found {_shown(rest)}" if rest else f"{message}, found the line's end"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _too_long(block: Block, length: int) -> Reject:
    reason = f"a line of {length:,} bytes is too long for a post (`raw` is its beginning)"
    return Reject(block.source, block.first, "R004", reason, block.lines[0])
