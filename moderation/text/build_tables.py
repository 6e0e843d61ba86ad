"""Builds the shipped tables: `python -m moderation.text.build_tables` (needs the `dev` extra).

`SlowFold` is the fold spelled out code point by code point with unicodedata and OpenCC: what the tables are made from,
and what tests compare the vectorised fold with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import numpy as np
import opencc
import regex
from numpy.typing import NDArray

from moderation.text import classes
from moderation.text.tables import (
    CODE_POINTS,
    COMPATIBILITY,
    COMPOSE,
    DELETE,
    EXPAND,
    INVISIBLE,
    MARKED,
    TRADITIONAL,
    VANISH,
    WIDTH,
)

Arrays = dict[str, NDArray[np.uint32]]


def _set(*ranges: str) -> frozenset[int]:
    """Code points from ranges such as "300-36F"."""
    bounds = [[int(bound, 16) for bound in span.split("-")] for span in ranges]
    return frozenset(code for bound in bounds for code in range(bound[0], bound[-1] + 1))


SURROGATES = range(0xD800, 0xE000)
HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
CONJOINING_JAMO = range(0x1100, 0x1200)
COMPATIBILITY_JAMO = range(0x3131, 0x318F)
WHITE_SPACE = _set("9-D", "20", "85", "A0", "1680", "2000-200A", "2028-2029", "202F", "205F", "3000")
# Default_Ignorable_Code_Point and what else shows nothing; format and control characters come from their category.
INVISIBLES = _set(
    "34F", "115F-1160", "17B4-17B5", "180B-180F", "2065", "2800", "3164", "FE00-FE0F", "FFA0", "FFF0-FFF8",
    "1D159", "E0000-E0FFF",
)  # fmt: skip
# Marks of the general blocks, of Cyrillic, Hebrew and Arabic, the tatweel, and tone marks beside Han and Hangul.
MARKS = _set(
    "300-36F", "483-489", "591-5BD", "5BF", "5C1-5C2", "5C4-5C5", "5C7", "610-61A", "640", "64B-65F", "670", "6D6-6DC",
    "6DF-6E4", "6E7-6E8", "6EA-6ED", "8CA-8E1", "8E3-8FF", "1AB0-1AFF", "1DC0-1DFF", "20D0-20FF", "2DE0-2DFF",
    "302A-302F", "3099-309A", "A66F-A672", "A674-A67D", "A69E-A69F", "FB1E", "FE20-FE2F",
)  # fmt: skip
CYRILLIC_LETTERS = "йёїў"
# Letters, quotes and dashes that people and keyboards use for one another, and styled letters that NFKC leaves alone.
WRITTEN_ALIKE = {
    **dict.fromkeys("‘’‚‛ʼ′´", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    "〜": "~",
    "⁄": "/",
    "∕": "/",
}
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
STYLED = {
    "ı": "i",
    **_SMALL_CAPITALS,
    # Parenthesised, negative circled, negative squared letters and those of flags.
    **{chr(start + at): chr(97 + at) for start in (0x249C, 0x1F110, 0x1F150, 0x1F170, 0x1F1E6) for at in range(26)},
    **{chr(start + at): str(at + 1) for start in (0x2776, 0x2780, 0x278A, 0x24F5) for at in range(10)},
    **{chr(start + at): str(at + 1) for start in (0x2474, 0x2488) for at in range(20)},
    **{chr(0x24EB + at): str(at + 11) for at in range(10)},
    **dict.fromkeys("⓿🄋🄌", "0"),
}
# Radicals that show as the character they come from, where NFKC leaves them alone: Unicode's equivalent ideographs.
RADICALS = dict(
    zip(
        "⺁⺂⺃⺄⺅⺆⺈⺉⺊⺋⺌⺍⺎⺏⺐⺒⺓⺔⺖⺗⺘⺙⺛⺜⺝⺞⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺫⺬⺭⺯⺰⺱⺲⺳⺴⺶⺹⺺⺻⺼⺾⺿⻀⻁⻂⻃⻄⻅⻆⻈⻉⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻖⻗⻘⻙⻚⻛⻜⻝⻟⻠⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲",
        "厂乛乚乙亻冂刀刂卜㔾小小兀尣尢巳幺彑忄心扌攵旡日月歺民氵氺灬爫爫丬牛犭王目示礻糹纟罓罒㓁冗羊耂肀聿肉艹艹艹虎衤覀西见角讠贝车辶辶辶邑钅長镸长门阝雨青韦页风飞食飠饣马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀",
        strict=True,
    )
)
# Voicing marks that stand alone take part in composition like those that combine; am is one letter to who writes Thai.
KEPT = {"\u0344": "\u0308", "゛": "\u3099", "゜": "\u309a", "ำ": "ำ", "ຳ": "ຳ"}


@cache
def versions() -> tuple[str, str, str]:
    """What the tables depend on, as recorded in them: the versions of Unicode, `regex` and OpenCC."""
    return unicodedata.unidata_version, version("regex"), version("opencc")


def _characters() -> Iterator[str]:
    return (chr(code) for code in range(CODE_POINTS) if code not in SURROGATES)


def _matcher(pattern: str) -> Callable[[str], bool]:
    compiled = regex.compile(pattern)
    return lambda character: compiled.match(character) is not None


class SlowFold:
    """The fold, one code point at a time. `text()` is the specification of `moderation.text.folding.fold`."""

    def __init__(self) -> None:
        han: list[str] = regex.findall(r"\p{Script=Han}", "".join(_characters()))
        simplified: list[str] = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
        self.simplified = {one: two for one, two in zip(han, simplified, strict=True) if one != two and len(two) == 1}
        self.pairs = dict(_pairs())
        self.seconds = {second for _, second in self.pairs}
        self.pair_values = set(self.pairs.values())
        self.jamo = _compatibility_jamo()

    def text(self, text: str) -> str:
        """Fold a text and strip it."""
        spelled = self.merge([code for character in text for code in self.spell(character)])
        return " ".join("".join(map(chr, spelled)).split(" ")).strip(" ") if spelled else ""

    def spell(self, character: str) -> list[int]:
        """What one code point becomes, before it may merge with those before it."""
        before, after = "", character
        while before != after:
            before, after = after, "".join(map(self._step, after))
        return self._compose([ord(one) for one in after])

    def merge(self, codes: list[int]) -> list[int]:
        """Compose what is next to one another, show jamo that are left as letters, squeeze spaces."""
        shown = [self.jamo.get(code, code) for code in self._compose(codes) if code not in MARKS]
        return [code for index, code in enumerate(shown) if code != 32 or not index or shown[index - 1] != 32]

    def _step(self, character: str) -> str:
        code = ord(character)
        if code in SURROGATES:
            return "\ufffd"
        if code in WHITE_SPACE:
            return " "
        if is_invisible(character):
            return ""
        for replaced in (KEPT, WRITTEN_ALIKE, STYLED, RADICALS):
            if character in replaced:
                return replaced[character]
        if code in MARKS:
            return character if code in self.seconds else ""
        if is_digit(character):
            return str(unicodedata.digit(character))
        if code in HANGUL_SYLLABLES or code in CONJOINING_JAMO or code in COMPATIBILITY_JAMO:
            return character
        return self._decompose(character) or character.casefold()

    def _decompose(self, character: str) -> str:
        canonical, decomposed = (unicodedata.normalize(form, character) for form in ("NFD", "NFKD"))
        if canonical != character:
            return canonical
        if decomposed == character:
            return self.simplified.get(character, "")
        if any(ord(one) in CONJOINING_JAMO for one in decomposed):
            composed = unicodedata.normalize("NFKC", character)
            return "".join(chr(self.jamo.get(ord(one), ord(one))) for one in composed)
        return decomposed

    def _compose(self, codes: Iterable[int]) -> list[int]:
        """Merge what composes; a mark that finds no base to compose with is gone, unless it opens the text."""
        composed: list[int] = []
        for code in codes:
            merged = self._merged(composed[-1], code) if composed else None
            if merged:
                composed[-1] = merged
            elif not composed or code not in MARKS:
                composed.append(code)
        return composed

    def _merged(self, first: int, second: int) -> int | None:
        if second in CONJOINING_JAMO:
            both = unicodedata.normalize("NFC", chr(first) + chr(second))
            return ord(both) if len(both) == 1 else None
        return self.pairs.get((first, second))


def is_invisible(character: str) -> bool:
    """Whether a character shows nothing and is no white space."""
    code = ord(character)
    if code in WHITE_SPACE or code in SURROGATES:
        return False
    return code in INVISIBLES or unicodedata.category(character) in ("Cf", "Cc")


def is_digit(character: str) -> bool:
    """Whether a character is a digit of another script, or a styled one: ٣, ३, ３."""
    return unicodedata.category(character) == "Nd" and not character.isascii()


def _pairs() -> Iterator[tuple[tuple[int, int], int]]:
    """Canonical compositions, but not of the scripts whose marks are dropped."""
    stripped = _matcher(r"[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Common}\p{Inherited}]")
    for character in _characters():
        fields = unicodedata.decomposition(character).split()
        if len(fields) != 2 or fields[0].startswith("<") or unicodedata.normalize("NFC", character) != character:
            continue
        if character in CYRILLIC_LETTERS or not stripped(character):
            yield (int(fields[0], 16), int(fields[1], 16)), ord(character)
    yield (0x0E4D, 0x0E32), 0x0E33
    yield (0x0ECD, 0x0EB2), 0x0EB3


def _compatibility_jamo() -> dict[int, int]:
    """Conjoining jamo -> the letter that keyboards type."""
    letters: dict[int, int] = {}
    for code in COMPATIBILITY_JAMO:
        letters[ord(unicodedata.normalize("NFKC", chr(code)))] = code
    names = {unicodedata.name(chr(code)).rpartition("LETTER ")[2]: code for code in COMPATIBILITY_JAMO}
    for code in range(0x11A8, 0x11C3):
        letters[code] = names[unicodedata.name(chr(code)).rpartition("JONGSEONG ")[2]]
    return {code: letter for code, letter in letters.items() if code in CONJOINING_JAMO}


def build_folding(fold: SlowFold | None = None) -> Arrays:
    """The arrays of folding.npz: see `moderation.text.folding.FoldTable` for their meaning."""
    fold = fold or SlowFold()
    changed: list[tuple[int, int, int]] = []
    expansions: list[list[int]] = []
    for code in filter(lambda code: _may_change(code, fold), range(CODE_POINTS)):
        spelled = [one | _may_compose(one, fold) for one in fold.spell(chr(code))]
        if len(spelled) > 1:
            expansions.append(spelled)
        value = EXPAND | (len(expansions) - 1) if len(spelled) > 1 else next(iter(spelled), DELETE)
        if value != code:
            changed.append((code, value, kind_of_fold(chr(code), fold)))
    pairs = sorted((first, second, both) for (first, second), both in fold.pairs.items())
    return {
        **_columns(["codes", "values", "kinds"], changed),
        **_columns(["jamo", "letters"], sorted(fold.jamo.items())),
        **_columns(["pair_first", "pair_second", "pair_both"], pairs),
        "expansion_lengths": _array([len(one) for one in expansions]),
        "expansion_codes": _array([code for one in expansions for code in one]),
    }


def _may_change(code: int, fold: SlowFold) -> bool:
    """Whether a code point is worth a look: what is unassigned or private mostly stays as it is."""
    if code in HANGUL_SYLLABLES:
        return False
    if unicodedata.category(chr(code)) not in ("Cn", "Co"):
        return True
    return code in INVISIBLES or code in MARKS or chr(code) in fold.simplified


def kind_of_fold(character: str, fold: SlowFold) -> int:
    """Which kinds of fold a code point that changes goes through, as bits; letter case and white space are none."""
    code = ord(character)
    if code in SURROGATES or character in WRITTEN_ALIKE or (code in WHITE_SPACE and code != 0x3000):
        return 0
    if is_invisible(character):
        return INVISIBLE
    if code in MARKS:
        return MARKED
    canonical, compatible = (unicodedata.normalize(form, character) for form in ("NFD", "NFKD"))
    kind = 0
    if unicodedata.decomposition(character).startswith(("<wide>", "<narrow>")):
        kind |= WIDTH
    elif (
        canonical != compatible
        or character in STYLED
        or character in RADICALS
        or is_digit(character)
        or code in CONJOINING_JAMO
    ):
        kind |= COMPATIBILITY
    if any(ord(one) in MARKS for one in canonical) and fold.pair_values.isdisjoint(fold.spell(character)):
        kind |= MARKED
    return kind | TRADITIONAL * any(one in fold.simplified for one in compatible)


def build_scripts() -> Arrays:
    """The arrays of scripts.npz: runs of script classes and of kinds (see `moderation.text.scripts`)."""
    named = {name: number for number, name in enumerate(classes.names)}
    named |= dict.fromkeys(("HIRAGANA", "KATAKANA"), classes.KANA)
    named |= dict.fromkeys(("INHERITED", "BRAILLE", "UNKNOWN"), classes.COMMON)
    patterns = [(number, regex.compile(rf"\p{{Script={name}}}+")) for name, number in named.items() if _is_script(name)]
    everything = "".join(" " if code in SURROGATES else chr(code) for code in range(CODE_POINTS))
    script = np.full(CODE_POINTS, classes.OTHER, np.uint32)
    for number, pattern in patterns:
        for run in pattern.finditer(everything):
            script[run.start() : run.end()] = number
    script[[ord("ー"), ord("ｰ")]] = classes.KANA
    categories = [unicodedata.category(character) for character in everything]
    shared = [category[0] in "PZCS" and category not in ("So", "Cn") for category in categories]
    script[shared] = classes.COMMON
    kinds = {"Mn": classes.MARK, "Me": classes.MARK, "Nd": classes.DIGIT}
    return {**_runs("script", script), **_runs("kind", [kinds.get(category, classes.PLAIN) for category in categories])}


def _is_script(name: str) -> bool:
    return name not in ("KANA", "OTHER")


def _may_compose(code: int, fold: SlowFold) -> int:
    if code in fold.seconds and code in MARKS:
        return VANISH
    return COMPOSE if code in fold.seconds or code in CONJOINING_JAMO else 0


def _array(values: Iterable[int]) -> NDArray[np.uint32]:
    return np.array(list(values), np.uint32)


def _columns(names: Iterable[str], rows: Iterable[tuple[int, ...]]) -> Arrays:
    return {name: _array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _runs(name: str, values: Iterable[int]) -> Arrays:
    runs = [(next(run)[0], value) for value, run in groupby(enumerate(values), key=lambda pair: int(pair[1]))]
    return _columns([f"{name}_starts", f"{name}_values"], runs)


def write_tables(folder: Path) -> None:
    """Build both tables and write them as npz files, with what they were built from."""
    for name, arrays in (("folding", build_folding()), ("scripts", build_scripts())):
        np.savez_compressed(folder / f"{name}.npz", versions=np.array(versions()), **arrays)  # type: ignore[arg-type]
        print(f"{folder / name}.npz: {(folder / f'{name}.npz').stat().st_size:,} bytes")


if __name__ == "__main__":
    write_tables(Path(__file__).parent / "tables")
