"""The loose reading of a folded view: letters and syllables in a row, nothing between them.

Chinese characters become the letters of their syllable (傻逼, 煞笔, sha bi and ni妈 read alike), letters that look like
Latin ones become those, digits and signs inside of Latin words become letters, a character written several times stands
once, and what stands between characters falls away. It says far too much: what is found in it is only a candidate, and
`moderation.evasion.align` tells whether the text really says the term, and by which tricks.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_lowercase

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.emoji import emoji_syllables
from moderation.evasion.glyphs import glyph_of, leet_of, loose_glyph
from moderation.evasion.joins import joins, with_joined
from moderation.evasion.signs import OPENING, with_drawn_letters
from moderation.text.lists import all_true, constant, ends_of, holding, lengths_of, numbers_to, openings, ranges
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
SYMBOL_BREAK, FIRST_SYLLABLE, _SILENT = 1, 0x100, 0x4000

# What a first look tells of a code point, as bits.
_FOREIGN, _LEET, _SPEAKS, _MASKS, _DRAWS, _PARTS = 1, 2, 4, 8, 16, 32
_BITS = {bit: constant(bit, np.uint8) for bit in (_FOREIGN, _LEET, _SPEAKS, _MASKS, _DRAWS, _PARTS)}

MASK_SIGNS = "*#×■□●○█▇▆▓▒░◼◻⬛⬜☐⚫⚪◯⭕✱✲✳⁎∗•★☆⭐✖✕❌"
"""What is written over characters to mask them."""


class Reading(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Symbols of 16 bits in a row. A symbol stands for a code point and for repetitions of it.

    `written` are the view's codes, `codes` what they are read as, looks and leet resolved. Behind these stand, once
    more, the rows in which digits or emoji may sound, or parts stand that make a character, read so: code i of them,
    counted from the view's end, stands in the view at `again[i]`. Of all codes those at `kept` are no gaps; the ones
    numbered `repeated` among them repeat the one before. `looks` are what a first look tells of each code point of the
    view, `told` is what it tells of any.
    """

    view: View
    looks: Looks
    told: int
    written: Codes
    codes: Codes
    again: Index
    symbols: NDArray[np.uint16]
    kept: Index
    repeated: Index

    @classmethod
    def of(cls, view: View) -> Reading:
        """Read a view, in time linear in its length."""
        looks = _LOOK.take(view.codes)
        told = int(np.bitwise_or.reduce(looks))
        plain = _without_looks(view, looks) if told & _FOREIGN else view.codes
        codes = with_drawn_letters(view, plain, _marked(looks, _DRAWS)) if told & _DRAWS else plain
        leet = _marked(looks, _LEET) if told & _LEET else _NOWHERE
        rows = _sounding_rows(view, looks, told) if told & (_SPEAKS | _PARTS) else _NOWHERE
        written, again = view.codes, _NOWHERE
        if len(rows):
            again = ranges(view.starts[rows], view.starts[rows + 1])
            sounding, again = _sounding(plain.take(again), again)
            leet = np.concatenate((leet, (leet_of.take(sounding) > 0).nonzero()[0] + len(codes)))
            codes, written = np.concatenate((codes, sounding)), np.concatenate((written, written.take(again)))
        if len(leet):
            codes = _without_leet(codes, leet if codes is view.codes else leet[leet_of.take(codes[leet]) > 0])
        symbols, kept, repeated = _spelled(codes)
        return cls(view, looks, told, written, codes, again, symbols, kept, repeated)

    def spans(self, bounds: Index) -> Index:
        """Stretches of symbols, by row where they begin and where they end, as their first and their last codes."""
        at = bounds - _LAST
        if len(self.repeated):
            # How many repetitions stand before a symbol: the k-th stands before the symbol of that number less k.
            before = self.repeated - numbers_to(len(self.repeated))
            at += before.searchsorted(bounds, side="right")
        codes: Index = self.kept.take(at)
        return codes

    def within(self, rows: Index) -> Index:
        """The numbers of the symbols in rows of the view."""
        edges = self.view.starts[rows], self.view.starts[rows + 1]
        opens, closes = (self.symbol_at(each) for each in edges)
        if not len(self.again):
            return ranges(opens, closes)
        more = [self.symbol_at(len(self.view.codes) + self.again.searchsorted(each)) for each in edges]
        return np.concatenate((ranges(opens, closes), ranges(*more)))

    def symbol_at(self, codes: Index) -> Index:
        """The number of the first symbol at these codes or behind them."""
        found = self.kept.searchsorted(codes)
        return found - self.repeated.searchsorted(found)

    def are_again(self, codes: Index) -> NDArray[np.bool_]:
        """Which codes are those of a row that is read once more."""
        return codes >= len(self.view.codes)

    def origin(self, code: int) -> int:
        """Where a code stands in the view."""
        beyond = code - len(self.view.codes)
        return code if beyond < 0 else int(self.again[beyond])

    def text(self, start: int, end: int) -> tuple[str, str]:
        """A stretch of codes as it is read, and as it is folded."""
        return _text(self.codes[start:end]), _text(self.written[start:end])

    def mask_places(self) -> Index:
        """Where signs stand in the view that mask characters."""
        return _marked(self.looks, _MASKS) if self.told & _MASKS else _NOWHERE


def _text(codes: Codes) -> str:
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _kinds() -> NDArray[np.uint8]:
    kinds = np.where(script_of == COMMON, GAP, BREAK).astype(np.uint8)
    kinds[0] = BREAK
    kinds[(sounds.syllable_of > 0) | ((script_of == HAN) & (kinds == BREAK))] = SYLLABLE
    kinds[[*range(ord("a"), ord("z") + 1), *range(ord("0"), ord("9") + 1)]] = LETTER
    return kinds


kind_of = _kinds()

_KINDS = kind_of.tobytes()


def kind(character: str) -> int:
    """What one character is: several times faster than to ask an array for one."""
    return _KINDS[ord(character)]


def _symbols() -> NDArray[np.uint16]:
    symbols = np.zeros(CODE_POINTS, np.uint16)
    symbols[kind_of == BREAK] = SYMBOL_BREAK
    letters, characters = (kind_of == LETTER).nonzero()[0], (kind_of == SYLLABLE).nonzero()[0]
    symbols[letters] = letters
    syllables = sounds.syllable_of[characters]
    silent = _SILENT | (characters & (_SILENT - 1))
    symbols[characters] = np.where(syllables == 0, silent, syllables + FIRST_SYLLABLE)
    return symbols


symbol_of = _symbols()
"""By code point; 0 for what falls away."""


def _near_symbols() -> NDArray[np.uint16]:
    nearest = np.arange(1 << 16).astype(np.uint16)
    for name, number in sounds.number.items():
        nearest[number + FIRST_SYLLABLE] = min(sounds.number[each] for each in sounds.near_class(name)) + FIRST_SYLLABLE
    return nearest


near_symbol: NDArray[np.uint16] = _near_symbols()
"""By symbol, the one that stands for all syllables that many speakers don't tell from its own."""


def syllable_symbol(syllable: str) -> int:
    """The symbol of a syllable. Raises KeyError for one that no character is read as."""
    return sounds.number[syllable] + FIRST_SYLLABLE


def holds(characters: Iterable[str]) -> NDArray[np.bool_]:
    """By code point, whether it is one of these characters."""
    table = np.zeros(CODE_POINTS, np.bool_)
    table[[ord(each) for each in characters]] = True
    return table


is_latin = holds(ascii_lowercase)
_is_bracket, _is_stroke = holds("(+"), holds("|!(+")
_is_foreign = (glyph_of > 0) | ((kind_of == BREAK) & (script_of != LATIN) & writes_spaces[script_of])


def _looks() -> NDArray[np.uint8]:
    looks = np.zeros(CODE_POINTS, np.uint8)
    looks[_is_foreign] |= _FOREIGN
    looks[leet_of > 0] |= _LEET
    looks[(emoji_syllables().number_of > 0)] |= _SPEAKS
    looks[ord("0") : ord("9") + 1] |= _SPEAKS
    looks[[ord(sign) for sign in MASK_SIGNS]] |= _MASKS
    looks[[ord(sign) for sign in OPENING]] |= _DRAWS
    looks[joins().left] |= _PARTS
    return looks


_LOOK = _looks()


def _marked(looks: Looks, bit: int) -> Index:
    """Where a bit is set. Of truth values numpy finds the places several times faster than of numbers."""
    places: Index = (looks & _BITS[bit]).astype(np.bool_).nonzero()[0]
    return places


def _sounding_rows(view: View, looks: Looks, told: int) -> Index:
    """The rows that may read otherwise when digits and emoji sound, and parts are what they make: most don't."""
    codes, worth = view.codes, _NOWHERE
    if told & _PARTS:
        worth, _ = joins().at(codes, _marked(looks, _PARTS))
    if told & _SPEAKS:
        places = _marked(looks, _SPEAKS)
        found, before, after = codes[places], codes[places - _ONE], codes[places + _ONE]
        speaks = (found - _DIGIT_ONE) < _TONES
        speaks &= is_latin.take(before)
        speaks |= found >= _BEYOND_ASCII
        speaks |= (kind_of.take(before) == _IS_SYLLABLE) | (kind_of.take(after) == _IS_SYLLABLE)
        worth = np.concatenate((worth, places[speaks]))
    return holding(view.starts, worth) if len(worth) else worth


def _without_looks(view: View, looks: Looks) -> Codes:
    """A view's codes, letters that look like Latin ones being those.

    A run of them that touches a Latin letter is read so; one by itself only where no other letter of its row says that
    the row is in that script: сосна, and a сок beside it, stay as they are.
    """
    codes, places = view.codes, _marked(looks, _FOREIGN)
    written, folded = view.batch.codes[view.source[places]], codes[places]
    alike = glyph_of.take(written)
    alike = np.where(alike, alike, glyph_of.take(folded))
    if not np.count_nonzero(alike):
        return codes
    opens = all_true(len(places))
    opens[1:] = places[1:] - places[:-1] > 1
    run = opens.cumsum() - 1
    first = opens.nonzero()[0]
    firsts, lasts = places[first], places[ends_of(first, len(places)) - 1]
    touching = is_latin.take(codes[firsts - 1]) | is_latin.take(codes[lasts + 1])
    # No word is in two scripts.
    scripts = script_of.take(codes[places])
    touching |= np.minimum.reduceat(scripts, first) != np.maximum.reduceat(scripts, first)
    # Between single letters stand single letters: f.υ.c.k.
    touching |= (firsts == lasts) & (_alone(codes, firsts, -1) | _alone(codes, firsts, 1))
    strange = (alike == 0) | (loose_glyph.take(written) & ~touching[run])
    strange_run = np.zeros(len(firsts), np.bool_)
    strange_run[run[strange]] = True
    row = view.starts.searchsorted(places[opens], side="right") - 1
    strange_row = np.zeros(len(view.starts), np.bool_)
    strange_row[row[strange_run]] = True
    read = (~strange_run & (touching | ~strange_row[row]))[run]
    found = codes.copy()
    found[places[read]] = alike[read]
    return found


def _without_leet(codes: Codes, places: Index) -> Codes:
    """Digits and signs as letters where they touch a Latin letter, or others that do; `places` are theirs."""
    opens = openings(places - numbers_to(len(places)))
    firsts, lasts = places[opens], places[ends_of(opens, len(places)) - _ONE]
    touches = is_latin.take(codes[firsts - _ONE]) | is_latin.take(codes[lasts + _ONE])
    at = (~touches & ((firsts == lasts) | _is_stroke.take(codes[firsts + _ONE]))).nonzero()[0]
    if len(at):
        touches[at] = _alone(codes, firsts[at], -1) | _alone(codes, firsts[at], 1)
    read = places[touches.repeat(lengths_of(opens, len(places)))]
    stroke = _is_stroke.take(codes[read])
    if np.count_nonzero(stroke):
        stroke[stroke] = _only_strokes(codes, read[stroke])
        read = read[~stroke]
    if not len(read):
        return codes
    found = codes.copy()
    found[read] = leet_of.take(codes[read])
    return found


def _only_strokes(codes: Codes, at: Index) -> NDArray[np.bool_]:
    """Which strokes are no letters. f|u|c|k: between single letters they stand between them, and hi! ends with one; in
    b|tch it is a letter.
    """
    before, last, sign, following = (codes[at + far] for far in (-2, -1, 0, 1))
    behind = codes.take(at + 2, mode="clip")
    alone = (kind_of.take(before) != LETTER) & (kind_of.take(behind) != LETTER)
    alone &= (before == sign) | (behind == sign)
    # fu(k, but not (cat); shi+, but not A+.
    lettered = kind_of.take(last) == LETTER
    ends = (sign == ord("+")) & lettered & is_latin.take(before)
    alone |= _is_bracket.take(sign) & ~(lettered & is_latin.take(following)) & ~ends
    # hi!, but d!¢k.
    closing = ~ends & (kind_of.take(following) != LETTER)
    closing &= (leet_of.take(following) == 0) | _is_stroke.take(following)
    strokes: NDArray[np.bool_] = alone | closing
    return strokes


def _alone(codes: Codes, places: Index, step: int) -> NDArray[np.bool_]:
    """Whether the second next to each place, in one direction, is a Latin letter by itself, a gap between them."""
    near = codes.take(places + step, mode="clip")
    alone: NDArray[np.bool_] = (kind_of.take(near) == _IS_GAP) & ~leet_of.take(near).astype(np.bool_)
    if np.count_nonzero(alone):
        alone &= is_latin.take(codes.take(places + 2 * step, mode="clip"))
        alone &= kind_of.take(codes.take(places + 3 * step, mode="clip")) != LETTER
    return alone


def _sounding(codes: Codes, at: Index) -> tuple[Codes, Index]:
    """Tone digits out, other digits and emoji replaced by characters that sound like them, parts by what they make.
    Codes are used up.
    """
    places = ((codes - ord("0")) < 10).nonzero()[0]
    if len(places):
        digits, after = codes[places], codes.take(places + 1, mode="clip")
        behind_letter = is_latin.take(codes.take(places - 1, mode="clip"))
        tone = behind_letter & ((digits - ord("1")) < 5) & ((after - ord("0")) >= 10)
        spoken = ~behind_letter & ~is_latin.take(after)
        codes[places[tone]] = ord(" ")
        codes[places[spoken]] = _NUMERALS[digits[spoken] - ord("0")]
    return emoji_syllables().replaced(with_joined(codes), at)


def _spelled(codes: Codes) -> tuple[NDArray[np.uint16], Index, Index]:
    """Symbols out of codes, gaps left out, repetitions counted once; and what of the codes is kept, what repeated."""
    symbols = symbol_of.take(codes)
    kept = symbols.astype(np.bool_).nonzero()[0]
    symbols = symbols.take(kept)
    repeated = (symbols[1:] == symbols[:-1]).nonzero()[0]
    if len(repeated):
        after = repeated + _ONE
        repeated = after[_again(codes, kept[repeated], kept[after])]
    if len(repeated):
        once = all_true(len(kept))
        once[repeated] = False
        symbols = symbols[once]
    return symbols, kept, repeated


def _again(codes: Codes, first: Index, second: Index) -> NDArray[np.bool_]:
    """Whether a character stands there again: not a second row's end, not another that sounds alike, and not a letter
    that ends one word and begins another. In `said don't` the d is written twice, in a.s.s the s repeated.
    """
    found = codes[second]
    again: NDArray[np.bool_] = (found == codes[first]) & (found != _END)
    apart = (again & (second - first > _ONE) & is_latin.take(found)).nonzero()[0]
    if len(apart):
        again[apart] = ~is_latin.take(codes[first[apart] - 1]) & ~is_latin.take(codes[second[apart] + 1])
    return again


_NUMERALS = np.array([ord(each) for each in sounds.DIGITS], np.uint32)
_NOWHERE = np.zeros(0, np.int64)
_LAST = np.array(((0,), (1,)))
_ONE = constant(1, np.int64)
_DIGIT_ONE, _TONES, _BEYOND_ASCII, _END = (constant(each, np.uint32) for each in (ord("1"), 5, 0x80, 0))
_IS_GAP, _IS_SYLLABLE = constant(GAP, np.uint8), constant(SYLLABLE, np.uint8)
