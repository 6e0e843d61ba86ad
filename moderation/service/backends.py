"""Where posts are judged: in a process of its own, or on a thread of this one."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.service import frames
from moderation.service.frames import Failed, Ready, Refused, Reply, Request, Setup, Soon
from moderation.service.lanes import BackendError, Lane, SocketLane, ThreadLane
from moderation.service.worker import answer, ready

_Kind = TypeVar("_Kind")

STARTING, ENDING = 120.0, 30.0
"""Seconds after which a process that is not ready is given up, and one that does not end is killed."""

ISOLATES = hasattr(socket, "send_fds")
"""Whether this system hands sockets to other processes: without that, there is no process to judge in."""


class Backend(Protocol):
    """Judges batches, one after the other."""

    @property
    def info(self) -> Ready: ...
    @property
    def alive(self) -> bool: ...
    def ask(self, request: Request) -> Future[Reply]: ...
    def lane(self, loop: asyncio.AbstractEventLoop) -> Lane: ...
    def close(self) -> None: ...


class ThreadBackend:
    """An engine of this process, on one thread."""

    alive = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(1, "moderation")
        self.info = ready(engine)

    def ask(self, request: Request) -> Future[Reply]:
        """Answer a request behind those that were made before."""
        return self._threads.submit(answer, self._engine, request)

    def lane(self, loop: asyncio.AbstractEventLoop) -> Lane:
        """How an event loop asks."""
        return ThreadLane(self.ask, loop)

    def close(self) -> None:
        """Answer what was asked, and end."""
        self._threads.shutdown()


class ProcessBackend:
    """An engine in a process of its own: what compiles or fails there stops nothing here.

    Threads ask over one socket, and every event loop over one of its own, which it reads itself: between threads, each
    batch would wait for its turn at the interpreter. Raises ModerationError where the rules do not load, or the process
    is not ready in time.
    """

    def __init__(self, rules: str | None, public_key: bytes | None = None) -> None:
        self._link, theirs = socket.socketpair()
        self._more, more = socket.socketpair()
        with theirs, more:
            descriptors = (theirs.fileno(), more.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moderation.service.worker", *map(str, descriptors)],
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        self._replies = self._link.makefile("rb")
        self._waiting: dict[int, Future[Reply]] = {}
        self._lanes: dict[asyncio.AbstractEventLoop, SocketLane] = {}
        self._lock = threading.Lock()
        self._number = 0
        self._gone = ""
        try:
            self.info = self._started(Setup(rules, public_key))
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._hang_up()
            raise
        # Requests are written aside: a socket takes so much, and who asks must not wait for the process to read.
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"moderation-{name}", daemon=True)
            for name, work in (("requests", self._write), ("replies", self._read))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs, and answers."""
        return not self._gone and self._process.poll() is None

    def ask(self, request: Request) -> Future[Reply]:
        """Have a request answered behind those that were made before."""
        future: Future[Reply] = Future()
        with self._lock:
            self._number = number = (self._number + 1) & frames.NUMBERS
            gone = self._gone
            if not gone:
                self._waiting[number] = future
        if gone:
            _fail(future, BackendError(gone))
            return future
        try:
            self._outbox.put(frames.packed_safely(request, number))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            with self._lock:
                self._waiting.pop(number, None)
            _fail(future, BackendError(f"a post cannot be sent to the process that judges: {error}"))
        return future

    def lane(self, loop: asyncio.AbstractEventLoop) -> Lane:
        """How an event loop asks, on its own thread. Raises BackendError where the process is gone."""
        lane = self._lanes.get(loop)
        if lane is None or lane.closed:
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    socket.send_fds(self._more, [b"+"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise BackendError(f"the process that judges has ended: {error}") from error
            for other in [each for each in self._lanes if each.is_closed()]:
                self._lanes.pop(other).retire()
            lane = self._lanes[loop] = SocketLane(loop, ours)
        return lane

    def close(self) -> None:
        """Let what was asked be answered, and end the process."""
        for lane in list(self._lanes.values()):
            lane.retire()
        self._outbox.put(None)
        try:
            self._process.wait(timeout=ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()
        self._hang_up()

    def _started(self, setup: Setup) -> Ready:
        timer = threading.Timer(STARTING, self._process.kill)
        timer.start()
        try:
            self._link.sendall(frames.packed(setup))
            found = frames.read(self._replies, frames.replies)
        except OSError:
            found = None
        finally:
            timer.cancel()
        reply = None if found is None else found[1]
        if isinstance(reply, Ready):
            return reply
        raise ModerationError(reply.message if isinstance(reply, Failed) else "the process that compiles rules ended")

    def _hang_up(self) -> None:
        self._replies.close()
        self._link.close()
        self._more.close()

    def _write(self) -> None:
        """Write what is asked for, until told to stop or nobody reads it."""
        with suppress(OSError):
            while (message := self._outbox.get()) is not None:
                self._link.sendall(message)
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)

    def _read(self) -> None:
        """Hand replies to those who wait, until there are no more."""
        problem = "the process that judges has ended"
        try:
            while (found := frames.read(self._replies, frames.replies)) is not None:
                self._hand(*found)
        except (OSError, ModerationError) as error:
            problem = f"{problem}: {error}"
        with self._lock:
            self._gone = problem
            left, self._waiting = list(self._waiting.values()), {}
        self._outbox.put(None)
        for future in left:
            _fail(future, BackendError(problem))

    def _hand(self, number: int, reply: Reply) -> None:
        if isinstance(reply, Soon):
            return
        with self._lock:
            future = self._waiting.pop(number, None)
        if future is not None:
            with suppress(InvalidStateError):
                future.set_result(reply)


def expect(reply: Reply | BackendError, kind: type[_Kind]) -> _Kind:
    """The reply, if it is of a kind. Raises BackendError for a refusal."""
    if isinstance(reply, kind):
        return reply
    if isinstance(reply, BackendError):
        raise reply
    raise BackendError(reply.message if isinstance(reply, Refused) else f"an unexpected reply: {reply!r:.100}")


def _fail(future: Future[Any], error: Exception) -> None:
    with suppress(InvalidStateError):
        future.set_exception(error)
