"""Arrays of Arrow as their values lie in memory: `pyarrow.array` looks at value after value, and loads pandas to do it
where that is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.errors import DumpError
from moderation.text.lists import Index

_LARGEST = 2**31 - 1
"""Bytes of text that an array holds."""


def pyarrow() -> Any:
    """The package. Raises DumpError where it is not installed."""
    try:
        return import_module("pyarrow")
    except ImportError as error:
        raise DumpError("Parquet and Arrow need the package pyarrow: pip install 'moderation[parquet]'") from error


def numbers(values: NDArray[Any]) -> Any:
    """Numbers, as wide as they are."""
    return _array(pyarrow().from_numpy_dtype(values.dtype), len(values), None, np.ascontiguousarray(values))


def truths(values: NDArray[np.bool_]) -> Any:
    """What is true and what is not."""
    return _array(pyarrow().bool_(), len(values), None, np.packbits(values, bitorder="little"))


def offsets(owner: Index, number: int) -> Any:
    """Where the items of each of so many posts begin, and where the last ones end: items come by post."""
    found = np.zeros(number + 1, np.int32)
    np.cumsum(np.bincount(owner, minlength=number), out=found[1:])
    return numbers(found)


def texts(values: Sequence[str | None]) -> Any:
    """Texts, or nothing. Raises UnicodeEncodeError for what UTF-8 does not hold."""
    try:
        return _texts("".join(values), values, None)  # type: ignore[arg-type]
    except TypeError:
        known = np.array([value is not None for value in values])
        given = [value or "" for value in values]
        return _texts("".join(given), given, np.packbits(known, bitorder="little"))


def _texts(joined: str, values: Sequence[Any], known: NDArray[np.uint8] | None) -> Any:
    data = joined.encode()
    each = values if joined.isascii() else list(map(str.encode, values))
    if len(data) > _LARGEST:
        raise DumpError(f"{len(data):,} bytes of text are more than one column holds")
    ends = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, each), np.int64, len(values)), out=ends[1:])
    return _array(pyarrow().string(), len(values), known, ends, data)


def _array(kind: Any, length: int, known: NDArray[np.uint8] | None, *values: Any) -> Any:
    arrow = pyarrow()
    held = [None if each is None else arrow.py_buffer(each) for each in (known, *values)]
    return arrow.Array.from_buffers(kind, length, held)
