"""Short cuts that say what NumPy says."""

from __future__ import annotations

import numpy as np
import pytest

from moderation.text.lists import _STORED, Lists, all_true, constant, numbers_to


@pytest.mark.parametrize("kind", [np.uint8, np.uint32, np.int64, np.float64])
def test_a_constant_makes_no_array_wider(kind: type[np.generic]) -> None:
    column = np.array([1, 2, 3], kind)
    assert (column + constant(1, kind)).dtype == column.dtype
    assert (column + constant(1, kind)).tolist() == [2, 3, 4]


@pytest.mark.parametrize("end", [0, 1, _STORED - 1, _STORED, _STORED + 1])
def test_numbers_out_of_the_store(end: int) -> None:
    assert (numbers_to(end) == np.arange(end)).all() and len(numbers_to(end)) == end
    assert numbers_to(end, np.int32).tolist() == list(range(end))


def test_nobody_writes_to_the_store() -> None:
    numbers = numbers_to(3)
    with pytest.raises(ValueError, match="read-only"):
        numbers += 1


@pytest.mark.parametrize("count", [0, 1, 70])
def test_all_true(count: int) -> None:
    assert all_true(count).tolist() == [True] * count


def test_lists_by_number() -> None:
    lists = Lists.of([[7], [], [8, 9]])
    position, items = lists.at(np.array([2, 1, 0, 2]))
    assert position.tolist() == [0, 0, 2, 3, 3]
    assert items.tolist() == [8, 9, 7, 8, 9]
