"""The fold that is always on: what writers may vary without changing what a reader reads, by table.

Compatibility forms, width, letter case and traditional characters become the plain form; invisible characters, accents
and other marks vanish; what is left to compose (kana voicing, Hangul jamo, Indic vowels) composes; white space becomes
one space. `moderation.text.build_tables.SlowFold` says the same, one code point at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moderation.text.batch import Batch
from moderation.text.lists import all_true, constant, numbers_to, steps
from moderation.text.tables import CODE, CODE_POINTS, COMPOSE, DELETE, EXPAND, VANISH, read_table

Codes = NDArray[np.uint32]
Positions = NDArray[np.int64]
Source = NDArray[np.int64] | NDArray[np.int32]

_IS_SPACE, _DELETE, _ONE = constant(32, np.uint32), constant(DELETE, np.uint32), constant(1, np.int64)
_NOWHERE = np.zeros(0, np.int64)
_HANGUL, _LEADS, _VOWELS, _TAILS = (0xAC00, 11172), (0x1100, 19), (0x1161, 21), (0x11A8, 27)
_JAMO_END = 0x1200


class FoldTable(NamedTuple):
    """The shipped fold.

    `values[c]` is what code point c becomes: a code point, DELETE, EXPAND | number of an expansion, or COMPOSE or
    VANISH | code point. Expansion i is `expanded[ends[i] - lengths[i] : ends[i]]`. `pairs`, ascending, are the keys
    first << 21 | second of what composes into `both`; `jamo`, ascending, show as `letters` where they found nothing to
    compose with. `kinds[c]` are the kinds of the fold of c, as bits.
    """

    values: Codes
    kinds: NDArray[np.uint8]
    lengths: Positions
    ends: Positions
    expanded: Codes
    pairs: Positions
    both: Codes
    jamo: Codes
    letters: Codes


class Folded(NamedTuple):
    """Folded rows: code points with one separator (0) after each row, and the position that each came from; `moved`
    tells whether any stands elsewhere.
    """

    codes: Codes
    source: Source
    moved: bool


def _load() -> FoldTable:
    arrays = read_table("folding")
    values = np.arange(CODE_POINTS, dtype=np.uint32)
    values[arrays["codes"]] = arrays["values"]
    kinds = np.zeros(CODE_POINTS, np.uint8)
    kinds[arrays["codes"]] = arrays["kinds"]
    lengths = arrays["expansion_lengths"].astype(np.int64)
    pairs = _pair_keys(arrays["pair_first"], arrays["pair_second"])
    return FoldTable(
        values,
        kinds,
        lengths,
        np.cumsum(lengths),
        arrays["expansion_codes"],
        pairs,
        arrays["pair_both"],
        arrays["jamo"],
        arrays["letters"],
    )


def _pair_keys(first: Codes, second: Codes) -> Positions:
    return (first.astype(np.int64) << 21) | second.astype(np.int64)


TABLE = _load()


def fold(text: str) -> str:
    """Fold one text exactly as `folded_view` folds a row, without spaces at its ends."""
    return fold_all((text,))[0]


def fold_all(texts: Sequence[str]) -> list[str]:
    """Fold many texts at once; each result is what `fold` gives."""
    folded = fold_batch(Batch.of(texts))
    rows = folded.codes.tobytes().decode("utf-32-le").split("\0")
    return [row.strip(" ") for row in rows[:-1]]


def fold_batch(batch: Batch) -> Folded:
    """Fold the rows of a batch, in time linear in their length."""
    values = TABLE.values.take(batch.codes)
    values[batch.separators] = 0
    source: Source | None = None
    special = (values >= _DELETE).nonzero()[0]
    dropped = _NOWHERE
    if len(special):
        if (values[special] & EXPAND).any():
            values, source = _expand(values, special)
            special = (values >= DELETE).nonzero()[0]
        dropped = _compose(values, special)
    again = _spaces_again(values, dropped)
    return _finish(values, source, np.concatenate((dropped, again)) if len(dropped) else again)


def _expand(values: Codes, special: Positions) -> tuple[Codes, Source]:
    """Make room for the expansions and fill them in; also where each position came from."""
    at = special[(values[special] & EXPAND) != 0]
    number = values[at] & CODE
    lengths = TABLE.lengths[number]
    starts = at + np.cumsum(lengths - 1) - (lengths - 1)
    within = _ranges(lengths)
    places = starts.repeat(lengths) + within
    opens = np.ones(len(values) + int((lengths - 1).sum()), np.bool_)
    opens[places[within > 0]] = False
    source = np.add.accumulate(opens, dtype=np.int32)
    source -= 1
    expanded = np.empty(len(opens), np.uint32)
    expanded[opens] = values
    expanded[places] = TABLE.expanded[np.repeat(TABLE.ends[number] - lengths, lengths) + within]
    return expanded, source


def _ranges(lengths: Positions) -> Positions:
    """0 … length - 1 for each of the lengths, one after the other."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _compose(values: Codes, special: Positions) -> Positions:
    """Merge in place what composes with the code point before it; the positions that fall away, ascending."""
    found = values[special]
    dropped, marks = special[found == DELETE], special[found >= VANISH]
    letters = special[(found >= COMPOSE) & (found < VANISH)]
    if marks.size:
        dropped = _compose_marks(values, marks, dropped)
    return _compose_letters(values, letters, dropped) if letters.size else dropped


def _compose_marks(values: Codes, marks: Positions, dropped: Positions) -> Positions:
    """A base takes the first mark that it composes with; all other marks vanish."""
    merging = values[marks] & CODE
    dropped = _also_dropped(values, dropped, marks)
    first = _kept_before(marks, dropped)
    both = _paired(values[first] & CODE, merging)
    base, taken = np.unique(first[both > 0], return_index=True)
    values[base] = both[both > 0][taken]
    return dropped


def _compose_letters(values: Codes, seconds: Positions, dropped: Positions) -> Positions:
    """Vowels and jamo: what one round composes may compose with what follows, at most three deep."""
    while seconds.size:
        first = _kept_before(seconds, dropped)
        before, after = values[first] & CODE, values[seconds] & CODE
        both = _paired(before, after)
        jamo = (after >= _LEADS[0]) & (after < _JAMO_END)
        if jamo.any():
            both[jamo] = _syllables(before[jamo], after[jamo])
        merged = both > 0
        if not merged.any():
            values[seconds] = _as_letters(after) if jamo.any() else after
            break
        values[first[merged]] = both[merged]
        dropped = _also_dropped(values, dropped, seconds[merged])
        seconds = seconds[~merged]
    return dropped


def _also_dropped(values: Codes, dropped: Positions, more: Positions) -> Positions:
    values[more] = DELETE
    return np.sort(np.concatenate((dropped, more)))


def _kept_before(positions: Positions, dropped: Positions) -> Positions:
    """The nearest position before each that is not dropped; -1, the last separator, where there is none."""
    before = positions - 1
    if not dropped.size:
        return before
    opens = np.concatenate(([True], steps(dropped) > 1))
    run_start = np.maximum.accumulate(np.where(opens, dropped, -1))
    nearest = np.maximum(np.searchsorted(dropped, before, side="right") - 1, 0)
    return np.where(dropped[nearest] == before, run_start[nearest] - 1, before)


def _paired(first: Codes, second: Codes) -> Codes:
    """The composition of each pair by table, 0 where it has none."""
    keys = _pair_keys(first, second)
    nearest = np.minimum(np.searchsorted(TABLE.pairs, keys), len(TABLE.pairs) - 1)
    return np.where(TABLE.pairs[nearest] == keys, TABLE.both[nearest], np.uint32(0))


def _syllables(first: Codes, second: Codes) -> Codes:
    """The Hangul syllable of each pair (lead and vowel, open syllable and tail), 0 where it makes none."""
    lead, syllable = _index(first, _LEADS), _index(first, _HANGUL)
    vowel, tail = _index(second, _VOWELS), _index(second, _TAILS)
    opened = np.where((lead >= 0) & (vowel >= 0), _HANGUL[0] + (lead * 21 + vowel) * 28, 0)
    closes = (syllable >= 0) & (syllable % 28 == 0) & (tail >= 0)
    return np.where(closes, first + tail + 1, opened).astype(np.uint32)


def _index(codes: Codes, block: tuple[int, int]) -> Positions:
    """The place of each code point in a block of (start, size), -1 outside of it."""
    place = codes.astype(np.int64) - block[0]
    return np.where((place >= 0) & (place < block[1]), place, -1)


def _as_letters(codes: Codes) -> Codes:
    """Jamo as the letters that keyboards type; others unchanged."""
    nearest = np.minimum(np.searchsorted(TABLE.jamo, codes), len(TABLE.jamo) - 1)
    return np.where(TABLE.jamo[nearest] == codes, TABLE.letters[nearest], codes)


def _spaces_again(values: Codes, dropped: Positions) -> Positions:
    """The positions of spaces that follow a space, whatever was dropped in between."""
    spaces: Positions = (values == _IS_SPACE).nonzero()[0]
    if len(spaces) < 2:
        return spaces[:0]
    before, after = spaces[:-1], spaces[1:]
    again = after - before == _ONE
    if len(dropped):
        torn = (values[before + 1] == DELETE).nonzero()[0]
        again[torn] = _kept_before(after[torn], dropped) == before[torn]
    return np.asarray(after[again])


def _finish(values: Codes, source: Source | None, dropped: Positions) -> Folded:
    if not len(dropped):
        moved = source is not None
        return Folded(values, numbers_to(len(values), np.int32) if source is None else source, moved)
    keep = all_true(len(values))
    keep[dropped] = False
    kept = keep.nonzero()[0]
    return Folded(values.take(kept), kept if source is None else source.take(kept), True)
