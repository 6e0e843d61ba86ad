"""Work in several processes: the order and the results of one, whatever becomes of the processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moderation.dumps.jobs import in_order
from moderation.errors import DumpError


def slower_first(number: int) -> int:
    time.sleep(0.02 if number % 7 == 0 else 0)
    return number * number


def dying(flag: Path, times: int) -> Callable[[int], int]:
    """What kills its process at 13, the first so many times."""

    def work(number: int) -> int:
        if number == 13 and len(os.listdir(flag)) < times:
            (flag / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number

    return work


def raising(number: int) -> int:
    if number == 13:
        raise DumpError("thirteen")
    return number


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_results_come_in_order(jobs: int, count: int) -> None:
    assert list(in_order(slower_first, range(count), jobs)) == [number * number for number in range(count)]


def test_few_units_are_held_at_a_time() -> None:
    taken = 0

    def units() -> Iterator[int]:
        nonlocal taken
        while taken < 1000:
            taken += 1
            yield taken

    ahead = [taken - given for given, _ in enumerate(in_order(slower_first, units(), 2))]
    assert max(ahead) <= 2 * 4 + 1


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_dead_process_had_is_done_again(tmp_path: Path, times: int) -> None:
    found = list(in_order(dying(tmp_path, times), range(60), 2))
    assert found == [number * number for number in range(60)]
    assert len(os.listdir(tmp_path)) == times


def test_a_unit_that_ends_every_process_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match=r"ended a process 3 times \(killed by SIGKILL\): try fewer --jobs"):
        list(in_order(dying(tmp_path, 99), range(60), 2))


def test_errors_are_passed_on() -> None:
    with pytest.raises(DumpError, match="thirteen"):
        list(in_order(raising, range(60), 2))


def test_large_units_both_ways() -> None:
    units = [os.urandom(1 << 20) for _ in range(12)]
    assert list(in_order(bytes, units, 2)) == units


def test_no_more_processes_than_there_is_work() -> None:
    results = in_order(slower_first, range(3), 1000)
    assert next(results) == 0
    assert len(multiprocessing.active_children()) == 3
    assert list(results) == [1, 4]


def test_leaving_early_ends_the_processes() -> None:
    results = in_order(slower_first, range(10_000), 2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
