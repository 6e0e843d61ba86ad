"""Running the HTTP service: on loopback unless there are keys, until told to stop, with nothing left unanswered."""

from __future__ import annotations

import ipaddress
import logging
import socket

import uvicorn

from moderation.errors import ModerationError
from moderation.service.app import make_app
from moderation.service.keys import Keys
from moderation.service.limits import Limits
from moderation.service.moderator import Moderator

log = logging.getLogger("moderation")

_HEADERS = 16 << 10
_DRAIN = 20


def run(moderator: Moderator, host: str, port: int, keys: Keys, limits: Limits, backlog: int = 2048) -> None:
    """Serve until SIGTERM or SIGINT, answer what has begun, and end. Raises ModerationError where it may not listen."""
    if not keys and not _is_loopback(host):
        raise ModerationError(
            f"{host} can be reached from elsewhere, and there are no keys: make some with `moderation keys`, "
            "or listen on 127.0.0.1"
        )
    # h11 bounds the headers of a request, which httptools does not.
    config = uvicorn.Config(
        make_app(moderator, keys, limits), host=host, port=port, http="h11", h11_max_incomplete_event_size=_HEADERS,
        log_level="warning", access_log=False, timeout_keep_alive=30, timeout_graceful_shutdown=_DRAIN,
        backlog=backlog, server_header=False,
    )  # fmt: skip
    _Server(config).run()


class _Server(uvicorn.Server):
    """Tells where it listens: with port 0 nobody else knows."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError as error:
        raise ModerationError(f"cannot listen on {host!r}: {error}") from error
    return all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)
