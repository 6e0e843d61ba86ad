"""Work in several processes, its results in the order in which it was given; a process that dies is replaced.

Where the system can, workers are forked: they share the compiled engine's memory, and start at once.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from moderation.errors import DumpError

AHEAD = 2
"""Units that a worker has at once: one that it judges, and the next."""

ATTEMPTS = 3
_ENDING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
_MASKS = hasattr(signal, "pthread_sigmask")
_Unit = TypeVar("_Unit")
_Done = TypeVar("_Done")


def in_order(work: Callable[[_Unit], _Done], units: Iterable[_Unit], jobs: int) -> Iterator[_Done]:
    """The results of `work`, in the order of the units, by `jobs` processes; 1: by this one.

    Few units are held at a time. Raises what `work` raises, and DumpError where a unit ends process after process.
    """
    if jobs == 1:
        yield from map(work, units)
        return
    pool = _Pool(work, jobs)
    try:
        yield from pool.results(iter(units))
    finally:
        pool.close()


def cores() -> int:
    """How many processes can work at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, our end of the pipe to it, and the numbers of the units that it has, in order."""

    process: BaseProcess
    pipe: Connection
    has: deque[int] = field(default_factory=deque)


class _Pool:
    def __init__(self, work: Callable[[Any], Any], jobs: int) -> None:
        forks = sys.platform.startswith("linux") and "fork" in multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("fork" if forks else "spawn")
        self._forks, self._work, self._jobs = forks, work, jobs
        self._workers: list[_Worker] = []
        self._units: dict[int, Any] = {}
        self._waiting: deque[int] = deque()
        self._attempts: dict[int, int] = {}

    def results(self, units: Iterator[Any]) -> Iterator[Any]:
        """Hand units out, and results back in order."""
        found: dict[int, Any] = {}
        given, given_back, more = 0, 0, True
        while more or given_back < given:
            while True:
                if more and not self._waiting and given - given_back < self._jobs * (AHEAD + 2):
                    unit = next(units, None)
                    more = unit is not None
                    if more:
                        self._units[given] = unit
                        self._waiting.append(given)
                        given += 1
                if not self._waiting or (worker := self._free()) is None:
                    break
                self._hand(worker, self._waiting.popleft())
            if given_back < given:
                self._collect(found)
            while given_back in found:
                self._units.pop(given_back)
                yield found.pop(given_back)
                given_back += 1

    def close(self) -> None:
        """End all workers, whatever they do."""
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(5)
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        # A forked process has our ends of all pipes too: it must close them, or nobody would notice that we are gone.
        inherited = [*(worker.pipe for worker in self._workers), ours] if self._forks else []
        process = self._context.Process(target=_serve, args=(self._work, theirs, inherited), daemon=True)
        with warnings.catch_warnings(), _undisturbed():
            # Newer Pythons warn of forking beside threads: numpy's know how to be forked, and there are no others.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _free(self) -> _Worker | None:
        """Who can take a unit: a process that has none, else another one, as long as there may be more."""
        worker = min(self._workers, key=lambda each: len(each.has), default=None)
        if len(self._workers) < self._jobs and (worker is None or worker.has):
            self._start()
            worker = self._workers[-1]
        return worker if worker and len(worker.has) < AHEAD else None

    def _hand(self, worker: _Worker, number: int) -> None:
        worker.has.append(number)
        try:
            worker.pipe.send((number, self._units[number]))
        except (BrokenPipeError, ConnectionResetError):
            self._replace(worker)

    def _collect(self, found: dict[int, Any]) -> None:
        by_pipe = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(by_pipe)):
            worker = by_pipe[pipe]  # type: ignore[index]
            if worker not in self._workers:
                continue
            try:
                number, done, error = worker.pipe.recv()
            except (EOFError, ConnectionResetError, OSError):
                self._replace(worker)
                continue
            if error is not None:
                raise error
            worker.has.remove(number)
            found[number] = done

    def _replace(self, dead: _Worker) -> None:
        """Start another, and have done again what the dead one had; the first of it may be what it died of."""
        dead.pipe.close()
        dead.process.join(1)
        self._workers.remove(dead)
        if dead.has:
            first = dead.has[0]
            self._attempts[first] = attempts = self._attempts.get(first, 0) + 1
            if attempts >= ATTEMPTS:
                raise DumpError(_deadly(self._units[first], dead.process.exitcode))
        self._waiting.extendleft(reversed(dead.has))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait: raised in the middle of a fork, they would be lost, or reach a child that is not ready for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING) if _MASKS else None
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _deadly(unit: Any, code: int | None) -> str:
    ended = f"killed by {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"
    where = f"{getattr(unit, 'source', 'the input')} from record {getattr(unit, 'first', '?')} on"
    return f"judging {where} ended a process {ATTEMPTS} times ({ended}): try fewer --jobs, as memory may be short"


def _serve(work: Callable[[Any], Any], pipe: Connection, inherited: list[Connection]) -> None:
    """Judge what comes until nothing does. Ctrl-C is our parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _ENDING - {signal.SIGINT}:
        signal.signal(number, signal.SIG_DFL)
    if _MASKS:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    for each in inherited:
        each.close()
    units: queue.SimpleQueue[tuple[int, Any] | None] = queue.SimpleQueue()
    # Reading goes on while a unit is judged, so that who hands out units never waits for who judges them.
    threading.Thread(target=_receive, args=(pipe, units), daemon=True).start()
    while (asked := units.get()) is not None:
        number, unit = asked
        answer: tuple[int, Any, Exception | None]
        try:
            answer = (number, work(unit), None)
        except Exception as error:
            answer = (number, None, error)
        try:
            pipe.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            return


def _receive(pipe: Connection, units: queue.SimpleQueue[tuple[int, Any] | None]) -> None:
    try:
        while True:
            units.put(pipe.recv())
    except (EOFError, OSError):
        units.put(None)
