"""The loose reading of a folded view: letters and syllables in a row, nothing between them.

Chinese characters become the letters of their syllable (傻逼, 煞笔, sha bi and ni妈 read alike), letters that look like
Latin ones become those, digits and signs inside of Latin words become letters, a character written several times stands
once, and what stands between characters falls away. It says far too much: what is found in it is only a candidate, and
`moderation.evasion.align` tells whether the text really says the term, and by which tricks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.emoji import emoji_syllables
from moderation.evasion.glyphs import glyph_of, leet_of, loose_glyph
from moderation.text.scripts import COMMON, HAN, LATIN, script_of, writes_spaces
from moderation.text.tables import CODE_POINTS
from moderation.text.views import View

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Looks = NDArray[np.uint8]

# What a code point is to a loose reading. A break is a letter of a script that has no loose reading, or the end of a
# row: nothing is found across it. A gap is everything else: it falls away.
GAP, LETTER, SYLLABLE, BREAK = range(4)

# Symbols: letters and digits are their ASCII codes, syllables their numbers above these, characters without a syllable
# are told apart by their last bits.
SYMBOL_BREAK, _FIRST_SYLLABLE, _SILENT = 1, 0x100, 0x4000

# What a first look tells of a code point, as bits.
_FOREIGN, _LEET, _SPEAKS, _MASKS = 1, 2, 4, 8

_BRACKETS = np.array([ord(sign) for sign in "(+"], np.uint32)
_STROKES = np.array([ord(sign) for sign in "|!(+"], np.uint32)
MASK_SIGNS = "*#×■□●○"
"""What is written over characters to mask them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Symbols of 16 bits in a row: symbol i stands for the code points of the view from `first[i]` to `last[i]`,
    repetitions included.

    `codes` are those of the view as they are read: looks and leet resolved.
    """

    symbols: NDArray[np.uint16]
    first: Index
    last: Index
    codes: Codes


def _kinds() -> NDArray[np.uint8]:
    kinds = np.where(script_of == COMMON, GAP, BREAK).astype(np.uint8)
    kinds[0] = BREAK
    kinds[(sounds.syllable_of > 0) | ((script_of == HAN) & (kinds == BREAK))] = SYLLABLE
    kinds[[*range(ord("a"), ord("z") + 1), *range(ord("0"), ord("9") + 1)]] = LETTER
    return kinds


kind_of = _kinds()


def _symbols() -> NDArray[np.uint16]:
    codes = np.arange(CODE_POINTS)
    symbols = np.where(kind_of == LETTER, codes, np.where(kind_of == BREAK, SYMBOL_BREAK, 0))
    silent = (kind_of == SYLLABLE) & (sounds.syllable_of == 0)
    symbols = np.where(kind_of == SYLLABLE, sounds.syllable_of + _FIRST_SYLLABLE, symbols)
    return np.where(silent, _SILENT | (codes & (_SILENT - 1)), symbols).astype(np.uint16)


symbol_of = _symbols()
"""By code point; 0 for what falls away."""


def _near_symbols() -> NDArray[np.uint16]:
    nearest = np.arange(1 << 16).astype(np.uint16)
    for name, number in sounds.number.items():
        nearest[number + _FIRST_SYLLABLE] = (
            min(sounds.number[each] for each in sounds.near_class(name)) + _FIRST_SYLLABLE
        )
    return nearest


near_symbol: NDArray[np.uint16] = _near_symbols()
"""By symbol, the one that stands for all syllables that many speakers don't tell from its own."""


def syllable_symbol(syllable: str) -> int:
    """The symbol of a syllable. Raises KeyError for one that no character is read as."""
    return sounds.number[syllable] + _FIRST_SYLLABLE


is_latin = np.zeros(CODE_POINTS, np.bool_)
is_latin[ord("a") : ord("z") + 1] = True
_is_foreign = (glyph_of > 0) | ((kind_of == BREAK) & (script_of != LATIN) & writes_spaces[script_of])


def _looks() -> NDArray[np.uint8]:
    looks = np.zeros(CODE_POINTS, np.uint8)
    looks[_is_foreign] |= _FOREIGN
    looks[leet_of > 0] |= _LEET
    looks[(emoji_syllables().number_of > 0)] |= _SPEAKS
    looks[ord("0") : ord("9") + 1] |= _SPEAKS
    looks[[ord(sign) for sign in MASK_SIGNS]] |= _MASKS
    return looks


_LOOK = _looks()


def first_look(view: View) -> Looks:
    """What a table tells of each code point of a view: the other functions ask for it."""
    looks: Looks = _LOOK.take(view.codes)
    return looks


def loose_reading(view: View, looks: Looks | None = None) -> Reading:
    """Read a whole view, in time linear in its length."""
    looks = first_look(view) if looks is None else looks
    return _spelled(_without_leet(_without_looks(view, view.codes, None, looks), looks))


def loose_reading_of(view: View, rows: Index, looks: Looks) -> tuple[Reading, Index]:
    """Read some rows, and where each code point of the reading stands in the view."""
    at = _places(view, rows)
    looks = looks[at]
    return _spelled(_without_leet(_without_looks(view, view.codes[at], at, looks), looks)), at


def sounded_reading(view: View, rows: Index, looks: Looks) -> tuple[Reading, Index]:
    """Read some rows with digits and emoji as they sound and without tone digits.

    Also where each of its code points stands in the view: emoji that sound like two characters stand there twice.
    """
    at = _places(view, rows)
    codes, at = _sounding(_without_looks(view, view.codes[at], at, looks[at]), at)
    return _spelled(_without_leet(codes, _LOOK.take(codes))), at


def _places(view: View, rows: Index) -> Index:
    """Where the rows stand in a view, separators included."""
    lengths = view.starts[rows + 1] - view.starts[rows]
    places: Index = (view.starts[rows] - (lengths.cumsum() - lengths)).repeat(lengths)
    return places + np.arange(len(places))


def mask_places(looks: Looks) -> Index:
    """Where signs stand that mask characters."""
    places: Index = (looks & _MASKS).nonzero()[0]
    return places


def sounding_rows(view: View, looks: Looks | None = None) -> Index:
    """The rows that may read otherwise when digits and emoji sound: most don't."""
    codes = view.codes
    looks = first_look(view) if looks is None else looks
    places = (looks & _SPEAKS).nonzero()[0]
    if not len(places):
        return places
    found = codes[places]
    before, after = codes[places - 1], codes[places + 1]
    digit = found < 0x80
    han = (kind_of.take(before) == SYLLABLE) | (kind_of.take(after) == SYLLABLE)
    tone = is_latin.take(before) & ((found - ord("1")) < 5)
    rows: Index = np.unique(np.searchsorted(view.starts, places[~digit | han | tone], side="right") - 1)
    return rows


def _without_looks(view: View, codes: Codes, at: Index | None, looks: Looks) -> Codes:
    """Codes, which stand `at` these places of a view, letters that look like Latin ones being those.

    A run of them that touches a Latin letter is read so; one by itself only where no other letter of its row says that
    the row is in that script: сосна, and a сок beside it, stay as they are.
    """
    places = (looks & _FOREIGN).nonzero()[0]
    if not len(places):
        return codes
    origins = places if at is None else at[places]
    written, folded = view.batch.codes[view.source[origins]], codes[places]
    alike = np.where(glyph_of.take(written) > 0, glyph_of.take(written), glyph_of.take(folded))
    if not alike.any():
        return codes
    opens = np.ones(len(places), np.bool_)
    opens[1:] = np.diff(places) > 1
    run = opens.cumsum() - 1
    firsts, lasts = places[opens], places[np.append(opens[1:], True)]
    touching = is_latin.take(codes[firsts - 1]) | is_latin.take(codes[lasts + 1])
    strange = (alike == 0) | (loose_glyph.take(written) & ~touching[run])
    strange_run = np.zeros(len(firsts), np.bool_)
    strange_run[run[strange]] = True
    row = view.starts.searchsorted(origins[opens], side="right") - 1
    strange_row = np.zeros(len(view.starts), np.bool_)
    strange_row[row[strange_run]] = True
    read = (~strange_run & (touching | ~strange_row[row]))[run]
    found = codes.copy()
    found[places[read]] = alike[read]
    return found


def _without_leet(codes: Codes, looks: Looks) -> Codes:
    """Digits and signs as letters where they touch a Latin letter, or others that do."""
    places = (looks & _LEET).nonzero()[0]
    if not len(places):
        return codes
    opens = np.ones(len(places), np.bool_)
    opens[1:] = np.diff(places) > 1
    firsts = places[opens]
    lasts = places[np.append(opens[1:], True)]
    touches = is_latin.take(codes[firsts - 1]) | is_latin.take(codes[np.minimum(lasts + 1, len(codes) - 1)])
    read = places[touches[opens.cumsum() - 1]]
    # f|u|c|k: a stroke between single letters stands between them, and hi! ends with one; in b|tch it is one.
    stroke = np.isin(codes[read], _STROKES)
    if stroke.any():
        before, after = kind_of.take(codes[read - 2]), kind_of.take(codes[np.minimum(read + 2, len(codes) - 1)])
        alone = (before != LETTER) & (after != LETTER)
        # fu(k, but not (cat).
        bracket = np.isin(codes[read], _BRACKETS)
        alone |= bracket & ~(
            is_latin.take(codes[read - 1]) & is_latin.take(codes[np.minimum(read + 1, len(codes) - 1)])
        )
        closing = kind_of.take(codes[np.minimum(read + 1, len(codes) - 1)]) != LETTER
        read = read[~(stroke & (alone | closing))]
    if not len(read):
        return codes
    found = codes.copy()
    found[read] = leet_of.take(codes[read])
    return found


def _sounding(codes: Codes, at: Index) -> tuple[Codes, Index]:
    """Tone digits out, other digits and emoji replaced by characters that sound like them."""
    digit = (codes - ord("0")) < 10
    before = np.concatenate((codes[:1], codes[:-1]))
    after = np.concatenate((codes[1:], codes[-1:]))
    tone = digit & is_latin.take(before) & ((codes - ord("1")) < 5) & ~((after - ord("0")) < 10)
    spoken = digit & ~is_latin.take(before) & ~is_latin.take(after)
    numerals = np.array([ord(each) for each in sounds.DIGITS], np.uint32)
    found = codes.copy()
    found[tone] = ord(" ")
    found[spoken] = numerals[codes[spoken] - ord("0")]
    return emoji_syllables().replaced(found, at)


def _spelled(codes: Codes) -> Reading:
    """Symbols out of codes: gaps left out, repetitions counted once."""
    symbols = symbol_of.take(codes)
    kept = (symbols != 0).nonzero()[0]
    symbols = symbols[kept]
    same = (symbols[1:] == symbols[:-1]).nonzero()[0] + 1
    if len(same):
        same = same[_again(codes, kept[same - 1], kept[same])]
    if not len(same):
        return Reading(symbols, kept, kept + 1, codes)
    once = np.ones(len(kept), np.bool_)
    once[same] = False
    last = np.append(kept[once.nonzero()[0][1:] - 1], kept[-1:]) + 1
    return Reading(symbols[once], kept[once], last, codes)


def _again(codes: Codes, first: Index, second: Index) -> NDArray[np.bool_]:
    """Whether a character stands there again: not a second row's end, not another that sounds alike, and not a letter
    that ends one word and begins another. In `said don't` the d is written twice, in a.s.s the s repeated.
    """
    found = codes[second]
    again = (found == codes[first]) & (found != 0)
    alone = ~is_latin.take(codes[first - 1]) & ~is_latin.take(codes[np.minimum(second + 1, len(codes) - 1)])
    repeated: NDArray[np.bool_] = again & ((second == first + 1) | ~is_latin.take(found) | alone)
    return repeated
