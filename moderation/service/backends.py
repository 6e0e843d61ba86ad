"""Where posts are judged: in a process of its own, or on a thread of this one."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.service.frames import Failed, Ready, Refused, Reply, Request, Setup
from moderation.service.lanes import BackendError, Lane, ThreadLane
from moderation.service.links import Link, roomy_pair
from moderation.service.worker import answer, ready

_Kind = TypeVar("_Kind")

STARTING, ENDING = 120.0, 30.0
"""Seconds after which a process that is not ready is given up, and one that does not end is killed."""
_MOMENT = 0.1

ISOLATES = hasattr(socket, "send_fds")
"""Whether this system hands sockets to other processes: without that, there is no process to judge in."""


class Backend(Protocol):
    """Judges batches, one after the other."""

    @property
    def info(self) -> Ready: ...
    @property
    def alive(self) -> bool: ...
    def ask(self, request: Request) -> Future[Reply]: ...
    def lanes(self, loop: asyncio.AbstractEventLoop) -> Sequence[Lane]: ...
    def close(self) -> None: ...


class ThreadBackend:
    """An engine of this process, on one thread."""

    alive = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(1, "moderation")
        self._lanes: dict[asyncio.AbstractEventLoop, Lane] = {}
        self.info = ready(engine)

    def ask(self, request: Request) -> Future[Reply]:
        """Answer a request behind those that were made before."""
        return self._threads.submit(answer, self._engine, request)

    def lanes(self, loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
        """How an event loop asks."""
        if loop not in self._lanes:
            self._lanes = {each: lane for each, lane in self._lanes.items() if not each.is_closed()}
            self._lanes[loop] = ThreadLane(self.ask, loop)
        return (self._lanes[loop],)

    def close(self) -> None:
        """Answer what was asked, and end."""
        self._threads.shutdown()


class ProcessBackend:
    """An engine in a process of its own, or in `judges` of them: what compiles or fails there stops nothing here.

    Threads ask over a socket, and every event loop over one of its own, which it reads itself: between threads, each
    batch would wait for its turn at the interpreter. Raises ModerationError where the rules do not load, or the process
    is not ready in time.
    """

    def __init__(self, rules: str | None, public_key: bytes | None = None, judges: int = 1) -> None:
        pairs = [(roomy_pair(), socket.socketpair()) for _ in range(judges)]
        self._links = [Link(ours, more) for (ours, _), (more, _) in pairs]
        theirs = [end for (_, link), (_, more) in pairs for end in (link, more)]
        descriptors = [end.fileno() for end in theirs]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moderation.service.worker", *map(str, descriptors)],
            stdin=subprocess.DEVNULL,
            pass_fds=descriptors,
        )
        for end in theirs:
            end.close()
        try:
            self.info = self._started(Setup(rules, public_key))
        except BaseException:
            self._process.kill()
            self._process.wait()
            for link in self._links:
                link.hang_up()
            raise
        for link in self._links:
            link.start()

    @property
    def alive(self) -> bool:
        """Whether all processes run, and answer."""
        return not any(link.gone for link in self._links) and self._process.poll() is None

    def ask(self, request: Request) -> Future[Reply]:
        """Have a request answered, by who has the least to do."""
        return min(self._links, key=lambda link: link.waiting).ask(request)

    def lanes(self, loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
        """How an event loop asks, on its own thread. Raises BackendError where a process is gone."""
        return [link.lane(loop) for link in self._links]

    def close(self) -> None:
        """Let what was asked be answered, and end the processes."""
        for link in self._links:
            link.close()
        deadline = time.monotonic() + ENDING
        while not self._has_ended():
            if time.monotonic() > deadline:
                self._process.kill()
            for link in self._links:
                link.sweep()
        for link in self._links:
            link.join()
            link.hang_up()

    def _has_ended(self) -> bool:
        """Whether the process has, which is waited for a moment."""
        try:
            self._process.wait(timeout=_MOMENT)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _started(self, setup: Setup) -> Ready:
        timer = threading.Timer(STARTING, self._process.kill)
        timer.start()
        try:
            reply = self._links[0].call(setup)
        finally:
            timer.cancel()
        if isinstance(reply, Ready):
            return reply
        raise ModerationError(reply.message if isinstance(reply, Failed) else "the process that compiles rules ended")


def expect(reply: Reply | BackendError, kind: type[_Kind]) -> _Kind:
    """The reply, if it is of a kind. Raises BackendError for a refusal."""
    if isinstance(reply, kind):
        return reply
    if isinstance(reply, BackendError):
        raise reply
    raise BackendError(reply.message if isinstance(reply, Refused) else f"an unexpected reply: {reply!r:.100}")
