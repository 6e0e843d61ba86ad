"""What is asked of a request before anything reads it: its size, its pace, and who sent it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request

BODY, STALLED = 1 << 20, 10.0
"""The most bytes of a body, and the seconds in which all of it, or of the headers, must have come."""


class HttpError(Exception):
    """A request that is refused: the status, a stable code, and what to do."""

    def __init__(self, status: int, code: str, message: str, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry = status, code, message, retry


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, seconds for it to come, posts in one request, and seconds for its headers to come."""

    body: int = BODY
    seconds: float = STALLED
    posts: int = 1000
    header_seconds: float = STALLED


async def body_of(request: Request, limits: Limits) -> bytes:
    """The whole body. Raises HttpError: 413 for one that is too large, told or not, 408 for one that does not come."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limits.body:
        raise _too_large(limits)
    try:
        return await asyncio.wait_for(_read(request, limits), limits.seconds)
    except TimeoutError:
        raise HttpError(408, "H408", f"the body did not come within {limits.seconds:g} s: send it at once") from None


async def _read(request: Request, limits: Limits) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limits.body:
            raise _too_large(limits)
        parts.append(part)
    return b"".join(parts)


def _too_large(limits: Limits) -> HttpError:
    return HttpError(413, "H413", f"the body is larger than {limits.body:,} bytes: send fewer posts at a time")
