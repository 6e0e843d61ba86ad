"""What is asked of a request before anything reads it, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

BODY, STALLED = 1 << 20, 10.0
"""The most bytes of a body, and the seconds in which all of it, or of the headers, must have come."""


class HttpError(Exception):
    """A request that is refused: the status, a stable code, and what to do. `close`: nothing more is read of it."""

    def __init__(
        self, status: int, code: str, message: str, retry: int | None = None, close: bool = False, allow: bytes = b""
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry, self.close, self.allow = (
            status,
            code,
            message,
            retry,
            close,
            allow,
        )

    def answer(self) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        """The status, the body (JSON) and the headers that say so."""
        headers = []
        if self.retry is not None:
            headers.append((b"retry-after", b"%d" % self.retry))
        if self.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if self.allow:
            headers.append((b"allow", self.allow))
        if self.close:
            headers.append((b"connection", b"close"))
        return self.status, msgspec.json.encode({"error": {"code": self.code, "message": self.message}}), headers


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, seconds for it to come, posts in one request, and seconds for its headers to come."""

    body: int = BODY
    seconds: float = STALLED
    posts: int = 1000
    header_seconds: float = STALLED

    def too_large(self) -> HttpError:
        """How a body is refused that has too many bytes."""
        return HttpError(413, "H413", f"the body is larger than {self.body:,} bytes: send fewer posts")
