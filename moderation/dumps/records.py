"""From lines to posts, fast; a line that cannot be read becomes a reject that says why and loses nothing."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from moderation.dumps.alike import columns_of
from moderation.dumps.columnar import Table
from moderation.dumps.delimited import Rows
from moderation.dumps.fields import FieldMap, Keep
from moderation.dumps.readers import Block, Unit
from moderation.engine.columns import Columns
from moderation.errors import PostError
from moderation.post import NO_TEXT, Post, PostLike, no_text

_decode = msgspec.json.decode
_SHOWN = 60
_DIGITS = 4300


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not be judged.

    `code`: R001 (broken JSON), R002 (invalid UTF-8), R003 (not an object), R004 (line too long), R005 (not under the
    header of a CSV file) or a PostError's.
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
        place = {"file": self.source, "line": self.line} if self.source else {}
        record: dict[str, Any] = {**place, "code": self.code, "reason": self.reason}
        if self.column is not None:
            record["column"] = self.column
        try:
            record["raw"] = self.raw.decode()
        except UnicodeDecodeError:
            record["raw_base64"] = base64.b64encode(self.raw).decode("ascii")
        return msgspec.json.encode(record)


@dataclass(frozen=True, slots=True)
class Read:
    """What a unit holds: posts in order, by post what is kept of it (None: nothing), and rejects."""

    posts: Sequence[PostLike] | Columns
    kept: list[dict[str, Any]] | None
    rejects: list[Reject]


def read_unit(
    unit: Unit,
    fields: FieldMap,
    named: bool = False,
    keep: Keep | None = None,
    direct: bool = False,
    attributes: frozenset[str] | None = None,
) -> Read:
    """The posts of a unit in order, and its rejects; blank lines are neither.

    A post without an id gets its line or row number, or "FILE:LINE" where `named` (several files meet), or none where
    nobody knows the file. Where all of them are plain records with one text field, they are given as they are if
    `direct`. With `attributes`, their paths are all that anybody looks at besides texts and the id.
    """
    if direct and attributes is not None and "id" not in attributes and keep is None and not fields.paths:
        columns = columns_of(unit, fields.text, fields.columns(attributes))
        if columns is not None:
            return Read(_numbered(columns, unit, named), None, [])
    found = _all_of(unit, None if attributes is None else _columns(fields, keep, attributes))
    if found is None:
        return _closely(unit, fields, named, keep)
    numbers, records, rejects = found
    posts = [fields.mapped(record) for record in records] if fields.paths else records
    if Columns.alike(posts, fields.text) is None:
        return _closely(unit, fields, named, keep)
    kept = None if keep is None else [keep.of_record(record) for record in records]
    for number, post in zip(numbers, posts, strict=True) if unit.source else ():
        if post.get("id") is None:
            post["id"] = f"{unit.source}:{number}" if named else number
    return Read(posts if direct else [Post.of(post, fields.text) for post in posts], kept, rejects)


def _numbered(columns: Columns, unit: Unit, named: bool) -> Columns:
    """The posts of a unit; those without an id get their number."""
    if isinstance(unit, Rows) or not unit.source or None not in columns.ids:
        return columns
    ids = list(columns.ids)
    for at, own in enumerate(ids):
        if own is None:
            ids[at] = f"{unit.source}:{unit.first + at}" if named else unit.first + at
    return replace(columns, ids=ids)


def read_posts(unit: Unit, fields: FieldMap, named: bool = False) -> tuple[list[Post], list[Reject]]:
    """The posts of a unit, each looked at, and its rejects."""
    read = _closely(unit, fields, named, None)
    return [post for post in read.posts if isinstance(post, Post)], read.rejects


def _columns(fields: FieldMap, keep: Keep | None, attributes: frozenset[str]) -> frozenset[str] | None:
    """The columns of a table that anybody looks at; None for all."""
    if keep is not None and keep.everything:
        return None
    kept = frozenset(each for path in (keep.paths if keep else ()) for each in (path, path.partition(".")[0]))
    return fields.columns(("id", *attributes)) | kept


def _all_of(
    unit: Unit, columns: frozenset[str] | None = None
) -> tuple[Iterable[int], list[dict[str, Any]], list[Reject]] | None:
    """Numbers and records of a unit, if none of them needs a closer look to be read."""
    if isinstance(unit, Table):
        records = unit.records(columns)
        return range(unit.first, unit.first + len(records)), records, []
    if isinstance(unit, Rows):
        rejects = [Reject(unit.source, line, code, reason, raw) for line, code, reason, raw in unit.bad]
        return unit.lines, unit.records, rejects
    if unit.length is not None:
        return None
    try:
        if unit.plain:
            texts = [(number, line.decode()) for number, line in enumerate(unit.lines, unit.first) if line.strip()]
            return [number for number, _ in texts], [{"text": text.rstrip("\r")} for _, text in texts], []
        records = [_decode(line) for line in unit.lines]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if set(map(type, records)) != {dict}:
        return None
    return range(unit.first, unit.first + len(records)), records, []


def _closely(unit: Unit, fields: FieldMap, named: bool, keep: Keep | None) -> Read:
    """The same, one by one."""
    if isinstance(unit, Block) and unit.length is not None:
        return Read([], None if keep is None else [], [_too_long(unit, unit.length)])
    posts: list[Post] = []
    kept: list[dict[str, Any]] = []
    rejects = _all_of(unit)[2] if isinstance(unit, Rows) else []  # type: ignore[index]
    for number, raw, record in _each(unit):
        found = record
        try:
            found = _record(raw, isinstance(unit, Block) and unit.plain) if record is None else record
            if found is None:
                continue
            post = Post.of(fields.mapped(found), fields.text)
        except PostError as error:
            column = error.column if isinstance(error, RecordError) else None
            reason = no_text(found or {}, fields.text_columns) if error.code == NO_TEXT else error.message
            rejects.append(Reject(unit.source, number, error.code, reason, _raw(raw, record), column))
            continue
        if keep is not None:
            kept.append(keep.of_record(found))
        given = (f"{unit.source}:{number}" if named else number) if unit.source else None
        posts.append(post if given is None else _with_id(post, given))
    rejects.sort(key=lambda reject: reject.line)
    return Read(posts, None if keep is None else kept, rejects)


def _each(unit: Unit) -> Iterator[tuple[int, bytes, dict[str, Any] | None]]:
    """Number, bytes and record of each; records are still to be read from lines, and bytes to be made from tables."""
    if isinstance(unit, Block):
        yield from ((number, line, None) for number, line in enumerate(unit.lines, unit.first))
    elif isinstance(unit, Rows):
        yield from zip(unit.lines, unit.raws, unit.records, strict=True)
    else:
        yield from ((number, b"", record) for number, record in enumerate(unit.records(), unit.first))


def _record(line: bytes, plain: bool) -> dict[str, Any] | None:
    """The record on a line; None for a blank one."""
    if not line.strip():
        return None
    if plain:
        return {"text": read_text(line).rstrip("\r")}
    try:
        record = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return read_record(line)
    return record if type(record) is dict else read_record(line)


def _raw(raw: bytes, record: dict[str, Any] | None) -> bytes:
    return raw if raw or record is None else msgspec.json.encode(record, enc_hook=str)


def _with_id(post: Post, given: str | int) -> Post:
    return post if post.id is not None else Post(given, post.fields, {**post.attributes, "id": given})


class RecordError(PostError):
    """One line of a dump is no record: `column` counts code points from 1 where the place is known."""

    def __init__(self, code: str, message: str, column: int | None = None) -> None:
        super().__init__(code, message)
        self.column = column


def read_record(line: bytes) -> dict[str, Any]:
    """The object that a line of JSON holds. Raises RecordError: R001 (broken JSON), R002 (invalid UTF-8), R003."""
    text = read_text(line)
    try:
        plain = text.removeprefix("\ufeff").removesuffix("\r")
        record = json.loads(plain, parse_constant=_refuse, parse_float=_number, parse_int=_whole)
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


def _number(digits: str) -> float | str:
    """A number; one that is too large, as it stands: it is nobody's text, and no reason to refuse a post."""
    number = float(digits)
    return digits if math.isinf(number) else number


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


def _cause(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :].rstrip()
    message = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
    return f"{message}, found {_shown(rest)}" if rest else f"{message}, found the line's end"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _too_long(block: Block, length: int) -> Reject:
    reason = f"a line of {length:,} bytes is too long for a post (`raw` is its beginning)"
    return Reject(block.source, block.first, "R004", reason, block.lines[0])
