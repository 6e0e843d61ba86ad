"""Posts straight as columns where all records of a unit are alike: nothing is decoded that nobody looks at."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, overload

import msgspec
import numpy as np

from moderation.dumps.columnar import Table
from moderation.dumps.readers import Block, Unit
from moderation.engine.columns import IDS, Columns
from moderation.post import DECLARED_LANGUAGE, declared_language

_Values = Mapping[str, Sequence[Any]]
_CHECKED = 1 << 6  # lines whose text the processor's nearest cache holds
_Nothing = Annotated[str, msgspec.Meta(min_length=1, max_length=0)]


def columns_of(unit: Unit, text_fields: Sequence[str], looked_at: Collection[str]) -> Columns | None:
    """The posts of a unit, all with the same one text field; None where any needs a closer look. `looked_at` are the
    keys of records that matter besides texts.
    """
    if isinstance(unit, Table):
        found = _of_table(unit, text_fields, looked_at)
    elif isinstance(unit, Block) and unit.lines and unit.length is None and not unit.plain:
        found = _of_lines(unit, text_fields, looked_at)
    else:
        return None
    if found is None:
        return None
    name, values = found
    texts, ids = values[name], values["id"]
    if set(map(type, texts)) != {str} or not set(map(type, ids)) <= IDS:
        return None
    attributes = _Attributes({key: column for key, column in values.items() if key in looked_at}, len(texts))
    hints = [declared_language(each) for each in attributes] if _declared(values) else None
    return Columns(ids, attributes, [name] * len(texts), texts, np.arange(len(texts) + 1), hints)


def _declared(values: _Values) -> bool:
    """Whether any post says its language."""
    return any(set(map(type, values.get(key, ()))) - {msgspec.UnsetType} for key in DECLARED_LANGUAGE)


def _of_lines(block: Block, text_fields: Sequence[str], looked_at: Collection[str]) -> tuple[str, _Values] | None:
    try:
        first = msgspec.json.decode(block.lines[0])
        names = [name for name in text_fields if isinstance(first, dict) and name in first]
        if len(names) != 1:
            return None
        decoder, keys = _decoder(names[0], tuple(text_fields), tuple(sorted({"id", *looked_at} - {*text_fields})))
        rows = list(map(decoder.decode, block.lines))
        for start in range(0, len(rows), _CHECKED):  # the decoder does not look at what it passes over
            b"\n".join(block.lines[start : start + _CHECKED]).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return names[0], {key: list(map(attrgetter(own), rows)) for key, own in keys}


@lru_cache(maxsize=1 << 6)
def _decoder(
    text: str, text_fields: tuple[str, ...], others: tuple[str, ...]
) -> tuple[msgspec.json.Decoder[Any], list[tuple[str, str]]]:
    """What decodes records that have `text` and no other text field; and what it reads, as key and attribute."""
    absent = [name for name in text_fields if name != text]
    keys = [(key, f"k{number}") for number, key in enumerate((text, *others, *absent))]
    kinds: list[Any] = [(keys[0][1], str)]
    kinds += [(own, Any, None if key == "id" else msgspec.UNSET) for key, own in keys[1 : len(others) + 1]]
    kinds += [(own, _Nothing | msgspec.UnsetType, msgspec.UNSET) for _, own in keys[len(others) + 1 :]]
    row = msgspec.defstruct("Row", kinds, rename={own: key for key, own in keys}, gc=False)
    return msgspec.json.Decoder(row), keys[: len(others) + 1]


def _of_table(table: Table, text_fields: Sequence[str], looked_at: Collection[str]) -> tuple[str, _Values] | None:
    there = table.batch.schema.names
    names = [name for name in text_fields if name in there]
    if len(names) != 1 or len(set(there)) < len(there):
        return None
    values = table.values([name for name in there if name in {names[0], "id", *looked_at}])
    return names[0], {"id": [None] * table.batch.num_rows, **values}


class _Attributes(Sequence[Mapping[str, Any]]):
    """Attributes of posts by post, made when a rule asks for them."""

    def __init__(self, values: _Values, number: int) -> None:
        self._values, self._number = values, number

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> _Attributes: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, Any] | _Attributes:
        if isinstance(at, slice):
            number = len(range(self._number)[at])
            return _Attributes({key: column[at] for key, column in self._values.items()}, number)
        if not -self._number <= at < self._number:
            raise IndexError(at)
        return {key: value for key, column in self._values.items() if (value := column[at]) is not msgspec.UNSET}
