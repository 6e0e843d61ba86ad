"""What literals stand for: spellings of terms, as objects and as columns."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.evasion import sounds
from moderation.evasion.literals import Literals, are_enough, is_short, sizes_of
from moderation.evasion.reading import GAP, SYLLABLE, holds, kind, kind_of
from moderation.evasion.spellings import Spelling, also_written, has_puns, spellings
from moderation.evasion.tricks import ALWAYS_MASK, BIT
from moderation.text.batch import Joined, joined
from moderation.text.lists import held_in

Codes = NDArray[np.uint32]
Index = NDArray[np.int64]
Terms = Mapping[int, tuple[str, int]]
Kin = Mapping[int, frozenset[Hashable]]

_LEAST = 4


class Target(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A spelling of a term, and the tricks that the term may be found by. `kin` is whom the term counts for, `alike`
    are the texts of other terms that read alike and that it stands for.
    """

    term: int
    spelling: Spelling
    mask: int
    kin: frozenset[Hashable]
    alike: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Targets:
    """Targets by number, with columns: `sizes` (characters that are read), `lengths` of the spelling, whether its
    characters themselves count (`exact`), whether common ones may be it (`puns`), and whether it is two Chinese
    characters that sound, and no others stand for them (`pairs`).

    `ends` are the characters that a text must begin and end with to be an exact target, 0 where others may stand there,
    and those of pairs. `plain` are the sorted keys of texts that are a target's term, or another that
    reads so and counts for all that it counts for: these need no trick.
    """

    items: tuple[Target, ...]
    sizes: Index
    lengths: Index
    exact: NDArray[np.bool_]
    puns: NDArray[np.bool_]
    pairs: NDArray[np.bool_]
    ends: Codes
    plain: Index

    @classmethod
    def of(cls, items: Sequence[Target], plain: set[tuple[int, int]]) -> Targets:
        """The columns of targets; `plain` are pairs of targets, the second standing for its text."""
        texts = [target.spelling.text for target in items]
        laid = joined(texts)
        lengths, sums = laid.lengths, _sums(laid)
        exact = np.array([target.spelling.exact for target in items], np.bool_)
        keys = {mixed(target, int(sums[other]), int(lengths[other])) for target, other in plain}
        return cls(
            tuple(items),
            sizes_of(texts),
            lengths,
            exact,
            np.array([_may_be_common(target.spelling) for target in items], np.bool_),
            np.array([_is_pair(target) for target in items], np.bool_),
            _ends(laid, exact),
            np.array(sorted(keys), np.int64),
        )

    def are_plain(self, number: Index, sums: Index, lengths: Index) -> NDArray[np.bool_]:
        """Whether texts, by the sum of their characters weighed by place and by length, need no trick to be targets."""
        return held_in(mixed(number, sums, lengths), self.plain)


def mixed(target: Any, sums: Any, lengths: Any) -> Any:
    """One number for a target and a text."""
    return (target << 40) ^ (sums << 8) ^ lengths


def targets_of(terms: Terms, kin: Kin) -> tuple[Targets, dict[str, list[int]]]:
    """The targets of terms by number, each term with its mask, and by literal the targets that it stands for.

    Of terms that read alike and count for the same, the one with puns, or else the first, stands for all.
    """
    items: list[Target] = []
    owners: dict[str, list[int]] = {}
    for literal, target in _literals(terms, kin, items):
        owners.setdefault(literal, []).append(target)
    plain = {(number, number) for number, item in enumerate(items) if item.spelling.exact or not item.spelling.mask}
    chosen = {
        literal: owned if len(owned) < 2 else list(_chosen(sorted(set(owned)), items, plain))
        for literal, owned in owners.items()
    }
    return Targets.of(items, plain), chosen


def _chosen(owned: Sequence[int], items: list[Target], plain: set[tuple[int, int]]) -> Iterator[int]:
    """Of targets that say the same in the same way one; what others say plainly is noted."""
    alike: dict[tuple[frozenset[Hashable], int, int], list[int]] = {}
    for number in owned:
        target = items[number]
        if target.spelling.exact:
            yield number
        else:
            alike.setdefault((target.kin, target.mask, target.spelling.mask), []).append(number)
    for (kin, _, _), numbers in alike.items():
        best = min(numbers, key=lambda each: (not has_puns(items[each].spelling.text), items[each].spelling.text))
        plain.update((best, each) for each in owned if not items[each].spelling.mask and items[each].kin >= kin)
        alike_texts = {items[each].spelling.text for each in numbers} - {items[best].spelling.text}
        items[best] = msgspec.structs.replace(items[best], alike=items[best].alike | alike_texts)
        yield best


def _literals(terms: Terms, kin: Kin, items: list[Target]) -> Iterator[tuple[str, int]]:
    """(literal, number of its target) of all spellings; targets are added to `items`."""
    texts: list[str] = []
    owners: list[tuple[int, int]] = []
    for number, spelling in _usable(terms):
        term, mask = terms[number]
        items.append(Target(number, spelling, mask | ALWAYS_MASK, kin.get(number, frozenset({number}))))
        written = list(dict.fromkeys(also_written(spelling.text)))
        texts += written
        # What is neither the term nor sounds like it may be said by anybody, if it is short.
        least = 2 if spelling.mask & BIT["initials"] else 3 if spelling.mask & BIT["masks"] else _LEAST
        owners += [(len(items) - 1, least if text != term else 2) for text in written]
    read = Literals.of(texts)
    for at, (target, least) in enumerate(owners):
        item = items[target]
        for literal in read.literals(at, 0 if item.spelling.exact else item.mask):
            if len(literal) >= (least if is_short(literal) else 2):
                yield literal, target


def _usable(terms: Terms) -> Iterator[tuple[int, Spelling]]:
    """The spellings of all terms that are long enough for tricks."""
    found = [(number, spelling) for number, (term, mask) in terms.items() for spelling in spellings(term, mask)]
    texts = [spelling.text for _, spelling in found]
    for each, enough, size in zip(found, are_enough(texts).tolist(), sizes_of(texts).tolist(), strict=True):
        if enough or (each[1].mask & BIT["initials"] and size > 1):
            yield each


def _may_be_common(spelling: Spelling) -> bool:
    """Whether common characters in a row may be this spelling: listed ones, and more than two parts of characters."""
    if spelling.exact:
        free = BIT["initials"] | BIT["variants"]
        return bool(spelling.mask & free or (spelling.mask & BIT["splits"] and len(spelling.text) > 2))
    return has_puns(spelling.text)


def _is_pair(target: Target) -> bool:
    """Whether a target is said by sounds alone, in two characters, and one of them is no numeral."""
    text, spelling = target.spelling.text, target.spelling
    if spelling.exact or spelling.mask or target.alike or len(text) != 2 or has_puns(text):
        return False
    return all(kind(each) == SYLLABLE for each in text) and not all(map(sounds.digit_of, text))


def _ends(texts: Joined, exact: NDArray[np.bool_]) -> Codes:
    """The first and the last character of each text; 0 where an exact one may be read as another, or is not read."""
    ends = texts.codes[np.array((texts.opens, texts.opens + texts.lengths - 1))]
    return np.where(exact & _may_be_another.take(ends), np.uint32(0), ends)


def _sums(texts: Joined) -> Index:
    """By text, the sum of its characters weighed by place; no text is empty."""
    codes, lengths, opens = texts
    if not len(lengths):
        return lengths
    places = np.arange(1, len(codes) + 1) - opens.repeat(lengths)
    return np.add.reduceat(codes.astype(np.int64) * places, opens)


_may_be_another = holds(("l", *sounds.WRITTEN)) | (kind_of == GAP)
