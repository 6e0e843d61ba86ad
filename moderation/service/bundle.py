"""Rules in one file that can be signed: a tar with a manifest of hashes, and an Ed25519 signature of the manifest.

Nothing of a bundle is unpacked to disk. Hashes and signature are checked before any file of it is read as rules.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from moderation.errors import ModerationError

SUFFIX = ".bundle"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = 1
LARGEST_FILE, LARGEST, MOST_FILES = 16 << 20, 64 << 20, 5000


class BundleError(ModerationError):
    """A bundle is not what it should be: not signed by the key, changed, cut off, or no bundle at all."""


class Manifest(msgspec.Struct, frozen=True):
    """What a bundle holds: the SHA-256 of every file by its path, and the fingerprint of the engine that they make."""

    format: int
    engine: str
    files: dict[str, str]


def is_bundle(path: Path) -> bool:
    """Whether a path names a bundle, by its ending."""
    return path.name.endswith(SUFFIX)


def write_bundle(path: Path, sources: Mapping[str, bytes], fingerprint: str, private_key: bytes | None = None) -> None:
    """Write files (by path relative to the rules folder) as a bundle, signed if there is a private key (PEM).

    The same files, fingerprint and key give the same bytes.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(sources.items())}
    manifest = msgspec.json.format(msgspec.json.encode(Manifest(FORMAT, fingerprint, hashes)), indent=1)
    parts = {MANIFEST: manifest}
    if private_key is not None:
        parts[SIGNATURE] = _private(private_key).sign(manifest)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in (*parts.items(), *((f"rules/{name}", sources[name]) for name in hashes)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(buffer.getvalue())
    temporary.replace(path)


def read_bundle(path: Path, public_key: bytes | None = None) -> dict[str, bytes]:
    """The files of a bundle by path; with a public key (PEM) only if that key signed it. Raises BundleError."""
    parts = _parts(path)
    manifest = parts.pop(MANIFEST, None)
    signature = parts.pop(SIGNATURE, None)
    if manifest is None:
        raise BundleError(f"{path} holds no {MANIFEST}: make it with `moderation bundle`")
    if public_key is not None:
        _verify(path, manifest, signature, public_key)
    try:
        told = msgspec.json.decode(manifest, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: its {MANIFEST} cannot be read: {error}") from error
    if told.format != FORMAT:
        raise BundleError(f"{path} is of format {told.format}, and this version reads {FORMAT}")
    found = {name.removeprefix("rules/"): content for name, content in parts.items()}
    if found.keys() != told.files.keys():
        odd = sorted(found.keys() ^ told.files.keys())
        raise BundleError(f"{path}: {odd[0]!r} is not both in the bundle and in its {MANIFEST}")
    for name, content in found.items():
        if hashlib.sha256(content).hexdigest() != told.files[name]:
            raise BundleError(f"{path}: {name!r} was changed after the bundle was made")
    return found


def new_keys() -> tuple[bytes, bytes]:
    """A private and a public key (PEM). Raises ModerationError where `cryptography` is not installed."""
    serialization = _cryptography("hazmat.primitives.serialization")
    key = _cryptography("hazmat.primitives.asymmetric.ed25519").Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def _parts(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        if path.stat().st_size > LARGEST:
            raise BundleError(f"{path} is larger than {LARGEST >> 20} MiB")
        with tarfile.open(path, mode="r:") as tar:
            for entry in tar:
                _check_entry(path, entry, found)
                content = tar.extractfile(entry)
                found[entry.name] = content.read() if content is not None else b""
    except (tarfile.TarError, EOFError) as error:
        raise BundleError(f"{path} is no bundle, or was cut off: {error}") from error
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror or error}") from error
    return found


def _check_entry(path: Path, entry: tarfile.TarInfo, found: Mapping[str, bytes]) -> None:
    """Plain files only, inside of `rules/`: no links, no way out, nothing twice, nothing huge."""
    name = entry.name
    inside = name.startswith("rules/") and not {"", ".", ".."} & set(name.split("/")) and "\\" not in name
    # A sparse file may say that it holds more than the whole bundle.
    if not entry.isreg() or entry.issparse() or not (inside or name in (MANIFEST, SIGNATURE)):
        raise BundleError(f"{path} holds {name!r}, which is no file of rules")
    if name in found or len(found) > MOST_FILES or entry.size > LARGEST_FILE:
        raise BundleError(f"{path}: {name!r} is there twice, is too large, or is one of too many")


def _verify(path: Path, manifest: bytes, signature: bytes | None, public_key: bytes) -> None:
    if signature is None:
        raise BundleError(f"{path} is not signed, and a public key is set: sign it with `moderation bundle --sign KEY`")
    invalid = _cryptography("exceptions").InvalidSignature
    try:
        _public(public_key).verify(signature, manifest)
    except invalid:
        raise BundleError(f"{path} is not signed by this key, or was changed since") from None


def _private(pem: bytes) -> Any:
    return _key(pem, "load_pem_private_key", "Ed25519PrivateKey", password=None)


def _public(pem: bytes) -> Any:
    return _key(pem, "load_pem_public_key", "Ed25519PublicKey")


def _key(pem: bytes, load: str, kind: str, **options: None) -> Any:
    try:
        key = getattr(_cryptography("hazmat.primitives.serialization"), load)(pem, **options)
    except (ValueError, TypeError) as error:
        raise ModerationError(f"not a key in PEM without a password: {error}") from error
    if not isinstance(key, getattr(_cryptography("hazmat.primitives.asymmetric.ed25519"), kind)):
        raise ModerationError("not an Ed25519 key: make one with `moderation bundle --new-key FILE`")
    return key


def _cryptography(module: str) -> Any:
    try:
        return import_module(f"cryptography.{module}")
    except ImportError as error:
        raise ModerationError("signing needs the package cryptography: pip install 'moderation[service]'") from error
