"""Whether a stretch of text says a term, where exactly, and by which tricks: unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import msgspec

from moderation.evasion import sounds
from moderation.evasion.reading import GAP, LETTER, SYLLABLE, kind
from moderation.evasion.signs import STROKES
from moderation.evasion.spellings import VOWEL
from moderation.evasion.tricks import ALWAYS_BIT, BIT
from moderation.text.scripts import COMMON, script_of

_DIGITS = frozenset("0123456789")
_SYLLABLE_BREAK = frozenset(" '-12345")


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A character as it is read, where it stands (several times, if it is repeated), and what stands before it."""

    read: str
    places: tuple[int, ...]
    gap: str


class Alignment(msgspec.Struct, frozen=True, gc=False):
    """A term in a stretch: [start, end) of it, by the tricks of `mask`. `gaps` are what separates its characters where
    the term has nothing, or something else.
    """

    start: int
    end: int
    mask: int
    gaps: tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def align(read: str, folded: str, spelled: str, exact: bool) -> Alignment | None:
    """Align a stretch, as it is read and as it is folded, with a spelling; None where it does not say it.

    Time linear in the stretch for all that people write: only syllables with several readings are tried in turn.
    """
    said, units = _term_units(spelled), units_of(read)
    found = _matched(said, units, folded, exact)
    if found is None and "i" in read and "l" in spelled:
        # In ki11 one i is an i, and two are an l.
        units = units_of(read, folded)
        found = _matched(said, units, folded, exact)
    if found is None:
        return None
    mask, owners = found
    first, last = _trimmed(units, said)
    units[0], units[-1] = first, last
    gaps = tuple(_gaps(said, units, owners, folded, spelled))
    if gaps and VOWEL not in spelled:
        mask |= BIT["separators"]
    if _repeated(said, units, owners, folded):
        mask |= BIT["repeats"]
    return Alignment(first.places[0], last.places[-1] + 1, mask, gaps)


def units_of(text: str, written: str = "") -> list[Unit]:
    """The units of a text: gaps left out, repetitions as one; if it is told how the text is written, an i and what else
    is read as one are two.
    """
    units: list[Unit] = []
    gap = ""
    for place, character in enumerate(text):
        if kind(character) == GAP:
            gap += character
        elif units and units[-1].read == character and not (written and _is_other_i(written, units[-1], place)):
            units[-1] = Unit(character, (*units[-1].places, place), units[-1].gap)
            gap = ""
        else:
            units.append(Unit(character, (place,), gap))
            gap = ""
    return units


def _is_other_i(written: str, before: Unit, place: int) -> bool:
    return before.read == "i" and (written[place] == "i") != (written[before.places[-1]] == "i")


@lru_cache(maxsize=1 << 12)
def _term_units(spelled: str) -> tuple[Unit, ...]:
    return tuple(units_of(spelled))


def _matched(said: tuple[Unit, ...], units: list[Unit], folded: str, exact: bool) -> tuple[int, list[int]] | None:
    """The mask, and for every unit of the text the unit of the term that it says."""

    def rest(i: int, j: int) -> tuple[int, list[int]] | None:
        if i == len(said) or j == len(units):
            return (0, []) if i == len(said) and j == len(units) else None
        for mask, taken in _ways(said[i], units, j, folded, exact):
            tail = rest(i + 1, j + taken)
            if tail is not None:
                return mask | tail[0], [i] * taken + tail[1]
        return None

    return rest(0, 0)


def _ways(unit: Unit, units: list[Unit], at: int, folded: str, exact: bool) -> Iterator[tuple[int, int]]:
    """Masks by which units from `at` on say one unit of the term, and how many of them."""
    heard = units[at]
    written = folded[heard.places[0]]
    if heard.read == unit.read:
        if len(heard.places) >= len(unit.places):
            mask = 0
            for place in heard.places:
                mask |= _as_written(heard.read, folded[place])
            yield mask, 1
        return
    one, other = sounds.digit_of(unit.read), sounds.digit_of(heard.read) or sounds.digit_of(written)
    if one is not None and one == other:
        yield ALWAYS_BIT["digits"], 1
    elif unit.read == "l" and heard.read == "i" and written != "i":
        yield _as_written("l", written), 1
    if exact or not (syllables := sounds.readings(unit.read)):
        return
    if kind(heard.read) == SYLLABLE:
        yield from _sounding(syllables, heard.read, written)
    elif heard.read.isascii() and heard.read not in _DIGITS:
        yield from _spelled_out(syllables, units, at, len(unit.places))


def _sounding(syllables: tuple[str, ...], read: str, written: str) -> Iterator[tuple[int, int]]:
    heard = sounds.readings(read)
    shown = 0 if read == written or written in _DIGITS else _shown(written)
    if shown == BIT["splits"]:
        return
    if not set(syllables).isdisjoint(heard):
        yield shown or BIT["homophones"], 1
    elif any(not sounds.near_class(each).isdisjoint(heard) for each in syllables):
        yield shown or BIT["near-homophones"], 1


def _spelled_out(syllables: tuple[str, ...], units: list[Unit], at: int, times: int) -> Iterator[tuple[int, int]]:
    """A syllable in letters, so many times or once; what many speakers don't tell apart after what is right."""
    near = sorted({other for each in syllables for other in sounds.near(each)} - set(syllables))
    for syllable in (*syllables, *near):
        # nan nong, written nannong, reads nanong: the n is shared.
        for letters in dict.fromkeys((syllable * times, syllable, syllable[1:])):
            shared = letters == syllable[1:]
            if shared and not (at and units[at - 1].read == syllable[0] and len(units[at - 1].places) > 1):
                continue
            spelled = "".join(unit.read for unit in units[at : at + len(letters)])
            if letters and spelled == letters:
                yield BIT["pinyin"] | BIT["near-homophones"] * (syllable in near), len(letters)


def _as_written(read: str, written: str) -> int:
    """By which trick a character is read as another."""
    if read == written:
        return 0
    code = ord(written)
    if kind(read) == LETTER:
        return BIT["leet"] if script_of[code] == COMMON else BIT["homoglyphs"]
    return ALWAYS_BIT["digits"] if written in _DIGITS else _shown(written)


def _shown(written: str) -> int:
    """By which trick what is no digit is read as a character: it is a part of one, or an emoji."""
    return BIT["splits"] if kind(written) == SYLLABLE else BIT["emoji"]


def _gaps(said: tuple[Unit, ...], units: list[Unit], owners: list[int], folded: str, spelled: str) -> Iterator[str]:
    """What stands between characters where the term has something else; what stands between syllables is pinyin."""
    for unit, owner in zip(units, owners, strict=True):
        within = [gap for gap in _within(unit, folded) if gap not in _within(said[owner], spelled)]
        # In ni ming gou mai one g ends a syllable, and one begins the next.
        shared = len(unit.places) == 2 and _is_spelled_out(unit, said[owner])
        yield from (gap for gap in within if not (shared and _SYLLABLE_BREAK.issuperset(gap)))
    for at in range(1, len(units)):
        before, unit = units[at - 1], units[at]
        gap = folded[before.places[-1] + 1 : unit.places[0]]
        between = owners[at] != owners[at - 1]
        # Of a character that stands twice, 看看, both syllables are one unit's.
        syllables = between or len(said[owners[at]].places) > 1
        spoken = syllables and _in_letters(said, (before, unit), owners[at - 1 : at + 1])
        if gap != (said[owners[at]].gap if between else "") and not (spoken and _SYLLABLE_BREAK.issuperset(gap)):
            yield gap


def _within(unit: Unit, text: str) -> list[str]:
    """What stands between the repetitions of a unit, as the t of great tits."""
    return [text[a + 1 : b] for a, b in pairwise(unit.places) if b > a + 1]


def _in_letters(said: tuple[Unit, ...], units: tuple[Unit, Unit], owners: list[int]) -> bool:
    """Whether one of two neighbours is a syllable in Latin letters."""
    return any(_is_spelled_out(unit, said[owner]) for unit, owner in zip(units, owners, strict=True))


def _is_spelled_out(unit: Unit, said: Unit) -> bool:
    return unit.read.isascii() and not said.read.isascii()


def _trimmed(units: list[Unit], said: tuple[Unit, ...]) -> tuple[Unit, Unit]:
    """The first and the last unit without the repetitions beyond a gap that the term has no need of.

    In `his s.h.i.t` the s of `his` is none of the term's.
    """
    first, last = units[0], units[-1]
    places, wanted = first.places, len(said[0].places)
    cuts = [at for at in range(len(places) - wanted, 0, -1) if places[at] > places[at - 1] + 1]
    first = Unit(first.read, places[cuts[0] :] if cuts else places, first.gap)
    places, wanted = (first if len(units) == 1 else last).places, len(said[-1].places)
    cuts = [at for at in range(wanted, len(places)) if places[at] > places[at - 1] + 1]
    last = Unit(last.read, places[: cuts[0]] if cuts else places, last.gap)
    return (last, last) if len(units) == 1 else (first, last)


def _repeated(said: tuple[Unit, ...], units: list[Unit], owners: list[int], folded: str) -> bool:
    """Whether any character stands more often than the term has it. What several signs draw stands once."""
    return any(
        len(unit.places) > (2 if _is_spelled_out(unit, said[owner]) else len(said[owner].places))
        and not all(_is_part(unit.read, folded[place]) for place in unit.places)
        for unit, owner in zip(units, owners, strict=True)
    )


def _is_part(read: str, written: str) -> bool:
    """Whether a sign or a character is drawn as a part of what is read."""
    return written in STROKES or (written != read and kind(read) == kind(written) == SYLLABLE)
