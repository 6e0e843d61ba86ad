"""How an event loop has posts judged: requests out, replies back, all on the loop's own thread."""

from __future__ import annotations

import asyncio
import socket
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol

from moderation.errors import ModerationError
from moderation.service import frames
from moderation.service.frames import Reply, Request, Soon

_CHUNK = 1 << 18
_ENDING = 30.0

Done = Callable[["Reply | BackendError"], None]
Room = Callable[[], None]


class BackendError(ModerationError):
    """Posts could not be judged where they should be: the process ended, or refused."""


class Lane(Protocol):
    """Answers requests in their order."""

    def send(self, request: Request, done: Done, room: Room) -> None:
        """Hand a request on. `done` is called with the reply, once; `room` perhaps before, when another has room."""


class ThreadLane:
    """A thread judges."""

    def __init__(self, ask: Callable[[Request], Future[Reply]], loop: asyncio.AbstractEventLoop) -> None:
        self._ask, self._loop = ask, loop

    def send(self, request: Request, done: Done, room: Room) -> None:
        """Hand a request on."""

        def answered(future: Future[Reply]) -> None:
            error = future.exception()
            reply = future.result() if error is None else BackendError(str(error))
            with suppress(RuntimeError):  # the loop was closed: nobody waits
                self._loop.call_soon_threadsafe(done, reply)

        try:
            self._ask(request).add_done_callback(answered)
        except RuntimeError as error:
            self._loop.call_soon(done, BackendError(f"the moderator is closed: {error}"))


class SocketLane:
    """A process judges, at the other end of a socket that nobody else uses."""

    def __init__(self, loop: asyncio.AbstractEventLoop, link: socket.socket) -> None:
        self._loop, self._link = loop, link
        link.setblocking(False)
        self._splitter = frames.Splitter()
        self._waiting: dict[int, tuple[Done, Room]] = {}
        self._out = bytearray()
        self._number = 0
        self._retired = self.closed = False
        # A loop may be closed before it comes to what it was asked to do at its next turn.
        self._hang_up = weakref.finalize(self, link.close)
        loop.add_reader(link, self._readable)

    def send(self, request: Request, done: Done, room: Room) -> None:
        """Hand a request on."""
        self._number = number = (self._number + 1) & frames.NUMBERS
        try:
            message = frames.packed_safely(request, number)
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            problem = BackendError(f"a post cannot be sent to the process that judges: {error}")
            self._loop.call_soon(done, problem)
            return
        self._waiting[number] = done, room
        self._write(message)

    def retire(self) -> None:
        """Hang up when all is answered. From any thread."""
        if self._loop.is_closed() or not self._loop.is_running():  # nobody waits
            self._close()
        elif _running() is self._loop:  # it will not run while who closes the moderator waits
            self._drain()
        else:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._retire)

    def _drain(self) -> None:
        self._link.settimeout(_ENDING)
        with suppress(OSError):
            self._link.sendall(self._out)
            self._out.clear()
        while self._waiting:
            self._readable()
        self._close()

    def _retire(self) -> None:
        self._retired = True
        if not self._waiting:
            self._close()

    def _write(self, message: bytes) -> None:
        if self._out:
            self._out += message
            return
        try:
            sent = self._link.send(message)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._loop.call_soon(self._lost, error)
            return
        if sent < len(message):
            self._out += memoryview(message)[sent:]
            self._loop.add_writer(self._link, self._writable)

    def _writable(self) -> None:
        try:
            del self._out[: self._link.send(self._out)]
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        if not self._out:
            self._loop.remove_writer(self._link)

    def _readable(self) -> None:
        try:
            data = self._link.recv(_CHUNK)
            if not data:
                raise ConnectionError("it hung up")
            for number, body in self._splitter.feed(data):
                self._reply(number, frames.decoded(body, frames.replies))
        except (BlockingIOError, InterruptedError):
            return
        except (OSError, frames.FrameError) as error:
            self._lost(error)

    def _reply(self, number: int, reply: Reply) -> None:
        if isinstance(reply, Soon):
            if number in self._waiting:
                self._waiting[number][1]()
            return
        done, _ = self._waiting.pop(number)
        done(reply)
        if self._retired and not self._waiting:
            self._close()

    def _lost(self, error: Exception) -> None:
        if self.closed:
            return
        self._close()
        waiting, self._waiting = self._waiting, {}
        for done, _ in waiting.values():
            done(BackendError(f"the process that judges has ended: {error}"))

    def _close(self) -> None:
        self.closed = True
        if not self._loop.is_closed():
            self._loop.remove_reader(self._link)
            self._loop.remove_writer(self._link)
        self._hang_up()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
