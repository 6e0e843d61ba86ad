"""The formats of dumps: told by name and content, or by the user."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Literal, get_args

from moderation.dumps.sources import plain_suffix

Format = Literal["jsonl", "csv", "tsv", "text", "parquet", "arrow"]
OutputFormat = Literal["jsonl", "csv", "tsv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
OUTPUT_FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)

MAGIC: dict[bytes, Format] = {b"PAR1": "parquet", b"ARROW1": "arrow"}
DELIMITERS = {"csv": ",", "tsv": "\t"}
_BY_SUFFIX: dict[str, Format] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".txt": "text", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow",
}  # fmt: skip


def format_of_name(name: str) -> Format | None:
    """The format that a file's name tells; None where it tells none."""
    return _BY_SUFFIX.get(plain_suffix(name))


def format_of_text(name: str, beginning: bytes, text_fields: Sequence[str]) -> Format:
    """The format of text: objects are JSON lines, whatever the name; then the name counts; then whether the first line
    is a header that names a text field.
    """
    begun = beginning.lstrip()
    if begun.startswith(b"{"):
        return "jsonl"
    named = format_of_name(name)
    if named in ("jsonl", "csv", "tsv", "text"):
        return named
    header = begun.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")
    if _heads(header, ",", text_fields):
        return "csv"
    return "tsv" if _heads(header, "\t", text_fields) else "jsonl"


def _heads(line: str, delimiter: str, text_fields: Sequence[str]) -> bool:
    """Whether a line is a header of several columns that names a text field."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a NUL, a quotation mark that nobody closes, or a line far too long
        return False
    return len(cells) > 1 and any(cell.strip() in text_fields for cell in cells)
