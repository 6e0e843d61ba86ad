"""The formats of dumps: told by name and content, or by the user."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from moderation.dumps.sources import plain_suffix

Format = Literal["jsonl", "csv", "tsv", "text", "parquet", "arrow"]
OutputFormat = Literal["jsonl", "csv", "tsv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
OUTPUT_FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)

MAGIC: dict[bytes, Format] = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow"}
DELIMITERS: dict[str, str] = {"csv": ",", "tsv": "\t"}
_NO_OBJECTS = ("csv", "tsv", "text")
_LINES = 10
_BY_SUFFIX: dict[str, Format] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".txt": "text", ".parquet": "parquet", ".arrow": "arrow", ".arrows": "arrow", ".feather": "arrow",
}  # fmt: skip


def format_of_name(name: str) -> Format | None:
    """The format that a file's name tells; None where it tells none."""
    return _BY_SUFFIX.get(plain_suffix(name))


def format_of_text(name: str, beginning: bytes, text_fields: Sequence[str]) -> Format:
    """The format of text: objects are JSON lines, whatever the name; what is called text is text; then counts whether
    the first line is a header that names a text field, then the name.
    """
    begun = beginning.lstrip()
    named = format_of_name(name)
    if begun.startswith(b"{") and (named not in _NO_OBJECTS or _holds_object(begun)):
        return "jsonl"
    if named == "text":
        return "text"
    header = _header(begun)
    kinds: tuple[Format, ...] = ("tsv", "csv") if named == "tsv" else ("csv", "tsv")
    headed = [kind for kind in kinds if _heads(header, delimiter_of(kind, begun, text_fields), text_fields)]
    return headed[0] if headed else named if named in DELIMITERS else "jsonl"


def delimiter_of(kind: str, beginning: bytes, text_fields: Sequence[str]) -> str:
    """What parts the fields of CSV and TSV: some countries' spreadsheets write CSV with semicolons."""
    header = _header(beginning)
    semicolons = kind == "csv" and not _heads(header, ",", text_fields) and _heads(header, ";", text_fields)
    return ";" if semicolons else DELIMITERS[kind]


def document_of(beginning: bytes) -> str | None:
    """The command that makes JSON Lines of one document over many lines; None where that is not what begins here."""
    line, end, _ = beginning.lstrip().partition(b"\n")
    alone = end and not _holds_object(beginning)
    return {b"[": "jq -c '.[]'", b"{": "jq -c ."}.get(line.strip()) if alone else None


def _header(beginning: bytes) -> str:
    return beginning.lstrip().partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")


def _holds_object(beginning: bytes) -> bool:
    """Whether one of the first lines is an object; the last may go on behind what was read, and counts as one."""
    *lines, rest = beginning.split(b"\n")[:_LINES]
    return not lines or any(map(_is_object, [*lines, rest]))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (ValueError, RecursionError):
        return False


def _heads(line: str, delimiter: str, text_fields: Sequence[str]) -> bool:
    """Whether a line is a header of several columns that names a text field."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a NUL, a quotation mark that nobody closes, or a line far too long
        return False
    return len(cells) > 1 and any(cell.strip() in text_fields for cell in cells)
