"""API keys: who may ask what. Files hold their hashes; the key itself is shown once, when it is made."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from moderation.errors import ModerationError
from moderation.service.limits import HttpError

SCOPES = ("decide", "explain", "metrics", "reload")
_PREFIX = "mk_"


class Key(msgspec.Struct, frozen=True):
    """A name, what it may do, and the SHA-256 of the key. A key is 256 random bits: no slower hash makes it safer."""

    name: str
    scopes: tuple[str, ...]
    sha256: str


class Keys:
    """All keys."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = tuple(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def check(self, headers: Mapping[bytes, bytes], scope: str) -> None:
        """Pass a request, by its headers, that may do something; without keys anybody may. Raises HttpError."""
        if not self._keys:
            return
        presented = headers.get(b"x-api-key", b"")
        if not presented:
            scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
            presented = token.strip() if scheme.lower() == b"bearer" else b""
        key = self.known(presented)
        if key is None:
            raise HttpError(401, "H401", "send a key that is known: `Authorization: Bearer KEY`")
        if scope not in key.scopes:
            raise HttpError(403, "H403", f"the key {key.name!r} may not {scope}")

    def known(self, presented: bytes) -> Key | None:
        """The key that was presented; in the same time whichever it is, or none."""
        digest = _digest(presented)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found


def read_keys(path: Path) -> Keys:
    """The keys of a file. Raises ModerationError where it cannot be read, or names a scope that there is not."""
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=list[Key])
    except OSError as error:
        raise ModerationError(f"cannot read {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModerationError(f"{path} is no file of keys: {error}; make one with `moderation keys`") from error
    for key in keys:
        _check(key.scopes)
    return Keys(keys)


def add_key(path: Path, name: str, scopes: Sequence[str]) -> str:
    """Make a key, write its hash into a file that only its owner reads, and return it. A name's earlier key ends."""
    _check(scopes)
    if not name.strip():
        raise ModerationError("a key needs a name, by which it is told in logs: moderation keys feed --file keys.json")
    existing = [key for key in read_keys(path)._keys if key.name != name] if path.exists() else []
    made = _PREFIX + secrets.token_urlsafe(32)
    content = msgspec.json.format(
        msgspec.json.encode([*existing, Key(name, tuple(scopes), _digest(made.encode()))]), indent=1
    )
    temporary = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content + b"\n")
        os.replace(temporary, path)
    except OSError as error:
        raise ModerationError(f"cannot write {path}: {error.strerror or error}") from error
    return made


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def _check(scopes: Sequence[str]) -> None:
    for scope in scopes:
        if scope not in SCOPES:
            raise ModerationError(f"there is no scope {scope!r}: choose of {', '.join(SCOPES)}")
