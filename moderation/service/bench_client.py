"""A client of the HTTP service that costs little, as it shares the machine with what it measures."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from moderation.errors import ModerationError

_LENGTH = re.compile(rb"content-length: (\d+)", re.I)
_Result = TypeVar("_Result")


class Client:
    """Requests over some connections: each is asked one thing at a time, and who finds none free waits."""

    def __init__(self, connections: Iterable[Connection]) -> None:
        self._free = deque(connections)
        self._waiting: deque[asyncio.Future[Connection]] = deque()

    @classmethod
    async def connected(cls, port: int, connections: int) -> Client:
        """Connect to this machine."""
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(Connection, "127.0.0.1", port) for _ in range(connections)]
        return cls(connection for _, connection in made)

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises ModerationError for a status that is not 200."""
        if self._free:
            connection = self._free.popleft()
        else:
            self._waiting.append(waiting := asyncio.get_running_loop().create_future())
            connection = await waiting
        try:
            return await connection.ask(request)
        finally:
            if self._waiting:
                self._waiting.popleft().set_result(connection)
            else:
                self._free.append(connection)

    def close(self) -> None:
        """Hang up."""
        for connection in self._free:
            connection.transport.close()


class Connection(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to ask."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by type
        self._buffer = bytearray()
        self._whole = 0
        self._answer: asyncio.Future[bytes] | None = None

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """The body of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data
        if not self._whole and (head := self._buffer.find(b"\r\n\r\n") + 4) > 3:
            length = _LENGTH.search(self._buffer, 0, head)
            self._head, self._whole = head, head + (int(length[1]) if length else 0)
        if self._whole and len(self._buffer) >= self._whole:
            self._answered()

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing more comes."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ModerationError("the service hung up"))

    def _answered(self) -> None:
        found, head = bytes(self._buffer[: self._whole]), self._head
        del self._buffer[: self._whole]
        self._whole = 0
        if self._answer is None or self._answer.done():
            return
        if found.startswith(b"HTTP/1.1 200 "):
            self._answer.set_result(found[head:])
        else:
            self._answer.set_exception(ModerationError(f"the service answered {found.splitlines()[0].decode()}"))


def post(body: bytes) -> bytes:
    """A request for decisions."""
    return b"POST /v1/decide HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run on the event loop that `moderation serve` runs on."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def cpu(process: int) -> float | None:
    """Seconds that a process has worked; None where the system does not tell."""
    if sys.platform != "linux":
        return time.process_time() if process == os.getpid() else None
    try:  # how Linux names the clock of another process: clock_getcpuclockid(3)
        return time.clock_gettime((~process) << 3 | 2)
    except OSError:  # it has ended
        return None


class Clocks:
    """Tells how long processes have worked from now on; those of one name together."""

    def __init__(self, processes: Mapping[str, Sequence[int]]) -> None:
        self._processes = processes
        self._before = self._now()

    def each(self, count: int) -> dict[str, float]:
        """Microseconds for each of so many things, by name; those that the system tells of."""
        now = self._now()
        return {name: (now[name] - before) / count * 1e6 for name, before in self._before.items() if name in now}

    def _now(self) -> dict[str, float]:
        asked = ((name, [cpu(pid) for pid in pids if pid]) for name, pids in self._processes.items())
        told = ((name, [each for each in found if each is not None]) for name, found in asked)
        return {name: sum(found) for name, found in told if found}


def children(process: int) -> list[int]:
    """The processes that a process started; none where the system does not tell."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found
