"""The process that judges for a service: one engine, requests in, replies out. It compiles where nobody waits, and what
ends it ends nothing else.

It is given a socket for requests and one over which further sockets come, as each event loop of the service has its
own; and two more for each further process that is to judge beside it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

import msgspec

from moderation.engine.engine import Engine
from moderation.service import bodies, frames
from moderation.service.frames import (
    Explain,
    Explained,
    Failed,
    Judge,
    Judged,
    JudgeJson,
    Ready,
    Refused,
    Reply,
    Request,
    Setup,
    Soon,
)
from moderation.service.judging import decided
from moderation.service.rules import load_checked


def serve(ends: Sequence[tuple[socket.socket, socket.socket]]) -> None:
    """Answer requests until all who ask have gone. The first is a Setup, and is answered by Ready or Failed.

    Each pair of sockets is served by a process of its own; they share the memory of what was compiled once.
    """
    engine = _set_up(ends[0][0])
    if engine is None:
        return
    judges = [_forked(engine, ends, each) for each in ends[1:]]
    _let_go(ends[1:])
    ends[0][0].sendall(frames.packed(ready(engine)))
    asyncio.run(_answering(engine, *ends[0]))
    for judge in judges:
        with suppress(ChildProcessError):
            os.waitpid(judge, 0)


def ready(engine: Engine) -> Ready:
    """What there is to know of an engine."""
    policy = engine.rulebook.policy
    return Ready(
        engine.fingerprint, engine.text_fields, policy.unknown, engine.rules, policy.policy, process=os.getpid()
    )


def answer(engine: Engine, request: Request, judged: Callable[[], None] = lambda: None) -> Reply:
    """The reply to a request; `judged` is called when only the reply is left to be written."""
    try:
        if isinstance(request, Judge):
            decisions = decided(engine, request.posts)
            judged()
            return Judged(decisions)
        if isinstance(request, JudgeJson):
            return bodies.judge(engine, request, judged)
        if isinstance(request, Explain):
            # Lone surrogates as escapes.
            return Explained(msgspec.json.encode(msgspec.to_builtins(engine.explain(request.post))))
    except Exception as error:
        return Refused(str(error) or type(error).__name__)
    return Refused("this was asked before")


def _set_up(link: socket.socket) -> Engine | None:
    with link.makefile("rb") as requests:
        asked = frames.read(requests, frames.requests)
    if asked is None or not isinstance(setup := asked[1], Setup):
        return None
    try:
        engine = load_checked(setup.rules, setup.public_key)
    except Exception as error:
        link.sendall(frames.packed(Failed(str(error) or type(error).__name__)))
        return None
    # Never again looked at by the garbage collector, which would stop judging for 40 ms each time.
    gc.collect()
    gc.freeze()
    return engine


def _forked(
    engine: Engine, ends: Sequence[tuple[socket.socket, socket.socket]], mine: tuple[socket.socket, socket.socket]
) -> int:
    judge = os.fork()
    if judge:
        return judge
    try:
        _let_go([each for each in ends if each is not mine])
        with suppress(ConnectionError):
            asyncio.run(_answering(engine, *mine))
    finally:
        os._exit(0)


def _let_go(ends: Sequence[tuple[socket.socket, socket.socket]]) -> None:
    for each in ends:
        for end in each:
            end.close()


async def _answering(engine: Engine, link: socket.socket, more: socket.socket) -> None:
    loop, links = asyncio.get_running_loop(), set[_Link]()
    finished, connecting = asyncio.Event(), set[asyncio.Task[object]]()

    def connect(each: socket.socket) -> None:
        connecting.add(
            task := loop.create_task(loop.connect_accepted_socket(lambda: _Link(engine, links, finished), each))
        )
        task.add_done_callback(connecting.discard)

    def accept() -> None:
        _, descriptors, *_ = socket.recv_fds(more, 1, 1)
        if not descriptors:
            loop.remove_reader(more)
        for descriptor in descriptors:
            connect(socket.socket(fileno=descriptor))

    connect(link)
    loop.add_reader(more, accept)
    await finished.wait()


class _Link(asyncio.Protocol):
    """One who asks. Requests are answered in their order, and replies wait for who is slow to take them."""

    _transport: asyncio.Transport

    def __init__(self, engine: Engine, links: set[_Link], finished: asyncio.Event) -> None:
        self._engine, self._links, self._finished = engine, links, finished
        self._splitter = frames.Splitter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._links.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        for number, body in self._splitter.feed(data):
            self._transport.write(self._packed(self._answer(number, body), number))

    def connection_lost(self, error: Exception | None) -> None:
        """End with the last."""
        self._links.discard(self)
        if not self._links:
            self._finished.set()

    def _packed(self, reply: Reply, number: int) -> bytes:
        """Whatever a post holds, who asks gets an answer, and all others theirs."""
        try:
            return frames.packed_safely(reply, number)
        except Exception as error:
            return frames.packed(Refused(f"the answer cannot be sent: {type(error).__name__}"), number)

    def _answer(self, number: int, body: bytes) -> Reply:
        try:
            request = frames.decoded(body, frames.requests)
        except frames.FrameError as error:
            return Refused(str(error))
        if not getattr(request, "soon", False):
            return answer(self._engine, request)
        return answer(self._engine, request, lambda: self._transport.write(frames.packed(Soon(), number)))


def main() -> None:
    """Serve over the sockets that were handed on; whatever is printed goes to standard error."""
    # Ctrl-C and the service manager's stop are the parent's business: it closes its sockets when all is answered.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.dup2(2, 1)
    ends = iter([socket.socket(fileno=int(each)) for each in sys.argv[1:]])
    with suppress(ConnectionError):  # nobody asks any longer
        serve(list(zip(ends, ends, strict=True)))


if __name__ == "__main__":
    main()
