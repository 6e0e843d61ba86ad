"""Running the HTTP service: on loopback unless there are keys, until told to stop, with nothing left unanswered."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import signal
import socket
from contextlib import suppress
from typing import Any

import uvicorn

from moderation.errors import ModerationError
from moderation.service.app import make_app
from moderation.service.keys import Keys
from moderation.service.limits import Limits
from moderation.service.moderator import Moderator
from moderation.service.protocol import protocol

log = logging.getLogger("moderation")

_DRAIN = 20
_CONNECTIONS = 2000


def run(moderator: Moderator, host: str, port: int, keys: Keys, limits: Limits, backlog: int = 2048) -> None:
    """Serve until SIGTERM or SIGINT, answer what has begun, and end. Raises ModerationError where it may not listen."""
    if not keys and not _is_loopback(host):
        raise ModerationError(
            f"{host} can be reached from elsewhere, and there are no keys: make some with `moderation keys`, "
            "or listen on 127.0.0.1"
        )
    config = uvicorn.Config(
        make_app(moderator, keys, limits),
        host=host,
        port=port,
        http=protocol(limits),
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_DRAIN,
        backlog=backlog,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
    )
    # Looked at no more by the garbage collector, which would hold up the event loop for 30 ms each time.
    gc.collect()
    gc.freeze()
    _Server(config, moderator).run()


class _Server(uvicorn.Server):
    """Tells where it listens, as with port 0 nobody else knows; SIGHUP reloads the rules."""

    def __init__(self, config: uvicorn.Config, moderator: Moderator) -> None:
        super().__init__(config)
        self._moderator = moderator
        self._reloads: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        # Not every system has the signal, nor every thread the right to it.
        with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload)
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def _reload(self) -> None:
        task = asyncio.create_task(self._moderator.areload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError as error:
        raise ModerationError(f"cannot listen on {host!r}: {error}") from error
    return all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)
