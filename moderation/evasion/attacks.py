"""Makes attacks: terms as evaders write them. Seeded, so that a benchmark and a test see the same ones again."""

from __future__ import annotations

import base64
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from moderation.evasion import sounds
from moderation.evasion.emoji import emoji_syllables
from moderation.evasion.glyphs import LEET, glyph_of, loose_glyph
from moderation.evasion.signs import DRAWN
from moderation.evasion.spellings import MOST, spellings
from moderation.evasion.tables import read_table
from moderation.evasion.tricks import BIT, NAMES
from moderation.evasion.words import common_characters

Make = Callable[[str, random.Random], str | None]

_SEPARATORS = (" ", ".", "-", "_", "·", "~", "|", "/", "❤️", "✨", "\n")
_MARKS = "\u0336\u0301\u0308\u0323\u20dd"
_INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufeff"
_SCRIPTS = (
    "CYRILLIC SMALL", "CYRILLIC CAPITAL", "GREEK SMALL", "ARMENIAN SMALL", "COPTIC SMALL", "CHEROKEE LETTER",
    "CANADIAN SYLLABICS", "LISU LETTER", "LATIN SMALL",
)  # fmt: skip
_TONES = {"a": "āáǎà", "e": "ēéěè", "i": "īíǐì", "o": "ōóǒò", "u": "ūúǔù", "v": "ǖǘǚǜ"}


def attack(term: str, trick: str, source: random.Random) -> str | None:
    """The term disguised by a trick; None where there is nothing in it that the trick could change.

    `trick` is a name of `resist` or one of `ALWAYS_ON`. Raises KeyError for any other.
    """
    made = _MAKERS[trick](term, source)
    return made if made != term else None


def attacks(term: str, trick: str, count: int, seed: int = 0) -> list[str]:
    """At most so many different attacks on a term by one trick."""
    source = random.Random(f"{seed} {trick} {term}")
    found = (attack(term, trick, source) for _ in range(3 * count))
    return list(dict.fromkeys(each for each in found if each is not None))[:count]


# Always on


def _wide(term: str, source: random.Random) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in term)


def _styled(term: str, source: random.Random) -> str | None:
    """Mathematical, enclosed, squared, small and raised letters, and those of flags."""
    style = source.choice(
        [_from(start) for start in (0x1D41A, 0x1D4EA, 0x24D0, 0x1F150, 0x1F170, 0x1F1E6, 0x249C)] + [_SMALL]
    )
    return "".join(style.get(each, each) for each in term.lower())


def _from(start: int) -> Mapping[str, str]:
    return {chr(97 + at): chr(start + at) for at in range(26)}


_SMALL = dict(zip("abcdefghijklmnopqrstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", strict=True))


def _between(signs: str, term: str, source: random.Random) -> str:
    """Signs behind some of the characters, one of them at least."""
    must = source.randrange(len(term))
    return "".join(
        each + (source.choice(signs) if at == must or source.random() < 0.5 else "") for at, each in enumerate(term)
    )


def _invisible(term: str, source: random.Random) -> str | None:
    return _between(_INVISIBLE, term[:-1], source) + term[-1] if len(term) > 1 else None


def _marked(term: str, source: random.Random) -> str | None:
    return _between(_MARKS, term, source) if all(each.isascii() or "一" <= each <= "鿿" for each in term) else None


def _traditional(term: str, source: random.Random) -> str | None:
    return "".join(source.choice(_others().get(each, each)) for each in term)


@cache
def _others() -> dict[str, str]:
    """Characters that fold to a simplified one, by that one."""
    from moderation.text.folding import TABLE
    from moderation.text.tables import TRADITIONAL

    found: dict[str, str] = {}
    for code in np.flatnonzero(TABLE.kinds == TRADITIONAL).tolist():
        folded = int(TABLE.values[code])
        if folded < 0x110000:
            found[chr(folded)] = found.get(chr(folded), "") + chr(code)
    return found


def _digits(term: str, source: random.Random) -> str | None:
    styles = [
        str.maketrans("0123456789", style)
        for style in (
            "０１２３４５６７８９",
            "⓪①②③④⑤⑥⑦⑧⑨",
            "⓿❶❷❸❹❺❻❼❽❾",
            "零一二三四五六七八九",
            "零壹贰叁肆伍陆柒捌玖",
            "⁰¹²³⁴⁵⁶⁷⁸⁹",
        )
    ]
    return term.translate(source.choice(styles)) if any(each in "0123456789" for each in term) else None


def _turned(term: str, source: random.Random) -> str | None:
    return f"\u202e{term[::-1]}\u202c" if len(term) > 1 else None


def _tagged(term: str, source: random.Random) -> str | None:
    return "".join(chr(0xE0000 + ord(each)) for each in term) if term.isascii() and len(term) > 2 else None


# By name


def _separated(term: str, source: random.Random) -> str | None:
    parts = [each for each in term if not each.isspace()]
    return source.choice(_SEPARATORS).join(parts) if len(parts) > 1 else None


def _repeated(term: str, source: random.Random) -> str | None:
    places = [at for at, each in enumerate(term) if each.isalpha()]
    if not places:
        return None
    chosen = set(source.sample(places, min(len(places), source.randint(1, 2))))
    return "".join(each * (source.randint(3, 5) if at in chosen else 1) for at, each in enumerate(term))


def _looking_alike(term: str, source: random.Random) -> str | None:
    return _some(term, source, _glyphs())


@cache
def _glyphs() -> dict[str, str]:
    """Letters of other scripts by the Latin letter that they look like."""
    found: dict[str, str] = {}
    for code in np.flatnonzero((glyph_of > 0) & ~loose_glyph).tolist():
        character, letter = chr(code), chr(int(glyph_of[code]))
        if unicodedata.name(character, "").startswith(_SCRIPTS):
            found[letter] = found.get(letter, "") + character
    return found


def _leet(term: str, source: random.Random) -> str | None:
    signs: dict[str, list[str]] = {} if " " in term else {"f": ["ph"], "w": ["vv"], "u": ["v"]}
    for sign, letter in (*LEET.items(), *DRAWN.items()):
        if sign not in ("(", "+", "¡", "2", "|_", "_|", "|2"):
            signs.setdefault(letter, []).append(sign)
    words = term.split(" ")
    long = [at for at, word in enumerate(words) if len(word) > 2 and word.isalpha()]
    changed = {at: _some(words[at], source, signs) for at in long if at == long[0] or source.random() < 0.5}
    made = " ".join(changed.get(at) or word for at, word in enumerate(words))
    return made if made != term else None


def _some(term: str, source: random.Random, others: Mapping[str, Sequence[str]]) -> str | None:
    """Some of the characters by others, one at least, and not all."""
    places = [at for at, each in enumerate(term) if each in others]
    if not places or len(term) < 2:
        return None
    chosen = set(source.sample(places, source.randint(1, max(1, min(len(places), len(term) // 2)))))
    return "".join(source.choice(others[each]) if at in chosen else each for at, each in enumerate(term))


def _masked(term: str, source: random.Random) -> str | None:
    """One character of a word masked, by an asterisk mostly; a vowel inside of a word by a sign too."""
    words = term.split(" ")
    which = source.randrange(len(words))
    word = words[which]
    if not word.isalpha() or len(word) < 3 - ("一" <= word[0] <= "鿿"):
        return None
    at = source.randrange(1, len(word))
    vowel = word.isascii() and len(words) == 1 and len(word) > 3 and at < len(word) - 1 and word[at] in "aeiou"
    words[which] = word[:at] + (source.choice("*-_.") if vowel else "*") + word[at + 1 :]
    # One common character is all that is left of 快滚 in 快*: nobody could tell.
    return None if len(term) == 2 and common_characters()[ord(words[0][0])] else " ".join(words)


def _sounding(term: str, source: random.Random) -> str | None:
    return _some(term, source, _by_sound())


def _sounding_near(term: str, source: random.Random) -> str | None:
    by_sound = _characters_of()
    near = {
        each: "".join(by_sound.get(other, "") for other in sorted(sounds.near(heard[0]) - {heard[0]}))
        for each in term
        if (heard := sounds.readings(each))
    }
    return _some(term, source, {each: others for each, others in near.items() if others})


@cache
def _characters_of() -> dict[str, str]:
    """Characters that people know, by syllable."""
    found: dict[str, str] = {}
    for character in read_table("shapes")["characters"].tolist():
        heard = sounds.readings(character)
        if heard:
            found[heard[0]] = found.get(heard[0], "") + character
    return found


@cache
def _by_sound() -> dict[str, str]:
    return {
        each: others
        for characters in _characters_of().values()
        for each in characters
        if (others := characters.replace(each, ""))
    }


def _in_letters(term: str, source: random.Random) -> str | None:
    """In syllables: joined, apart, with tone marks or digits, or some of them among characters."""
    heard = [sounds.readings(each) for each in term]
    if sum(map(bool, heard)) < 2:
        return None
    style = source.choice(("joined", "apart", "marks", "digits", "mixed"))
    spelled = [
        _syllable(each[0], style, source) if each else character for each, character in zip(heard, term, strict=True)
    ]
    if style == "mixed":
        kept = source.randrange(len(term))
        return "".join(
            character if at == kept else each for at, (each, character) in enumerate(zip(spelled, term, strict=True))
        )
    return (" " if style in ("apart", "marks", "digits") else "").join(spelled)


def _syllable(letters: str, style: str, source: random.Random) -> str:
    tone = source.randrange(4)
    if style == "digits":
        return f"{letters}{tone + 1}"
    if style == "marks":
        vowel = next((each for each in "aeoiuv" if each in letters), "")
        return letters.replace(vowel, _TONES[vowel][tone], 1) if vowel else letters
    return letters


def _by_spelling(trick: str) -> Make:
    def make(term: str, source: random.Random) -> str | None:
        made = [each.text for each in spellings(term, BIT[trick])[1 : MOST[trick] + 1]]
        return source.choice(made) if made else None

    return make


def _with_emoji(term: str, source: random.Random) -> str | None:
    table = emoji_syllables()
    signs: dict[str, str] = {}
    for code in np.flatnonzero(table.number_of).tolist():
        text = table.characters[int(table.number_of[code])]
        heard = sounds.readings(text) if len(text) == 1 else ()
        if heard:
            signs[heard[0]] = signs.get(heard[0], "") + chr(code)
    by_character = {each: signs[heard[0]] for each in term if (heard := sounds.readings(each)) and heard[0] in signs}
    return _some(term, source, by_character)


def _encoded(term: str, source: random.Random) -> str:
    return base64.b64encode(f"{term} {term}".encode()).decode()


_MAKERS: dict[str, Make] = {
    "width": _wide,
    "styled": _styled,
    "invisibles": _invisible,
    "marks": _marked,
    "traditional": _traditional,
    "digits": _digits,
    "bidi": _turned,
    "tags": _tagged,
    "separators": _separated,
    "repeats": _repeated,
    "homoglyphs": _looking_alike,
    "leet": _leet,
    "masks": _masked,
    "homophones": _sounding,
    "near-homophones": _sounding_near,
    "pinyin": _in_letters,
    "initials": _by_spelling("initials"),
    "splits": _by_spelling("splits"),
    "variants": _by_spelling("variants"),
    "emoji": _with_emoji,
    "reversed": _by_spelling("reversed"),
    "encoded": _encoded,
}
ALWAYS_ON: tuple[str, ...] = tuple(name for name in _MAKERS if name not in NAMES)
"""Tricks that are seen through whatever `resist` says."""
