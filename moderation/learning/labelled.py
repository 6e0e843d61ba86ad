"""Labelled posts: CSV, JSON Lines or Parquet, whatever their columns are called."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.errors import DumpError

TEXT_COLUMNS = ("text", "tweet", "content", "message", "post", "comment", "body", "test_case", "sentence")
LABEL_COLUMNS = ("label", "labels", "class", "category", "target", "label_gold", "y", "kind")
NEUTRAL = frozenset(
    {
        "0",
        "false",
        "no",
        "none",
        "neither",
        "neutral",
        "normal",
        "safe",
        "ham",
        "benign",
        "clean",
        "ok",
        "non",
        "not",
        "negative",
        "non-hate",
        "non-hateful",
        "nonhate",
        "not-hate",
        "nothate",
        "not-hateful",
        "non-offensive",
        "not-offensive",
        "inoffensive",
        "non-sexist",
        "not-sexist",
        "not-spam",
        "non-spam",
        "non-toxic",
        "not-toxic",
        "nontoxic",
        "allowed",
    }
)
"""Labels, in lower case and with hyphens, that say that nothing is wrong."""

csv.field_size_limit(1 << 24)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which columns hold what. A column that is not given is looked for by its usual names."""

    text: str | None = None
    label: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labelled:
    """Posts and their labels as the file has them. `groups` are further columns by name; `skipped` counts records
    without a text or a label, `digest` is the SHA-256 of the file.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    skipped: int
    digest: str

    def __len__(self) -> int:
        return len(self.texts)

    def where(self, keep: Sequence[bool]) -> Labelled:
        """Some of the posts."""
        chosen = [at for at, kept in enumerate(keep) if kept]
        return Labelled(
            self.name,
            tuple(self.texts[at] for at in chosen),
            tuple(self.labels[at] for at in chosen),
            {name: tuple(values[at] for at in chosen) for name, values in self.groups.items()},
            self.skipped,
            self.digest,
        )


def read_labelled(path: Path, mapped: Mapped = Mapped(), label: str | None = None) -> Labelled:
    """Read a file of labelled posts; with `label`, all of them have this one and no column is looked for.

    Raises DumpError naming the file, what was found and what to give.
    """
    try:
        content = path.read_bytes()
        records = list(_records(path, content))
    except OSError as error:
        raise DumpError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    if not records:
        raise DumpError(f"{path} holds no records")
    columns = list(dict.fromkeys(key for record in records[:1000] for key in record))
    text = _column(path, columns, mapped.text, TEXT_COLUMNS, "text")
    given = None if label is not None else _column(path, columns, mapped.label, LABEL_COLUMNS, "label")
    for name in mapped.groups:
        _column(path, columns, name, (), "group")
    kept = [record for record in records if _usable(record, text, given)]
    if not kept:
        raise DumpError(f"{path}: none of its {len(records):,} records has both `{text}` and `{given}`")
    return Labelled(
        path.name,
        tuple(str(record[text]) for record in kept),
        tuple(label if given is None else _said(record[given]) for record in kept),  # type: ignore[misc]
        {name: tuple(_said(record.get(name)) for record in kept) for name in mapped.groups},
        len(records) - len(kept),
        f"sha256:{hashlib.sha256(content).hexdigest()}",
    )


def which_positive(data: Labelled) -> DumpError:
    """The error for labels of which nobody can tell which are positive."""
    labels = sorted(set(data.labels))
    if len(labels) == 1:
        return DumpError(f"{data.name}: all {len(data):,} posts are labelled {labels[0]!r}: two kinds are needed")
    shown = ", ".join(labels[:10])
    return DumpError(f"{data.name}: which labels are positive? Name them with --positive: {shown}")


def is_neutral(label: str) -> bool:
    """Whether a label says that nothing is wrong: `0`, `safe`, `ham`, `not-hate` …"""
    return label.strip().lower().replace("_", "-").replace(" ", "-") in NEUTRAL


def _usable(record: Mapping[str, Any], text: str, label: str | None) -> bool:
    said = record.get(text)
    return isinstance(said, str) and bool(said.strip()) and (label is None or _said(record.get(label)) != "")


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _column(path: Path, columns: Sequence[str], given: str | None, usual: Iterable[str], what: str) -> str:
    if given is not None:
        if given in columns:
            return given
        raise DumpError(f"{path} has no column {given!r}: it has {', '.join(columns)[:200]}")
    lower = {column.lower(): column for column in reversed(columns)}
    for name in usual:
        if name in lower:
            return lower[name]
    raise DumpError(f"{path}: which column holds the {what}? Name it with --{what}: {', '.join(columns)[:200]}")


def _records(path: Path, content: bytes) -> Iterator[dict[str, Any]]:
    suffix = path.suffix.lower()
    if suffix == ".parquet" or content[:4] == b"PAR1":
        return _parquet(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DumpError(f"{path}:{line}: not UTF-8 (byte {content[error.start]:#04x}): save it as UTF-8") from None
    if suffix in (".jsonl", ".ndjson", ".json") or text.lstrip()[:1] == "{":
        return _json_lines(path, text)
    return _rows(path, text)


def _rows(path: Path, text: str) -> Iterator[dict[str, Any]]:
    head = text[: text.find("\n") + 1 or None]
    delimiter = "\t" if head.count("\t") > head.count(",") else ","
    reader = csv.DictReader(text.replace("\0", " ").splitlines(keepends=True), delimiter=delimiter)
    try:
        for record in reader:
            yield {key: value for key, value in record.items() if key is not None}
    except csv.Error as error:
        raise DumpError(f"{path}:{reader.line_num}: this is not CSV: {error}") from None


def _json_lines(path: Path, text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DumpError(f"{path}:{number}: this is not JSON: {error}") from None
        if not isinstance(record, dict):
            raise DumpError(f"{path}:{number}: a record is an object, not {line[:40]!r}")
        yield record


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import parquet  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise DumpError(f"{path} is Parquet, which needs pyarrow: pip install 'moderation[parquet]'") from None
    try:
        yield from parquet.read_table(path).to_pylist()
    except Exception as error:
        raise DumpError(f"cannot read {path}: {error}") from None
