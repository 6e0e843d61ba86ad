"""Running the HTTP service: on loopback unless there are keys, until told to stop, with nothing left unanswered."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import socket
from contextlib import suppress
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from moderation.errors import ModerationError
from moderation.service.app import make_app
from moderation.service.keys import Keys
from moderation.service.limits import Limits
from moderation.service.moderator import Moderator

log = logging.getLogger("moderation")

_HEADERS = 16 << 10
_DRAIN = 20
_CONNECTIONS = 2000


def run(moderator: Moderator, host: str, port: int, keys: Keys, limits: Limits, backlog: int = 2048) -> None:
    """Serve until SIGTERM or SIGINT, answer what has begun, and end. Raises ModerationError where it may not listen."""
    if not keys and not _is_loopback(host):
        raise ModerationError(
            f"{host} can be reached from elsewhere, and there are no keys: make some with `moderation keys`, "
            "or listen on 127.0.0.1"
        )
    # h11 bounds the headers of a request, which httptools does not.
    config = uvicorn.Config(
        make_app(moderator, keys, limits),
        host=host,
        port=port,
        http=_protocol(limits.header_seconds),
        h11_max_incomplete_event_size=_HEADERS,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_DRAIN,
        backlog=backlog,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
    )
    _Server(config, moderator).run()


class _Protocol(H11Protocol):
    """A connection whose headers come slowly, or never, is closed: uvicorn itself waits for ever."""

    patience: float
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came: the rest of a request's headers must come soon behind its first byte."""
        super().data_received(data)
        self._wait()

    def on_response_complete(self) -> None:
        """The next request may have begun behind this one."""
        super().on_response_complete()
        if self.conn.trailing_data[0]:
            self._wait()

    def connection_lost(self, error: Exception | None) -> None:
        """Wait no more."""
        self._rest()
        super().connection_lost(error)

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._rest()
        elif self._late is None:
            self._late = self.loop.call_later(self.patience, self.transport.close)

    def _rest(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _protocol(seconds: float) -> type[_Protocol]:
    return type("_Patient", (_Protocol,), {"patience": seconds})


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
