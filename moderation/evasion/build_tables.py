"""Builds the tables of evasion: `python -m moderation.evasion.build_tables CHAIZI SCOWL` (needs the `dev` extra).

CHAIZI is chaizi-jt.txt of kfcd/chaizi, SCOWL a word list of SCOWL at size 35 (Debian's wamerican-small).
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import confusable_homoglyphs
import jieba
import numpy as np
import regex
from numpy.typing import NDArray
from pypinyin.contrib.tone_convert import to_normal
from pypinyin.pinyin_dict import pinyin_dict

from moderation.evasion.tables import read_lines
from moderation.evasion.words import spoken, word_key
from moderation.text.folding import fold, fold_all
from moderation.text.tables import CODE_POINTS

Arrays = dict[str, NDArray[np.generic]]
Decompositions = Mapping[str, list[tuple[str, ...]]]

_TABLES = Path(__file__).parent / "tables"
# Characters that are rarer than this in Chinese text take part in no table of shapes.
_KNOWN = 6000
_COMMON = 500
_COMMON_WORD = 300
# A word in the list that was counted as seldom as this is hardly one: 女马, 矢口.
_RARE = 5
_LOOKALIKES = 8
# Radicals that stand on the left: characters that differ in these only are taken for one another.
_LEFT = frozenset("亻彳讠氵冫扌木禾米礻衤日目月土王贝口女忄钅纟饣犭石虫阝马车弓巾火酉足艹")
# Strokes, which nobody types for a character.
_STROKES = frozenset("丨丿丶亅乛乚𠃊㇆丄乀乁龴𠔉⺄𠃌巜丷亠冖")
# Readings that most people use, where the dictionary puts another one first.
_READ = {
    "喔": "wo",
    "嗯": "en",
    "唔": "wu",
    "呣": "mu",
    "哼": "heng",
    "噷": "hen",
    "呒": "wu",
    "嗳": "ai",
    "〇": "ling",
}
# Modified Latin letters by their names: ƙ is LATIN SMALL LETTER K WITH HOOK.
_NAMED = regex.compile(
    r"LATIN (?:SMALL|CAPITAL|LETTER SMALL CAPITAL|SMALL CAPITAL|LETTER)(?: LETTER)?"
    r"(?: (?:CLOSED|OPEN|SCRIPT|INSULAR|DOTLESS|REVERSED|TURNED|SIDEWAYS|LONG|BLACKLETTER|LENIS|BARRED|HALF|STIRRUP))*"
    r" (?P<letter>[A-Z])(?: WITH .*)?"
)
# Scripts that people on a feed write. A letter of these is taken for a Latin one only beside others that are Latin.
_LIVING = regex.compile(r"[\p{Cyrillic}\p{Greek}\p{Armenian}\p{Thai}\p{Lao}\p{Hebrew}\p{Arabic}\p{Ethiopic}]")


def characters() -> Counter[str]:
    """How often each character stands in the words that jieba counted."""
    found: Counter[str] = Counter()
    for word, count in words().items():
        for character in word:
            found[character] += count
    return found


def words() -> dict[str, int]:
    """jieba's dictionary: words and how often each was counted."""
    lines = (Path(jieba.__file__).parent / "dict.txt").read_text("utf-8").splitlines()
    return {word: int(count) for word, count, _ in (line.split(" ") for line in lines)}


def build_sounds() -> Arrays:
    """sounds.npz: the toneless syllable of every character, and a second one where many people read it so."""
    first = {chr(code): _syllables(readings) for code, readings in pinyin_dict.items()}
    first |= {character: [reading] for character, reading in _READ.items()}
    plain = {character: found for character, found in first.items() if found and fold(character) == character}
    other = dict(line.split() for line in read_lines("readings.txt"))
    names = sorted({*other.values(), *(found[0] for found in plain.values())})
    number = {name: at for at, name in enumerate(names)}
    codes = sorted(map(ord, plain))
    second = [other.get(chr(code), plain[chr(code)][0]) for code in codes]
    return {
        "codes": np.array(codes, np.uint32),
        "first": np.array([number[plain[chr(code)][0]] for code in codes], np.uint16),
        "second": np.array([number[name] for name in second], np.uint16),
        "names": np.array(names),
    }


def _syllables(readings: str) -> list[str]:
    """ASCII syllables, ü as v, each once; interjections without a vowel are left out."""
    plain = (to_normal(reading).replace("ü", "v").replace("ê", "e") for reading in readings.split(","))
    return list(
        dict.fromkeys(name for name in plain if regex.fullmatch(r"[a-z]+", name) and regex.search("[aeiouv]", name))
    )


def build_shapes(decompositions: Decompositions) -> Arrays:
    """shapes.npz: by character, the parts that it falls into and the characters that look like it, as texts; and by two
    parts that are no word, sorted, the commonest character that they make.
    """
    rank = {character: at for at, (character, _) in enumerate(characters().most_common())}
    known = [c for c in rank if rank[c] < _KNOWN and regex.fullmatch(r"\p{Han}", c) and fold(c) == c]
    listed = {c: tuple(map(tuple, more)) for c, *more in map(str.split, read_lines("parts.txt"))}
    known += [c for c in listed if c not in known]
    parts = {c: _splits((*listed.get(c, ()), *decompositions.get(c, ()))) for c in known}
    alike = _lookalikes(known, decompositions, rank)
    said = {word for word, count in words().items() if count > _RARE}
    pairs = {each: c for c in reversed(known) for each in parts[c] if len(each) == 2 and each not in said}
    left, right, whole = zip(*sorted((*map(ord, pair), ord(c)) for pair, c in pairs.items()), strict=True)
    return {
        "left": np.array(left, np.uint32),
        "right": np.array(right, np.uint32),
        "whole": np.array(whole, np.uint32),
        "characters": np.array(known),
        "splits": np.array([" ".join(parts[c]) for c in known]),
        "lookalikes": np.array(["".join(alike.get(c, ())) for c in known]),
    }


def _splits(found: Iterable[tuple[str, ...]]) -> list[str]:
    """Decompositions into two or three parts that people would type, two parts first."""
    usable = [fold("".join(parts)) for parts in found if len(parts) in (2, 3) and _STROKES.isdisjoint(parts)]
    return list(dict.fromkeys(sorted((each for each in usable if len(each) in (2, 3)), key=len)))[:3]


def _lookalikes(known: list[str], decompositions: Decompositions, rank: Mapping[str, int]) -> dict[str, list[str]]:
    """Characters with another radical on the same side, or one other part of several, frequent ones first; before them
    those of the list.
    """
    sharing: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for character in known:
        for rest in _rests(character, decompositions):
            sharing[rest].add(character)
    groups: dict[str, dict[str, None]] = {character: {} for character in known}
    for group in read_lines("lookalikes.txt"):
        for character in group:
            groups.setdefault(character, {}).update(dict.fromkeys(other for other in group if other != character))
    for character in known:
        near = {other for rest in _rests(character, decompositions) for other in sharing[rest]} - {character}
        groups[character].update(dict.fromkeys(sorted(near, key=lambda each: rank.get(each, len(rank)))))
    return {character: list(found)[:_LOOKALIKES] for character, found in groups.items()}


def _rests(character: str, decompositions: Decompositions) -> Iterator[tuple[str, ...]]:
    """What is left where a radical on the left, or any of three and more parts, is another: 仓 of 枪, 彳山_攵 of 微."""
    yield ("", character)
    for parts in decompositions.get(character, ()):
        if len(parts) == 2 and parts[0] in _LEFT:
            yield ("", parts[1])
        elif len(parts) > 2:
            for at in range(len(parts)):
                yield (*parts[:at], "*", *parts[at + 1 :])


def build_words(english: Iterable[str]) -> Arrays:
    """words.npz: how common Chinese words sound, common English words, and the commonest characters."""
    counts = {word: count for word, count in words().items() if 2 <= len(word) <= 4 and count >= _COMMON_WORD}
    chinese = [fold(word) for word in sorted(counts, key=counts.__getitem__)]
    # Of words that sound alike the commonest comes last.
    sounding = sorted({word_key(spoken(word)): word_key(word) for word in chinese}.items())
    plain = {word for word in fold_all(list(english)) if regex.fullmatch(r"[a-z]{1,12}", word)}
    return {
        "spoken": np.array([sound for sound, _ in sounding], np.uint32),
        "spoken_word": np.array([word for _, word in sounding], np.uint32),
        "english": np.unique(np.array([word_key(word) for word in plain], np.uint32)),
        "characters": np.array(sorted(ord(c) for c, _ in characters().most_common(_COMMON)), np.uint32),
    }


def build_glyphs() -> Arrays:
    """glyphs.npz: the Latin letter that a letter of another script, or a modified Latin one, is taken for."""
    path = Path(confusable_homoglyphs.__file__).parent / "confusables.json"
    similar = json.loads(path.read_text("utf-8"))
    alike = {character: _letter(character, similar) for character in similar if _is_foreign(character)}
    found = {character: letter for character, letter in alike.items() if letter and fold(character) != letter}
    listed = {each: letter for letter, others in map(str.split, read_lines("glyphs.txt")) for each in others}
    more = {each: letter for each, letter in ({**_by_name(), **listed}).items() if each not in found}
    codes, letters = zip(*sorted((ord(each), ord(letter)) for each, letter in (found | more).items()), strict=True)
    return {
        "codes": np.array(codes, np.uint32),
        "letters": np.array(letters, np.uint8),
        "loose": np.array(sorted(ord(each) for each in more if _LIVING.match(each)), np.uint32),
    }


def _is_foreign(text: str) -> bool:
    return len(text) == 1 and not text.isascii() and regex.fullmatch(r"\p{L}", text) is not None


def _by_name() -> dict[str, str]:
    """Latin letters that no fold makes ASCII, by the letter that their name begins with."""
    characters = (chr(code) for code in range(0x80, CODE_POINTS) if not 0xD800 <= code < 0xE000)
    named = ((each, _NAMED.fullmatch(unicodedata.name(each, ""))) for each in characters if each.isalpha())
    return {each: name["letter"].lower() for each, name in named if name and not fold(each).isascii()}


def _letter(character: str, similar: Mapping[str, list[dict[str, str]]]) -> str | None:
    """The letter by the lower-case form where that looks like one, as І (like l) is read as i."""
    for each in dict.fromkeys((character.lower(), character)):
        letters = sorted({o["c"].lower() for o in similar.get(each, ()) if regex.fullmatch("[A-Za-z]", o["c"])})
        if len(letters) == 1 or (letters and each == character):
            return "i" if letters == ["i", "l"] else letters[0]
    return None


def read_chaizi(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """Decompositions by character."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        character, *variants = line.split("\t")
        found[character] += [parts for each in variants if (parts := tuple(each.split())) not in found[character]]
    return found


def main(chaizi: Path, scowl: Path) -> None:
    """Write all tables."""
    np.savez_compressed(_TABLES / "sounds.npz", **build_sounds())  # type: ignore[arg-type]
    tables = {
        "shapes": build_shapes(read_chaizi(chaizi)),
        "words": build_words(scowl.read_text("utf-8").splitlines()),
        "glyphs": build_glyphs(),
    }
    for name, arrays in tables.items():
        np.savez_compressed(_TABLES / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        print(f"{name}.npz: {(_TABLES / f'{name}.npz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
