"""Messages between a service and the process that judges for it: MessagePack behind a length and a number.

A reply bears the number of what it answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from moderation.decision import Decision
from moderation.errors import ModerationError
from moderation.post import Post, PostId
from moderation.service.tally import Tally

_HEAD, _LENGTH = 8, 4
_TEXTS = {str}
_SURROGATES = re.compile("[\ud800-\udfff]")
LARGEST = 1 << 30
NUMBERS = (1 << 32) - 1
"""The bits of a number."""


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
    """Posts to judge. Who asks for it (`soon`) is told when only the answer is left to be written."""

    posts: list[Post]
    soon: bool = False


class Judged(msgspec.Struct, tag=True):
    """Their decisions, in order."""

    decisions: list[Decision]


class JudgeJson(msgspec.Struct, tag=True):
    """Posts to judge as JSON, one in each body, or with `many` perhaps a list; `ids` are for posts without one."""

    bodies: list[bytes]
    ids: list[str | None] | None = None
    many: bool = False
    soon: bool = False


class Said(msgspec.Struct, tag=True, frozen=True):
    """The JSON that answers a body, and the id of its post if it holds one."""

    json: bytes
    id: PostId = None


class Unread(msgspec.Struct, tag=True, frozen=True):
    """What is wrong with a body, as PostError says it."""

    code: str
    message: str


class JudgedJson(msgspec.Struct, tag=True):
    """The answers to bodies, in order, what they come to, and the fingerprint of what judged."""

    answers: list[Said | Unread]
    tally: Tally
    engine: str


class Soon(msgspec.Struct, tag=True):
    """All is judged, and only to be written: there is room for the next."""


class Explain(msgspec.Struct, tag=True):
    """A post to explain."""

    post: Post


class Explained(msgspec.Struct, tag=True):
    """The explanation as JSON."""

    json: bytes


class Refused(msgspec.Struct, tag=True):
    """A request that failed, and why."""

    message: str


Request = Setup | Judge | JudgeJson | Explain
Reply = Ready | Failed | Judged | JudgedJson | Explained | Soon | Refused

_encoder = msgspec.msgpack.Encoder(enc_hook=str)
requests = msgspec.msgpack.Decoder(Request)
replies = msgspec.msgpack.Decoder(Reply)


class FrameError(ModerationError):
    """The other side sent something else than a message."""


def packed(message: Request | Reply, number: int = 0) -> bytes:
    """A message as bytes, with its head. Raises UnicodeEncodeError for a lone surrogate."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH, "big") + number.to_bytes(_LENGTH, "big") + body


def packed_safely(message: Request | Reply, number: int) -> bytes:
    """The same; lone surrogates, which no encoding holds, become U+FFFD, and numbers beyond 64 bits floats, or texts
    where they are ids.
    """
    try:
        return packed(message, number)
    except (UnicodeEncodeError, OverflowError):
        return packed(msgspec.convert(_mended(msgspec.to_builtins(message, enc_hook=str)), type(message)), number)


def named(post: Post) -> Post:
    """The post, its attributes' names being texts."""
    if set(map(type, post.attributes)) <= _TEXTS:
        return post
    return Post(post.id, post.fields, {str(name): value for name, value in post.attributes.items()})


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mended(key): _mended(_id(item) if key == "id" else item) for key, item in value.items()}
    if isinstance(value, int) and _is_long(value):
        return float(value) if abs(value) < 1 << 1000 else str(value)
    return [_mended(item) for item in value] if isinstance(value, list | tuple) else value


def _id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and _is_long(value) else value


def _is_long(value: int) -> bool:
    return not -(1 << 63) <= value < 1 << 64


class Splitter:
    """Takes bytes as they come and gives whole messages. Raises FrameError for a message of a size that none has."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The messages that are whole now, with their numbers."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _HEAD:
            size, number = _head(buffer)
            if len(buffer) < _HEAD + size:
                return
            body = bytes(memoryview(buffer)[_HEAD : _HEAD + size])
            del buffer[: _HEAD + size]
            yield number, body


def decoded(body: bytes, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """A message. Raises FrameError for what is none."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"not a message: {error}") from error


def read(stream: BinaryIO, decoder: msgspec.msgpack.Decoder[Any]) -> tuple[int, Any] | None:
    """The next message and its number; None where the other side has closed. Raises FrameError for what is none."""
    head = stream.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size, number = _head(head)
    body = stream.read(size)
    return None if len(body) < size else (number, decoded(body, decoder))


def _head(data: bytes | bytearray) -> tuple[int, int]:
    size = int.from_bytes(data[:_LENGTH], "big")
    if size > LARGEST:
        raise FrameError(f"a message of {size:,} bytes is larger than {LARGEST:,}")
    return size, int.from_bytes(data[_LENGTH:_HEAD], "big")
