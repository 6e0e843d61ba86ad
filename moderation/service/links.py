"""How threads have posts judged by a process: requests are written and replies read by threads of their own."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from moderation.errors import ModerationError
from moderation.service import frames
from moderation.service.frames import Reply, Request, Setup, Soon
from moderation.service.lanes import BackendError, SocketLane

_ROOM = 1 << 21


class Link:
    """One process at the other end of a socket; over a second one it is handed those of event loops."""

    def __init__(self, link: socket.socket, more: socket.socket) -> None:
        self._link, self._more = link, more
        self._replies = link.makefile("rb")
        self._futures: dict[int, Future[Reply]] = {}
        self._lanes: dict[asyncio.AbstractEventLoop, SocketLane] = {}
        self._lock = threading.Lock()
        self._number = 0
        self.gone = ""
        """Why nobody answers any longer, if so."""
        # Requests are written aside: a socket takes so much, and who asks must not wait for the process to read.
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"moderation-{name}", daemon=True)
            for name, work in (("requests", self._write), ("replies", self._read))
        ]

    @property
    def waiting(self) -> int:
        """How many requests of threads are not answered."""
        return len(self._futures)

    def call(self, setup: Setup) -> Reply | None:
        """Ask and wait, before anybody else asks; None where the other side has gone."""
        try:
            self._link.sendall(frames.packed(setup))
            found = frames.read(self._replies, frames.replies)
        except OSError:
            return None
        return None if found is None else found[1]

    def start(self) -> None:
        """Let threads and event loops ask."""
        for thread in self._threads:
            thread.start()

    def ask(self, request: Request) -> Future[Reply]:
        """Have a request answered behind those that were made before."""
        future: Future[Reply] = Future()
        with self._lock:
            self._number = number = (self._number + 1) & frames.NUMBERS
            gone = self.gone
            if not gone:
                self._futures[number] = future
        if gone:
            _fail(future, BackendError(gone))
            return future
        try:
            self._outbox.put(frames.packed_safely(request, number))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            with self._lock:
                self._futures.pop(number, None)
            _fail(future, BackendError(f"a post cannot be sent to the process that judges: {error}"))
        return future

    def lane(self, loop: asyncio.AbstractEventLoop) -> SocketLane:
        """How an event loop asks, on its own thread. Raises BackendError where the process is gone."""
        lane = self._lanes.get(loop)
        if lane is None or lane.closed:
            ours, theirs = roomy_pair()
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
        """Ask no more: the other side ends when it has answered."""
        for lane in list(self._lanes.values()):
            lane.retire()
        self._outbox.put(None)

    def sweep(self) -> None:
        """Hang up for event loops that were closed before they came to it."""
        for loop, lane in list(self._lanes.items()):
            if loop.is_closed():
                lane.retire()

    def join(self) -> None:
        """Wait until all is answered."""
        for thread in self._threads:
            thread.join()

    def hang_up(self) -> None:
        """Leave nothing open."""
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
            self.gone = problem
            left, self._futures = list(self._futures.values()), {}
        self._outbox.put(None)
        for future in left:
            _fail(future, BackendError(problem))

    def _hand(self, number: int, reply: Reply) -> None:
        if isinstance(reply, Soon):
            return
        with self._lock:
            future = self._futures.pop(number, None)
        if future is not None:
            with suppress(InvalidStateError):
                future.set_result(reply)


def roomy_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets that take a whole batch at once, as far as the system allows: who writes one does not wait
    for the other side, which reads only between batches.
    """
    pair = socket.socketpair()
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
    return pair


def _fail(future: Future[Any], error: Exception) -> None:
    with suppress(InvalidStateError):
        future.set_exception(error)
