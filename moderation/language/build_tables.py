"""Builds the shipped tables from langdetect's profiles: `python -m moderation.language.build_tables`.

The profiles (Apache-2.0) count 1-, 2- and 3-grams of Wikipedia texts by language. Here those of Cyrillic, Arabic and
Devanagari become log-odds over alphabets of at most 63 symbols, one table an alphabet, with letters that are one to a
reader counted together. People talk otherwise than Wikipedia: the lists in `words/` of what they say most, by
frequency, are mixed in. The Latin alphabet has a table of its own, which `build_latin` builds.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.language.glyphs import ASCII_LETTERS, SILENT, SYMBOL_BITS, SYMBOLS, TRIGGER, WEAK
from moderation.language.ngrams import ALPHABETS, SCALE
from moderation.text import classes
from moderation.text.scripts import kind_of, script_of

Arrays = dict[str, NDArray[Any]]
Gram = tuple[int, int]
Shares = Mapping[Gram, float]

# Ordered: the first is what text in the alphabet most likely is.
LANGUAGES_OF: Mapping[int, tuple[str, ...]] = {
    classes.CYRILLIC: ("ru", "uk", "bg", "mk"),
    classes.ARABIC: ("ar", "fa", "ur"),
    classes.DEVANAGARI: ("hi", "mr", "ne"),
}  # fmt: skip

OTHER = SYMBOLS - 1
# Latin letters with a symbol of their own; all others share OTHER, but Vietnamese tone letters share one too.
ACCENTED = "áàâãäçéèêëíìîïñóòôõöúùûüßğışăđơưýœ"
VIETNAMESE = range(0x1EA0, 0x1EFA)
SAME_LETTER = {"ș": "ş"}
# langdetect counts Persian and Urdu yeh as Arabic yeh; those languages write their own.
YEH, FARSI_YEH = "ي", "ی"

# Probability of an n-gram that a profile does not hold: langdetect's own.
UNSEEN = 0.5 / 10_000
# How much a list of common words counts beside a profile; how slowly a word's frequency falls with its rank.
COMMON = 0.5
RANK = 20

# Drawn with in faces, or, like の and ー, written in other languages for their looks.
WEAK_KANA = "のノツシヽヾゝヮーﾉﾂｼｰ"
WEAK_HAN = "益皿乁艹冖"
JAMO = (range(0x1100, 0x1200), range(0x3131, 0x318F), range(0xFFA0, 0xFFDD))

TATWEEL = 0x640
TRIGGERS = {"@": "@＠", "#": "#＃", ":": ":", ".": "."}


def letter(code: int) -> str:
    """The letter that a code point is to n-grams: compatibility forms and case folded."""
    return unicodedata.normalize("NFKC", chr(code)).lower()[:1]


def read_profiles() -> dict[str, dict[str, Any]]:
    """The profiles of all languages that are told apart by letters and have one."""
    folder = files("langdetect") / "profiles"
    languages = [language for group in LANGUAGES_OF.values() for language in group]
    return {name: json.loads((folder / name).read_text("utf-8")) for name in languages}


def is_letter(code: int) -> bool:
    """Whether a code point of a script counts as text: digits and marks that scripts share do not."""
    return bool(script_of[code]) and unicodedata.category(chr(code)) not in ("Nd", "Cn", "Co")


def alphabet(script: int, profiles: Mapping[str, Any]) -> dict[str, int]:
    """Symbol by letter: for Latin a to z and the accents listed, else the letters that the profiles count most."""
    if script == classes.LATIN:
        symbols = {chr(97 + index): index + 1 for index in range(ASCII_LETTERS)}
        return symbols | {accented: ASCII_LETTERS + 1 + index for index, accented in enumerate(ACCENTED)}
    counts: dict[str, float] = defaultdict(float)
    for language in LANGUAGES_OF[script]:
        total = profiles[language]["n_words"][0]
        for gram, count in profiles[language]["freq"].items():
            if len(gram) == 1 and script_of[ord(gram)] == script and is_letter(ord(gram)):
                counts[letter(ord(gram))] += count / total
    if script == classes.ARABIC:
        counts[FARSI_YEH] = counts[YEH]
    return {
        name: index + 1 for index, name in enumerate(sorted(counts, key=counts.__getitem__, reverse=True)[: OTHER - 1])
    }


def build_glyphs(alphabets: Mapping[int, Mapping[str, int]]) -> Arrays:
    """The arrays of glyphs.npz: runs of equal glyphs, and the symbols of letters composed with marks."""
    glyphs = [_glyph(code, alphabets) for code in range(len(script_of))]
    runs = [(next(run)[0], value) for value, run in groupby(enumerate(glyphs), key=lambda pair: pair[1])]
    starts, values = zip(*runs, strict=True)
    return {
        "starts": np.array(starts, np.uint32),
        "values": np.array(values, np.uint16),
        "composed": _composed(alphabets[classes.LATIN]),
        "unicode": np.array(unicodedata.unidata_version),
    }


def _glyph(code: int, alphabets: Mapping[int, Mapping[str, int]]) -> int:
    for index, same in enumerate(TRIGGERS.values()):
        if chr(code) in same:
            return TRIGGER | index
    if not script_of[code]:
        return _shared(code, alphabets[classes.LATIN])
    if not is_letter(code):
        return 0
    script = classes.HAN if script_of[code] == classes.BOPOMOFO else int(script_of[code])
    symbol = _symbol(code, alphabets[script]) if script in alphabets else _weak(code)
    return script << SYMBOL_BITS | symbol


def _weak(code: int) -> int:
    if any(code in jamo for jamo in JAMO):
        return WEAK
    return (WEAK_KANA + WEAK_HAN).find(chr(code)) + WEAK


def _shared(code: int, latin: Mapping[str, int]) -> int:
    """A code point of no script: invisible, a styled letter, or neutral."""
    if code == TATWEEL or kind_of[code] == classes.MARK or unicodedata.category(chr(code)) == "Cf":
        return SILENT
    styled = unicodedata.normalize("NFKC", chr(code)).lower()
    return classes.LATIN << SYMBOL_BITS | latin[styled] if styled in latin and styled.isascii() else 0


def _symbol(code: int, symbols: Mapping[str, int]) -> int:
    if code in VIETNAMESE:
        return OTHER - 1
    name = letter(code)
    return symbols.get(SAME_LETTER.get(name, name), OTHER)


def _composed(latin: Mapping[str, int]) -> NDArray[np.uint8]:
    table = np.zeros((SYMBOLS, 0x70), np.uint8)
    for name, symbol in latin.items():
        for mark in range(0x70):
            both = unicodedata.normalize("NFC", name + chr(0x300 + mark))
            if len(both) == 1:
                table[symbol, mark] = _symbol(ord(both), latin)
    return table


def build_ngrams(script: int, symbols: Mapping[str, int], profiles: Mapping[str, Any]) -> Arrays:
    """Log-odds by n-gram and language, in units of 1/SCALE nat over the probability of an n-gram never seen.

    `grams` are keys of three symbols (0 stands for a word's edge, and before the first of a shorter n-gram), ordered
    by length; `odds` has a row for each and a column a language.
    """
    languages = LANGUAGES_OF[script]
    rows: dict[Gram, NDArray[np.float64]] = {}
    for column, language in enumerate(languages):
        for gram, share in _shares(language, profiles, script, symbols).items():
            rows.setdefault(gram, np.zeros(len(languages)))[column] = share
    order = sorted(rows)
    odds = np.rint(np.log(np.array([rows[gram] for gram in order]) / UNSEEN + 1) * SCALE).astype(np.uint8)
    kept = odds.any(axis=1)
    return {
        "languages": np.array(languages),
        "lengths": np.array([length for length, _ in order], np.uint8)[kept],
        "grams": np.array([key for _, key in order], np.uint32)[kept],
        "odds": odds[kept],
    }


def _shares(language: str, profiles: Mapping[str, Any], script: int, symbols: Mapping[str, int]) -> Shares:
    """How frequent each n-gram is among those of its length: in the profile, mixed with those of common words."""
    words = _word_shares(language, script, symbols)
    profile = _profile_shares(language, profiles[language], script, symbols)
    return _mixed(profile, words, COMMON) if words else profile


def _mixed(first: Shares, second: Shares, part: float) -> Shares:
    grams = first.keys() | second.keys()
    return {gram: (1 - part) * first.get(gram, 0.0) + part * second.get(gram, 0.0) for gram in grams}


def _profile_shares(language: str, profile: Mapping[str, Any], script: int, symbols: Mapping[str, int]) -> Shares:
    counts: dict[Gram, float] = defaultdict(float)
    for written, count in profile["freq"].items():
        spelled = written.replace(YEH, FARSI_YEH) if language in ("fa", "ur") else written
        gram = _gram([gram_symbol(ord(one), script, symbols) for one in spelled])
        if gram:
            counts[gram] += count / profile["n_words"][gram[0] - 1]
    return counts


def _word_shares(language: str, script: int, symbols: Mapping[str, int]) -> Shares:
    path = Path(__file__).parent / "words" / f"{language}.txt"
    words = dict.fromkeys(path.read_text("utf-8").replace("'", " ").split()) if path.exists() else {}
    counts: dict[Gram, float] = defaultdict(float)
    for rank, word in enumerate(words):
        codes = [0, *(gram_symbol(ord(one), script, symbols) for one in word), 0]
        for length in (1, 2, 3):
            grams = (_gram(codes[start : start + length]) for start in range(len(codes) - length + 1))
            for gram in filter(None, grams):
                counts[gram] += 1 / (rank + RANK)
    totals = [sum(count for gram, count in counts.items() if gram[0] == length) for length in (1, 2, 3)]
    return {gram: count / totals[gram[0] - 1] for gram, count in counts.items()}


def _gram(codes: Sequence[int | None]) -> Gram | None:
    """Length and key of an n-gram; none where it holds anything but letters and edges, or is an edge on both sides."""
    if None in codes or not any(codes) or (len(codes) == 3 and not codes[1]):
        return None
    key = 0
    for symbol in codes:
        key = key << SYMBOL_BITS | (symbol or 0)
    return len(codes), key


def gram_symbol(code: int, script: int, symbols: Mapping[str, int]) -> int | None:
    """The symbol of a letter of a script, 0 for a word's edge, None for anything else."""
    if code == ord(" "):
        return 0
    return _symbol(code, symbols) if script_of[code] == script and is_letter(code) else None


def build_all() -> dict[str, Arrays]:
    """All tables by file name."""
    profiles = read_profiles()
    alphabets = {script: alphabet(script, profiles) for script in (classes.LATIN, *ALPHABETS)}
    tables = {name: build_ngrams(script, alphabets[script], profiles) for script, name in ALPHABETS.items()}
    return {"glyphs": build_glyphs(alphabets), **tables}


def write_tables(folder: Path) -> None:
    """Build all tables and write them as npz files."""
    for name, arrays in build_all().items():
        np.savez_compressed(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        print(f"{folder / name}.npz: {(folder / f'{name}.npz').stat().st_size:,} bytes")


if __name__ == "__main__":
    write_tables(Path(__file__).parent / "tables")
