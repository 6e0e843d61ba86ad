"""Where posts are judged: in a process of its own, or on a thread of this one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, BinaryIO, Protocol, cast

from moderation.decision import Decision
from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.post import Post
from moderation.service import frames
from moderation.service.frames import Explain, Explained, Failed, Judge, Judged, Ready, Refused, Setup
from moderation.service.worker import explained, ready

STARTING, ENDING = 120.0, 30.0
"""Seconds after which a process that is not ready is given up, and one that does not end is killed."""


class BackendError(ModerationError):
    """Posts could not be judged where they should be: the process ended, or refused."""


class Backend(Protocol):
    """Judges batches, one after the other."""

    @property
    def info(self) -> Ready: ...
    @property
    def alive(self) -> bool: ...
    def submit(self, posts: Sequence[Post]) -> Future[list[Decision]]: ...
    def explain(self, post: Post) -> Future[bytes]: ...
    def close(self) -> None: ...


class ThreadBackend:
    """An engine of this process, on one thread."""

    alive = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(1, "moderation")
        self.info = ready(engine)

    def submit(self, posts: Sequence[Post]) -> Future[list[Decision]]:
        """Judge posts behind those that were submitted before."""
        return self._threads.submit(self._engine.decide_batch, posts)

    def explain(self, post: Post) -> Future[bytes]:
        """Explain a post, as JSON."""
        return self._threads.submit(explained, self._engine, Explain(0, post))

    def close(self) -> None:
        """Judge what was submitted, and end."""
        self._threads.shutdown()


class ProcessBackend:
    """An engine in a process of its own: what compiles or fails there stops nothing here.

    Raises ModerationError where the rules do not load, or the process is not ready in time.
    """

    def __init__(self, rules: str | None, public_key: bytes | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moderation.service.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._requests, self._replies = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()
        self._number = 0
        self._gone = ""
        try:
            self.info = self._started(Setup(rules, public_key))
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._replies.close()
            with suppress(OSError):
                self._requests.close()
            raise
        # Requests are written aside: a pipe takes 64 KiB, and who submits must not wait for the process to read.
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"moderation-{name}", daemon=True)
            for name, work in (("requests", self._write), ("replies", self._read))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def submit(self, posts: Sequence[Post]) -> Future[list[Decision]]:
        """Judge posts behind those that were submitted before."""
        future: Future[list[Decision]] = Future()
        self._send(future, lambda number: Judge(number, list(map(frames.named, posts))))
        return future

    def explain(self, post: Post) -> Future[bytes]:
        """Explain a post, as JSON."""
        future: Future[bytes] = Future()
        self._send(future, lambda number: Explain(number, frames.named(post)))
        return future

    def close(self) -> None:
        """Let what was submitted be judged, and end the process."""
        self._outbox.put(None)
        try:
            self._process.wait(timeout=ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()
        self._replies.close()

    def _started(self, setup: Setup) -> Ready:
        self._requests.write(frames.packed(setup))
        self._requests.flush()
        timer = threading.Timer(STARTING, self._process.kill)
        timer.start()
        try:
            reply = frames.read(self._replies, frames.replies)
        finally:
            timer.cancel()
        if isinstance(reply, Ready):
            return reply
        raise ModerationError(reply.message if isinstance(reply, Failed) else "the process that compiles rules ended")

    def _send(self, future: Future[Any], message: Callable[[int], Judge | Explain]) -> None:
        with self._lock:
            self._number += 1
            number = self._number
            gone = self._gone
            if not gone:
                self._waiting[number] = future
        if gone:
            _fail(future, BackendError(gone))
            return
        try:
            self._outbox.put(frames.packed_safely(message(number)))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            with self._lock:
                self._waiting.pop(number, None)
            _fail(future, BackendError(f"a post cannot be sent to the process that judges: {error}"))

    def _write(self) -> None:
        """Write what is asked for, until told to stop or nobody reads it."""
        with suppress(OSError, ValueError):
            while (message := self._outbox.get()) is not None:
                self._requests.write(message)
                self._requests.flush()
        with suppress(OSError, ValueError):
            self._requests.close()

    def _read(self) -> None:
        """Hand replies to those who wait, until there are no more."""
        problem = "the process that judges has ended"
        try:
            while (reply := frames.read(self._replies, frames.replies)) is not None:
                self._hand(reply)
        except (OSError, ValueError, ModerationError) as error:
            problem = f"{problem}: {error}"
        with self._lock:
            self._gone = problem
            left, self._waiting = list(self._waiting.values()), {}
        self._outbox.put(None)
        for future in left:
            _fail(future, BackendError(problem))

    def _hand(self, reply: object) -> None:
        if not isinstance(reply, Judged | Explained | Refused):
            return
        with self._lock:
            future = self._waiting.pop(reply.number, None)
        if future is None:
            return
        with suppress(InvalidStateError):
            if isinstance(reply, Refused):
                future.set_exception(BackendError(reply.message))
            else:
                future.set_result(reply.decisions if isinstance(reply, Judged) else reply.json)


def _fail(future: Future[Any], error: Exception) -> None:
    with suppress(InvalidStateError):
        future.set_exception(error)
