"""Terms where they stand in disguise: by tricks of evasion, and in text that a row hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from moderation.engine.signals import ViewPlan
from moderation.evasion.hidden import Hidden, hidden_texts
from moderation.evasion.matcher import Key, LooseHits, fewest
from moderation.evasion.reading import Reading
from moderation.signals.matcher import Columns
from moderation.text.batch import Batch
from moderation.text.edges import script_edges
from moderation.text.lists import Index
from moderation.text.views import View, folded_view


class Via(NamedTuple):
    """The mask of the tricks of a hit, and its original span where that is not the view's."""

    mask: int
    original: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """The texts that the rows of a view hide, folded, and how they read."""

    hidden: Sequence[Hidden]
    view: View
    reading: Reading

    @classmethod
    def of(cls, hidden: Sequence[Hidden]) -> Inside:
        """Fold and read them."""
        view = folded_view(Batch.of([each.text for each in hidden]))
        return cls(hidden, view, Reading.of(view))


class Disguised(msgspec.Struct, eq=False, gc=False):
    """Hits of a view by (row, pattern, start, end), each with how it was found; how the view reads, and what its rows
    hide.
    """

    reading: Reading | None = None
    inside: Inside | None = None
    found: dict[Key, Via] = {}

    def add(self, key: Key, via: Via) -> None:
        """Note a hit; of two ways to it the one by fewer tricks."""
        known = self.found.get(key)
        if known is None or fewest(via.mask, known.mask) != known.mask:
            self.found[key] = via

    def beside(self, plain: Columns) -> tuple[Columns, Index | None]:
        """Hits that need no trick and behind them these, as a matcher's columns, and the masks of all."""
        if not self.found:
            return plain, None
        keys = sorted(self.found)
        masks = np.zeros(plain.shape[1] + len(keys), np.int64)
        masks[plain.shape[1] :] = [self.found[key].mask for key in keys]
        return np.concatenate((plain, np.array(keys, np.int64).T), axis=1), masks


def look_everywhere(plan: ViewPlan, view: View) -> Disguised:
    """All terms that are not on demand, in all rows."""
    if plan.loose is None:
        return Disguised()
    hidden = hidden_texts(view.batch, plan.loose.encoded)
    reading = Reading.of(view) if plan.loose.sought else None
    found = Disguised(reading, Inside.of(hidden) if hidden else None)
    if found.inside is not None:
        _note_inside(found, view, plan.matcher.terms(found.inside.view))
        _note_inside(found, view, *plan.loose.early.find(found.inside.reading))
    if reading is not None:
        _note(found, plan.loose.early.find(reading))
    return found


def look_on_demand(plan: ViewPlan, view: View, rows: Index, before: Disguised) -> Disguised:
    """All terms on demand, in these rows and in what any row hides; `before` is what was found everywhere."""
    inside = before.inside
    found = Disguised(before.reading, inside)
    if plan.loose is None:
        return found
    if inside is not None:
        _note_inside(found, view, plan.matcher.terms_in(inside.view, np.arange(len(inside.hidden))))
        _note_inside(found, view, *plan.loose.late.find(inside.reading))
    if plan.loose.late and before.reading is not None and len(rows):
        _note(found, plan.loose.late.find(before.reading, rows))
    return found


def _note(found: Disguised, hits: LooseHits) -> None:
    if not len(hits.masks):
        return
    for (row, pattern, start, end), mask in zip(hits.columns.T.tolist(), hits.masks.tolist(), strict=True):
        found.add((row, pattern, start, end), Via(mask))


def _note_inside(found: Disguised, view: View, columns: Columns, masks: Index | None = None) -> None:
    """Hits in hidden texts, told in terms of the rows that hide them."""
    if found.inside is None or not columns.shape[1]:
        return
    hidden, inside = found.inside.hidden, found.inside.view
    rows, _, starts, ends = columns
    masks = np.zeros(len(rows), np.int64) if masks is None else masks
    stands = script_edges(inside, rows, starts, ends)
    opens, closes = inside.original_spans(rows, starts, ends)
    for (row, pattern, _, _), mask, start, end in zip(
        columns[:, stands].T.tolist(),
        masks[stands].tolist(),
        opens[stands].tolist(),
        closes[stands].tolist(),
        strict=True,
    ):
        text = hidden[row]
        span = min(text.opens[start:end]), max(text.closes[start:end])
        at = _in_view(view, text.row, span)
        found.add((text.row, pattern, *at), Via(mask | text.bit, span))


def _in_view(view: View, row: int, span: tuple[int, int]) -> tuple[int, int]:
    """What of a view comes from a span of an original row: nothing, if that shows nothing. Relative to the row."""
    base, origin = int(view.starts[row]), int(view.batch.starts[row])
    sources = view.source[base : int(view.starts[row + 1])]
    start, end = np.searchsorted(sources, (origin + span[0], origin + span[1])).tolist()
    return min(start, len(sources) - 1), min(end, len(sources) - 1)
