"""The process that judges for a service: one engine, requests in, replies out. It compiles where nobody waits, and what
ends it ends nothing else.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

import msgspec

from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.service import frames
from moderation.service.frames import Explain, Explained, Failed, Judge, Judged, Ready, Refused, Reply, Request, Setup
from moderation.service.rules import load_checked


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more. The first is a Setup, and is answered by Ready or Failed."""
    setup = frames.read(requests, frames.requests)
    if not isinstance(setup, Setup):
        return
    try:
        engine = load_checked(setup.rules, setup.public_key)
    except Exception as error:
        _send(replies, Failed(str(error) or type(error).__name__))
        return
    _send(replies, ready(engine))
    while True:
        try:
            request = frames.read(requests, frames.requests)
        except frames.FrameError as error:
            if error.number is None:
                raise
            _send(replies, Refused(error.number, str(error)))
            continue
        if request is None:
            return
        _send(replies, _answer(engine, request))


def ready(engine: Engine) -> Ready:
    """What there is to know of an engine."""
    policy = engine.rulebook.policy
    return Ready(
        engine.fingerprint, engine.text_fields, policy.unknown, engine.rules, policy.policy, process=os.getpid()
    )


def explained(engine: Engine, request: Explain) -> bytes:
    """An explanation as JSON; lone surrogates as escapes."""
    return msgspec.json.encode(msgspec.to_builtins(engine.explain(request.post)))


def _answer(engine: Engine, request: Request) -> Reply:
    number = getattr(request, "number", 0)
    try:
        if isinstance(request, Judge):
            return Judged(number, engine.decide_batch(request.posts))
        if isinstance(request, Explain):
            return Explained(number, explained(engine, request))
    except (ModerationError, ValueError, MemoryError) as error:
        return Refused(number, str(error))
    return Refused(number, "this was asked before")


def _send(stream: BinaryIO, reply: Reply) -> None:
    stream.write(frames.packed(reply))
    stream.flush()


def main() -> None:
    """Serve over standard input and output; whatever else is printed goes to standard error."""
    # Ctrl-C and the service manager's stop are the parent's business: it closes the pipe when all is answered.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with replies:
        try:
            serve(sys.stdin.buffer, replies)
        except BrokenPipeError:
            os._exit(0)


if __name__ == "__main__":
    main()
