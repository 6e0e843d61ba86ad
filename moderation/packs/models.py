"""Model files: a linear classifier's weights as integers and a manifest that says what they are. Nothing in one runs.

A model is an `.npz` of four arrays: `weights` (int16, heads × 2^bits), `numbers` (float64, heads × 4: scale and
intercept of the sum, slope and offset of the calibration), `knots` (float64, knots × 3: the head, a logit, and what it
is calibrated to) and `manifest` (UTF-8 JSON as bytes), which holds a SHA-256 over all of it. A file that was changed,
cut off or made by something else is refused before any of it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "moderation-model/3"
MAX_BYTES = 32 << 20
MAX_HEADS = 60
MAX_KNOTS = 1 << 16
LIMIT = 127
"""Weights lie in [-LIMIT, LIMIT]: eight bits, of which three lanes fit what a float64 sums exactly."""

_MEMBERS = ("weights.npy", "numbers.npy", "knots.npy", "manifest.npy")
_MAX_UNPACKED = 256 << 20


class ModelError(ValueError):
    """A model file cannot be used: the message says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """One label definition: `category` is what it finds, `language` whose posts it was trained on.

    `operating` maps a precision to the least score that reaches it, out of fold and at the training data's share of
    positives; a precision that was not reached is left out.
    """

    category: str
    language: str
    definition: str
    operating: Mapping[str, float]

    @property
    def name(self) -> str:
        """`offence/zh`."""
        return f"{self.category}/{self.language}"


@dataclass(frozen=True)
class ModelFile:
    """A model as it stands in its file.

    The score of a post for head h is 1 / (1 + exp(-(slope * d + offset))), where d = scale * sum(weights) / sqrt(n) +
    intercept over its n n-grams; `numbers[h]` are (scale, intercept, slope, offset). `knots[h]`, which may be none, are
    (logit, calibrated logit), both ascending: a logit between two of them moves as they do, by as much as lies between,
    and one beyond them as the last does.
    """

    heads: tuple[Head, ...]
    weights: NDArray[np.int16]
    numbers: NDArray[np.float64]
    knots: tuple[NDArray[np.float64], ...]
    features: int
    digest: str

    @property
    def bits(self) -> int:
        """The table has 2^bits buckets."""
        return int(self.weights.shape[1]).bit_length() - 1

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """What the heads find, each once, in order."""
        return tuple(sorted({head.category for head in self.heads}))


def dump_model(
    heads: Sequence[Head],
    weights: NDArray[np.int16],
    numbers: NDArray[np.float64],
    features: int,
    knots: Sequence[NDArray[np.float64]] = (),
) -> tuple[bytes, str]:
    """A model as the bytes of a file, the same every time, and its digest."""
    plain = [
        {"category": h.category, "language": h.language, "definition": h.definition, "operating": dict(h.operating)}
        for h in heads
    ]
    manifest: dict[str, Any] = {"format": FORMAT, "features": features, "heads": plain}
    of = np.array([head for head, own in enumerate(knots) for _ in own], np.float64)
    table = np.column_stack((of, np.concatenate((np.zeros((0, 2)), *knots))))
    manifest["sha256"] = _digest(manifest, weights, numbers, table)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        allow_pickle=False,
        weights=weights,
        numbers=numbers,
        knots=table,
        manifest=np.frombuffer(_canonical(manifest), np.uint8),
    )
    return content.getvalue(), manifest["sha256"]


@lru_cache(maxsize=4)
def load_model(content: bytes) -> ModelFile:
    """Read and verify the bytes of a model file. Raises ModelError."""
    if len(content) > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES >> 20} MiB")
    arrays = _arrays(content)
    weights, numbers, table = arrays["weights.npy"], arrays["numbers.npy"], arrays["knots.npy"]
    manifest = _manifest(arrays["manifest.npy"])
    heads = _heads(manifest)
    _check_shapes(len(heads), weights, numbers)
    knots = _knots(len(heads), table)
    if manifest.get("sha256") != _digest(manifest, weights, numbers, table):
        raise ModelError("its contents don't match its SHA-256: it was changed or damaged; fetch or train it again")
    return ModelFile(heads, weights, numbers, knots, manifest["features"], manifest["sha256"])


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    if not content.startswith(b"PK\x03\x04"):
        raise ModelError("it is no model: not an .npz file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            if sorted(infos) != sorted(_MEMBERS) or len(archive.infolist()) != len(_MEMBERS):
                raise ModelError(f"it is no model: it holds {', '.join(sorted(infos))[:80] or 'nothing'}")
            if sum(info.file_size for info in infos.values()) > _MAX_UNPACKED:
                raise ModelError(f"it unpacks to more than {_MAX_UNPACKED >> 20} MiB")
            return {name: _array(archive.read(name)) for name in _MEMBERS}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"it is damaged: {error}") from None


def _array(content: bytes) -> NDArray[Any]:
    try:
        return np.asarray(np.lib.format.read_array(io.BytesIO(content), allow_pickle=False))
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise ModelError(f"it is damaged: {error}") from None


def _manifest(content: NDArray[Any]) -> dict[str, Any]:
    if content.dtype != np.uint8 or content.ndim != 1:
        raise ModelError("it is no model: its manifest is no text")
    try:
        manifest = json.loads(content.tobytes())
    except (ValueError, RecursionError):
        raise ModelError("it is no model: its manifest is not JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        said = manifest.get("format") if isinstance(manifest, dict) else None
        raise ModelError(f"it is a model of another format ({said!r}), not {FORMAT!r}")
    if type(manifest.get("features")) is not int:
        raise ModelError("its manifest does not say which features it was trained on")
    return manifest


def _heads(manifest: Mapping[str, Any]) -> tuple[Head, ...]:
    try:
        return tuple(
            Head(
                str(item["category"]),
                str(item["language"]),
                str(item["definition"]),
                {str(precision): float(score) for precision, score in item["operating"].items()},
            )
            for item in manifest["heads"]
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError("its manifest does not say what its heads are") from None


def _check_shapes(heads: int, weights: NDArray[Any], numbers: NDArray[Any]) -> None:
    if not 1 <= heads <= MAX_HEADS:
        raise ModelError(f"it has {heads} heads, and 1 to {MAX_HEADS} can be served")
    if weights.dtype != np.int16 or weights.ndim != 2 or len(weights) != heads:
        raise ModelError("its weights are not int16, heads × buckets")
    buckets = weights.shape[1]
    if not 1 << 8 <= buckets <= 1 << 24 or buckets & (buckets - 1):
        raise ModelError(f"its weights have {buckets} buckets, not a power of two")
    if int(weights.min()) < -LIMIT or int(weights.max()) > LIMIT:
        raise ModelError(f"its weights go beyond ±{LIMIT}")
    if numbers.dtype != np.float64 or numbers.shape != (heads, 4) or not np.isfinite(numbers).all():
        raise ModelError("its calibration is not four finite numbers a head")


def _knots(heads: int, table: NDArray[Any]) -> tuple[NDArray[np.float64], ...]:
    """By head (logit, calibrated logit), after a look at whether scores keep their order by them."""
    if table.dtype != np.float64 or table.ndim != 2 or table.shape[1] != 3 or len(table) > MAX_KNOTS:
        raise ModelError("its knots are not float64, knots × 3")
    of = table[:, 0]
    knots = tuple(np.ascontiguousarray(table[of == head, 1:]) for head in range(heads))
    in_order = bool((of[1:] >= of[:-1]).all()) and sum(map(len, knots)) == len(table)
    if not np.isfinite(table).all() or not in_order or not all((own[1:] > own[:-1]).all() for own in knots):
        raise ModelError("its knots do not ascend head by head")
    return knots


def _digest(manifest: Mapping[str, Any], *arrays: NDArray[Any]) -> str:
    said = {key: value for key, value in manifest.items() if key != "sha256"}
    digest = hashlib.sha256(_canonical(said))
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"sha256:{digest.hexdigest()}"


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
