"""Builds the table of the Latin alphabet: `python -m moderation.language.build_latin FOLDER`.

FOLDER is that of lingua's language models (lingua-language-detector 1.3, Apache-2.0), `lingua/language-models` in its
wheel: how often each letter follows each one to four others inside words of the Leipzig Corpora Collection (CC BY
4.0). What they leave to no letter at all is the end of a word, what no letter leads up to its beginning. So they say
how words begin and end too, which tells most about a language. From them and the lists of common words in `words/`,
an interpolated model of five letters (Witten and Bell, 1991) is made for each language, and of its n-grams those are
kept that change most about which language is likely. Needs brotli, and pypinyin for the phrases of zh-Latn.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.language.build_tables import Arrays, alphabet, gram_symbol, read_profiles
from moderation.language.glyphs import ASCII_LETTERS, SYMBOL_BITS, SYMBOLS
from moderation.language.latin import CEILING, ORDER, SCALE, UNDETERMINED
from moderation.text import classes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Counts = tuple[Ints, Floats]

# The first are most often asked for; those after `und` are known so that they are not taken for one of the others.
LANGUAGES: tuple[str, ...] = (
    "en", "es", "pt", "fr", "de", "it", "id", "vi", "tr", "zh-Latn", "hi-Latn", "und",
    "af", "az", "ca", "cs", "cy", "da", "eo", "et", "eu", "fi", "ga", "hr", "hu", "is", "lt", "lv", "nl", "no", "pl",
    "ro", "sk", "sl", "so", "sq", "sv", "sw", "tl",
)  # fmt: skip
_OF_LISTS = ("zh-Latn", "hi-Latn", "und")
_FILES = ("unigrams", "bigrams", "trigrams", "quadrigrams", "fivegrams")

# Letters that a model was counted on: lingua's (about), and what a list or the phrases are worth.
_LETTERS = 2e7
_LETTERS_OF_LIST = 3e4
_COMMON = 0.15  # what a list of common words counts beside lingua's text
_RANK = 20
_RANDOM = 0.3  # how much of `und` is random letters
_FLOOR = 1e-3  # how much of any model is letters that come as they like
_RAREST = 3e-7
_KEPT: Mapping[int, int] = {3: 34_000, 4: 44_000, 5: 52_000}
_ASKED_FOR = 16.0  # the first languages weigh more in what is kept
_RARE = 0.75  # how n-grams weigh by frequency: those of rare words matter too


def build(folder: Path) -> Arrays:
    """The arrays of latin.npz.

    `pairs` has a row for each key of two symbols, `odds` for each of `grams` (keys of `lengths` symbols; 0 stands for a
    word's edge); a column a language. A value is log-probability of the last symbol after the others, in units of
    1/SCALE nat below that of the likeliest language, from CEILING (that one) down to 0.
    """
    symbols = alphabet(classes.LATIN, read_profiles())
    models = [_Model.of(_counts(language, folder, symbols), language) for language in LANGUAGES]
    kept = {order: _kept(models, order) for order in range(3, ORDER + 1)}
    odds = [_odds(models, keys, order) for order, keys in kept.items()]
    return {
        "languages": np.array(LANGUAGES),
        "pairs": _odds(models, np.arange(SYMBOLS * SYMBOLS), 2),
        "lengths": np.concatenate([np.full(len(keys), order, np.uint8) for order, keys in kept.items()]),
        "grams": np.concatenate(list(kept.values())).astype(np.uint32),
        "odds": np.concatenate(odds),
    }


def _counts(language: str, folder: Path, symbols: Mapping[str, int]) -> dict[int, Counts]:
    listed = _listed(language, symbols)
    if language in _OF_LISTS:
        return listed
    counts = _with_edges(_read_lingua(folder / {"no": "nb"}.get(language, language), symbols))
    return _mixed(counts, listed, _COMMON) if listed[1][0].size else counts


def _read_lingua(folder: Path, symbols: Mapping[str, int]) -> dict[int, Counts]:
    """Shares of the n-grams inside words, by length: the models hold each letter's share after those before it."""
    import brotli

    before: dict[str, float] = {"": 1.0}
    result = {}
    for order, name in enumerate(_FILES, 1):
        shares: dict[str, float] = {}
        for fraction, grams in json.loads(brotli.decompress((folder / f"{name}.json.br").read_bytes()))[
            "ngrams"
        ].items():
            over, under = map(int, fraction.split("/"))
            shares.update((gram, over / under * before.get(gram[:-1], 0.0)) for gram in grams.split(" "))
        result[order] = _summed((_key(gram, symbols), share) for gram, share in shares.items())
        before = shares
    return result


def _key(gram: str, symbols: Mapping[str, int]) -> int | None:
    key = 0
    for character in gram:
        symbol = gram_symbol(ord(character), classes.LATIN, symbols)
        if not symbol:
            return None
        key = key << SYMBOL_BITS | symbol
    return key


def _summed(pairs: Iterable[tuple[int | None, float]]) -> Counts:
    known = [(key, share) for key, share in pairs if key is not None]
    return _merged([np.array([key for key, _ in known], np.int64)], [np.array([share for _, share in known])])


def _merged(keys: list[Ints], shares: list[Floats]) -> Counts:
    """Keys in order, each once."""
    found, where = np.unique(np.concatenate(keys), return_inverse=True)
    return found, np.bincount(where, np.concatenate(shares), len(found)).astype(np.float64)


def _with_edges(inside: Mapping[int, Counts]) -> dict[int, Counts]:
    """Counts of n-grams over letters and edges from those of letters inside words."""
    parts: dict[int, list[Counts]] = {order: [inside[order]] for order in inside}
    starting: dict[int, Floats] = {}
    for order in range(1, ORDER):
        keys, shares = inside[order]
        longer, of_longer = inside[order + 1]
        starting[order] = _left(keys, shares, longer & (1 << SYMBOL_BITS * order) - 1, of_longer)
        parts[order + 1].append((keys, starting[order]))
        parts[order + 1].append((keys << SYMBOL_BITS, _left(keys, shares, longer >> SYMBOL_BITS, of_longer)))
    for order in range(1, ORDER - 1):  # whole words
        keys = inside[order][0]
        whole = _left(keys, starting[order], inside[order + 1][0] >> SYMBOL_BITS, starting[order + 1])
        parts[order + 2].append((keys << SYMBOL_BITS, whole))
    words = np.array([starting[1].sum()])
    parts[1].append((np.zeros(1, np.int64), words))
    return {order: _merged(*map(list, zip(*found, strict=True))) for order, found in parts.items()}


def _left(keys: Ints, shares: Floats, of: Ints, taken: Floats) -> Floats:
    """What is left of the shares when those of longer n-grams are taken off."""
    where = np.searchsorted(keys, of)
    where[where == len(keys)] = 0
    known = keys[where] == of
    return np.maximum(shares - np.bincount(where[known], taken[known], len(keys)), 0.0)


def _listed(language: str, symbols: Mapping[str, int]) -> dict[int, Counts]:
    path = Path(__file__).parent / "words" / f"{language}.txt"
    listed = path.read_text("utf-8").replace("'", " ").split() if path.exists() else []
    words = dict.fromkeys(word for word in listed if word.isalpha())
    even = language == UNDETERMINED  # names come and go: none is the most frequent
    weights = Counter[str]({word: 1.0 if even else 1 / (rank + _RANK) for rank, word in enumerate(words)})
    if language == "zh-Latn":
        weights = _shared_out(weights, _pinyin())
    counts: dict[int, dict[int, float]] = {order: {} for order in range(1, ORDER + 1)}
    letters = sum(weight * len(word) for word, weight in weights.items())
    for word, weight in weights.items():
        codes = [0, *(gram_symbol(ord(one), classes.LATIN, symbols) or 0 for one in word), 0]
        for order, found in counts.items():
            for start in range(order == 1, len(codes) - order + 1):
                key = 0
                for symbol in codes[start : start + order]:
                    key = key << SYMBOL_BITS | symbol
                found[key] = found.get(key, 0.0) + weight / letters
    return {order: _summed(found.items()) for order, found in counts.items()}


def _pinyin() -> Counter[str]:
    """Syllables, and phrases of two syllables written as one word: how people write pinyin without tones."""
    from pypinyin.constants import PHRASES_DICT
    from pypinyin.contrib.tone_convert import to_normal

    phrases = [[to_normal(one[0]).replace("ü", "v") for one in readings] for readings in PHRASES_DICT.values()]
    syllables = Counter(chain.from_iterable(phrases))
    words = Counter("".join(phrase) for phrase in phrases if len(phrase) == 2)
    return _shared_out(syllables, words)


def _shared_out(first: Counter[str], second: Counter[str]) -> Counter[str]:
    """Both, as much of the one as of the other."""
    totals = first.total(), second.total()
    joined = Counter({word: weight / totals[0] for word, weight in first.items()})
    joined.update({word: weight / totals[1] for word, weight in second.items()})
    return joined


def _mixed(first: Mapping[int, Counts], second: Mapping[int, Counts], part: float) -> dict[int, Counts]:
    return {
        order: _merged([keys, second[order][0]], [shares * (1 - part), second[order][1] * part])
        for order, (keys, shares) in first.items()
    }


@dataclass(frozen=True, slots=True)
class _Model:
    """How likely each symbol is after up to four others: counts by order, and by order what stands before a symbol."""

    counts: Mapping[int, Counts]
    before: Mapping[int, tuple[Ints, Floats, Floats]]
    letters: float
    random: float

    @classmethod
    def of(cls, counts: Mapping[int, Counts], language: str) -> _Model:
        before = {}
        for order in range(2, ORDER + 1):
            keys, where = np.unique(counts[order][0] >> SYMBOL_BITS, return_inverse=True)
            seen = np.bincount(where, counts[order][1]).astype(np.float64)
            before[order] = keys, seen, np.bincount(where).astype(np.float64)
        listed = language in _OF_LISTS
        return cls(counts, before, _LETTERS_OF_LIST if listed else _LETTERS, _RANDOM if language == "und" else 0.0)

    def shares(self, keys: Ints, order: int) -> Floats:
        """The shares of n-grams."""
        return _looked_up(*self.counts[order], keys)

    def logs(self, keys: Ints, order: int) -> Floats:
        """Log-probability of the last symbol of each key after the others."""
        last = keys & SYMBOLS - 1
        likely = self.shares(last, 1) / self.counts[1][1].sum() * (1 - _FLOOR) + _FLOOR / SYMBOLS
        for length in range(2, order + 1):
            part = keys & (1 << SYMBOL_BITS * length) - 1
            contexts, seen, kinds = self.before[length]
            count = _looked_up(contexts, seen, part >> SYMBOL_BITS) * self.letters
            trusted = count / np.maximum(count + _looked_up(contexts, kinds, part >> SYMBOL_BITS), 1e-12)
            share = self.shares(part, length) * self.letters / np.maximum(count, 1e-12)
            likely = trusted * share + (1 - trusted) * likely
        any_letter = (last <= ASCII_LETTERS) / (ASCII_LETTERS + 1)
        logs: Floats = np.log(likely * (1 - self.random) + self.random * any_letter)
        return logs


def _looked_up(keys: Ints, values: Floats, wanted: Ints) -> Floats:
    where = np.searchsorted(keys, wanted)
    where[where == len(keys)] = 0
    found: Floats = np.where(keys[where] == wanted, values[where], 0.0)
    return found


def _kept(models: list[_Model], order: int) -> Ints:
    """The n-grams that tell most that the next shorter ones do not."""
    frequent = [model.counts[order][0][model.counts[order][1] > _RAREST] for model in models]
    keys = np.unique(np.concatenate(frequent))
    told = np.stack([model.logs(keys, order) - model.logs(keys, order - 1) for model in models], axis=1)
    told -= np.median(told, axis=1, keepdims=True)
    shares = np.stack([model.shares(keys, order) for model in models], axis=1)
    shares[:, : LANGUAGES.index("und") + 1] *= _ASKED_FOR
    gain = (shares**_RARE * np.abs(told)).sum(axis=1)
    return np.sort(keys[np.argsort(-gain, kind="stable")[: _KEPT[order]]])


def _odds(models: list[_Model], keys: Ints, order: int) -> NDArray[np.uint8]:
    logs = np.stack([model.logs(keys, order) for model in models], axis=1)
    below = (logs - logs.max(axis=1, keepdims=True)) * SCALE
    odds: NDArray[np.uint8] = np.clip(np.rint(below) + CEILING, 0, CEILING).astype(np.uint8)
    return odds


def main(arguments: list[str]) -> Any:
    """Build and write the table."""
    path = Path(__file__).parent / "tables" / "latin.npz"
    np.savez_compressed(path, **build(Path(arguments[0])))  # type: ignore[arg-type]
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
