"""Decisions in the format that the user chose, zipped or not: encoded a block at a time, wherever that is done."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import repeat
from typing import Any

import msgspec

from moderation.decision import Decision, Verdict, encode
from moderation.dumps.arrays import arrays_of, encode_batch, selected
from moderation.dumps.buffers import texts
from moderation.dumps.columnar import ParquetSink
from moderation.dumps.fields import Keep
from moderation.dumps.formats import DELIMITERS, OUTPUT_FORMATS, OutputFormat, format_of_name
from moderation.dumps.writers import Sink, encode_lines
from moderation.engine.judged import Judged
from moderation.errors import DumpError

Kept = Sequence[Mapping[str, Any]] | None

_COLUMNS = (
    "id", "verdict", "severity", "categories", "rules", "shadow", "languages", "uncovered", "scores", "unknown",
    "engine",
)  # fmt: skip
_ZIPPED = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, slots=True)
class Output:
    """How decisions are written: `format`, zipped by `compression` (gzip, zstd or nothing), with what is kept."""

    format: OutputFormat = "jsonl"
    compression: str | None = None
    keep: Keep | None = None

    @classmethod
    def of(cls, name: str | None, kind: OutputFormat | None, keep: Keep | None) -> Output:
        """By the output's name, or by `kind`. Raises DumpError where the two do not go together."""
        compression = next((each for suffix, each in _ZIPPED.items() if (name or "").lower().endswith(suffix)), None)
        told = format_of_name(name or "")
        named: list[OutputFormat] = [each for each in OUTPUT_FORMATS if each == told]
        found = kind or (named[0] if named else "jsonl")
        if found == "parquet" and compression is not None:
            raise DumpError(f"{name}: Parquet is compressed by itself: leave off the last suffix")
        if found == "parquet" and name in (None, "-"):
            raise DumpError("Parquet goes to a file: name it with -o")
        if compression == "zstd":
            _zstandard()
        return cls(found, compression, keep)

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of the columns that hold what is kept."""
        if self.keep is None:
            return ()
        return ("post",) if self.keep.everything else tuple(f"post.{path}" for path in self.keep.paths)

    def head(self) -> bytes:
        """What stands before all decisions."""
        if self.format in DELIMITERS:
            return self.zipped(self._rows([(*_COLUMNS, *self.kept)]))
        return b""

    def encode(self, decisions: Sequence[Decision], kept: Kept) -> bytes:
        """Decisions in order, each with what is kept of its post, in any format but Parquet."""
        if not decisions:
            return b""
        if self.format == "jsonl":
            return self.zipped(encode_lines(decisions) if kept is None else _lines(decisions, kept))
        behind = repeat(()) if kept is None else self._texts(kept)
        return self.zipped(self._rows([(*_cells(each), *row) for each, row in zip(decisions, behind, strict=False)]))

    def encode_columns(self, portions: Iterable[Judged], kept: Kept, only: Collection[Verdict]) -> bytes:
        """Those decisions that have one of some verdicts, each with what is kept of its post, as a part of a Parquet
        file.
        """
        found, first = [], 0
        for judged in portions:
            wanted = judged.having(only)
            if wanted.any():
                behind = () if kept is None else zip(*self._texts(kept[first : first + len(judged)]), strict=True)
                found.append(selected([*arrays_of(judged), *map(texts, behind)], wanted))
            first += len(judged)
        return encode_batch(found, self.kept) if found else b""

    @contextmanager
    def writing(self, sink: Sink) -> Iterator[Sink]:
        """What takes encoded blocks, in order; on leaving, all is written that closes the format."""
        if self.format != "parquet":
            yield sink
            return
        file = _File(sink)
        parquet = ParquetSink(file, self.kept)
        try:
            yield parquet
        except BaseException:
            file.abandoned = True
            parquet.close()
            raise
        parquet.close()

    def _texts(self, kept: Sequence[Mapping[str, Any]]) -> list[list[str | None]]:
        """By post, what is kept of it."""
        if self.keep is not None and self.keep.everything:
            return [[_text(dict(each))] for each in kept]
        return [[_text(value) for value in each.values()] for each in kept]

    def _rows(self, rows: Sequence[Sequence[object]]) -> bytes:
        out = io.StringIO()
        # The line ends of RFC 4180: with others, older Pythons leave a text that holds a bare one unquoted.
        writer = csv.writer(out, delimiter=DELIMITERS[self.format], lineterminator="\r\n")
        writer.writerows([_harmless(cell) for cell in row] for row in rows)
        return out.getvalue().encode("utf-8", "replace")

    def zipped(self, data: bytes) -> bytes:
        if self.compression == "gzip":
            return gzip.compress(data, 6, mtime=0)
        if self.compression == "zstd":
            zipped: bytes = _zstandard().ZstdCompressor().compress(data)
            return zipped
        return data


def _lines(decisions: Sequence[Decision], kept: Sequence[Mapping[str, Any]]) -> bytes:
    """JSON lines with what is kept under `post`."""
    pairs = zip(decisions, kept, strict=True)
    return b"".join(b'%b,"post":%b}\n' % (encode(decision)[:-1], _json(post)) for decision, post in pairs)


def _json(value: object) -> bytes:
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except UnicodeEncodeError:
        return msgspec.json.encode(_mended(value), enc_hook=str)


def _mended(value: Any) -> Any:
    """Without lone surrogates, which UTF-8 does not hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list | tuple) else value


def _text(value: Any) -> str | None:
    """A value in a table: a text as it stands, anything else as JSON."""
    if value is None:
        return None
    mended = _mended(value) if isinstance(value, str) else value
    return mended if isinstance(mended, str) else _json(mended).decode()


def _cells(decision: Decision) -> tuple[object, ...]:
    return (
        "" if decision.id is None else decision.id,
        decision.verdict,
        decision.severity,
        ";".join(decision.categories),
        ";".join(reason.rule for reason in decision.reasons),
        ";".join(reason.rule for reason in decision.shadow),
        ";".join(f"{name}:{share}" for name, share in decision.languages.items()),
        ";".join(decision.uncovered),
        ";".join(f"{name}:{score}" for name, score in decision.scores.items()),
        ";".join(decision.unknown),
        decision.engine,
    )


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _zstandard() -> Any:
    try:
        return import_module("zstandard")
    except ImportError as error:
        raise DumpError("writing zstd needs the package zstandard: pip install 'moderation[zstd]'") from error


class _File:
    """A sink as pyarrow wants a file."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self._sink, self._size = sink, 0
        self.abandoned = False

    def write(self, data: Any) -> int:
        """Hand on."""
        content = bytes(data)
        if not self.abandoned:
            self._sink.write(content)
        self._size += len(content)
        return len(content)

    def tell(self) -> int:
        """Bytes so far."""
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The sink is closed by who opened it."""
