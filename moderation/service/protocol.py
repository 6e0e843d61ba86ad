"""A connection of HTTP that waits for nobody for ever: httptools bounds neither headers nor the pace of a request."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from moderation.service.limits import Limits

HEADERS, FIELDS = 16 << 10, 100
"""The most bytes, and the most fields, of a request's headers."""

_REFUSED = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Flood(ValueError):
    """More headers than are read."""


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection whose headers come slowly, never, or without end, and one that goes on sending a body when it
    was answered. The application itself bounds the bodies that it reads.
    """

    limits: Limits
    _late: asyncio.TimerHandle | None = None
    _begun = _in_body = False
    _raw = _fields = _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of it."""
        self._raw += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._rest()
        elif self._in_body:
            # Chunks of one byte are six times as long as what they hold.
            if self._raw > HEADERS + 8 * self.limits.body:
                self.transport.close()
            elif self.cycle.response_complete:
                self._wait()
        elif self._raw > HEADERS:
            self.send_400_response("")
        elif self._begun or self._raw:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._rest()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._begun, self._fields, self._size = True, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a field behind a body. Raises Flood, which is answered."""
        self._fields, self._size = self._fields + 1, self._size + len(name) + len(value)
        if self._fields > FIELDS or self._size > HEADERS:
            raise Flood
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Now the application reads."""
        super().on_headers_complete()
        self._in_body = True
        self._rest()

    def on_message_complete(self) -> None:
        """What comes now is another request."""
        super().on_message_complete()
        self._begun, self._in_body, self._raw = False, False, 0
        self._rest()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or too much of it."""
        if max(self._size, self._raw) > HEADERS or self._fields > FIELDS:
            self.transport.write(_REFUSED)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _wait(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.limits.header_seconds, self.transport.close)

    def _rest(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def protocol(limits: Limits) -> type[PatientProtocol]:
    """The protocol with its limits."""
    return type("Patient", (PatientProtocol,), {"limits": limits})
