"""Messages between a service and the process that judges for it: MessagePack behind a length, over pipes."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import msgspec

from moderation.decision import Decision
from moderation.errors import ModerationError
from moderation.post import Post

_LENGTH = 4
_TEXTS = {str}
_SURROGATES = re.compile("[\ud800-\udfff]")
LARGEST = 1 << 30


class Setup(msgspec.Struct, tag=True):
    """What to load: a folder, a pack or a bundle (None: the bundled rules), and the key that must have signed it."""

    rules: str | None
    public_key: bytes | None = None


class Ready(msgspec.Struct, tag=True, frozen=True):
    """An engine is compiled, and its rules behave: what others need to know of it."""

    fingerprint: str
    text_fields: tuple[str, ...]
    unknown: str
    rules: tuple[str, ...]
    policy: str
    process: int = 0


class Failed(msgspec.Struct, tag=True):
    """Rules did not load, or their examples fail: why, as `moderation check` would say it."""

    message: str


class Judge(msgspec.Struct, tag=True):
    """Posts to judge."""

    number: int
    posts: list[Post]


class Judged(msgspec.Struct, tag=True):
    """Their decisions, in order."""

    number: int
    decisions: list[Decision]


class Explain(msgspec.Struct, tag=True):
    """A post to explain."""

    number: int
    post: Post


class Explained(msgspec.Struct, tag=True):
    """The explanation as JSON."""

    number: int
    json: bytes


class Refused(msgspec.Struct, tag=True):
    """A request that failed, and why."""

    number: int
    message: str


Request = Setup | Judge | Explain
Reply = Ready | Failed | Judged | Explained | Refused

_encoder = msgspec.msgpack.Encoder(enc_hook=str)
requests = msgspec.msgpack.Decoder(Request)
replies = msgspec.msgpack.Decoder(Reply)


class FrameError(ModerationError):
    """The other side sent something else than a message; `number` is that of the request, if it can be told."""

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


def packed(message: Request | Reply) -> bytes:
    """A message as bytes, its length before it. Raises UnicodeEncodeError for a lone surrogate."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH, "big") + body


def packed_safely(message: Judge | Explain) -> bytes:
    """The same; lone surrogates, which no encoding holds, become U+FFFD, and numbers beyond 64 bits floats."""
    try:
        return packed(message)
    except (UnicodeEncodeError, OverflowError):
        return packed(msgspec.convert(_mended(msgspec.to_builtins(message, enc_hook=str)), type(message)))


def named(post: Post) -> Post:
    """The post, its attributes' names being texts."""
    if set(map(type, post.attributes)) <= _TEXTS:
        return post
    return Post(post.id, post.fields, {str(name): value for name, value in post.attributes.items()})


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return float(value) if abs(value) < 1 << 1000 else str(value)
    return [_mended(item) for item in value] if isinstance(value, list | tuple) else value


def read(stream: BinaryIO, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """The next message; None where the other side has closed. Raises FrameError for what is none."""
    head = stream.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    size = int.from_bytes(head, "big")
    if size > LARGEST:
        raise FrameError(f"a message of {size:,} bytes is larger than {LARGEST:,}")
    body = stream.read(size)
    if len(body) < size:
        return None
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FrameError(f"not a message: {error}", _number_of(body)) from error


def _number_of(body: bytes) -> int | None:
    try:
        number = msgspec.msgpack.decode(body).get("number")
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        return None
    return number if isinstance(number, int) else None
