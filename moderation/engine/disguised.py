"""Terms where they stand in disguise: by tricks of evasion, and in text that a row hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from moderation.engine.signals import ViewPlan
from moderation.evasion.hidden import Hidden, hidden_texts
from moderation.evasion.matcher import Key, LooseMatcher, fewest
from moderation.signals.matcher import Columns
from moderation.text.batch import Batch
from moderation.text.edges import script_edges
from moderation.text.lists import Index
from moderation.text.views import View, folded_view


class Via(NamedTuple):
    """The mask of the tricks of a hit, and its original span where that is not the view's."""

    mask: int
    original: tuple[int, int] | None = None


@dataclass(slots=True)
class Disguised:
    """Hits of a view by (row, pattern, start, end), each with how it was found."""

    found: dict[Key, Via] = field(default_factory=dict)

    def add(self, key: Key, via: Via) -> None:
        """Note a hit; of two ways to it the one by fewer tricks."""
        known = self.found.get(key)
        if known is None or fewest(via.mask, known.mask) != known.mask:
            self.found[key] = via

    def columns(self) -> tuple[Columns, Index]:
        """The hits as a matcher's columns, and their masks."""
        keys = sorted(self.found)
        masks = np.array([self.found[key].mask for key in keys], np.int64)
        return np.array(keys, np.int64).reshape(-1, 4).T, masks


def look_everywhere(plan: ViewPlan, view: View) -> Disguised:
    """All terms that are not on demand, in all rows."""
    found = Disguised()
    if plan.loose is not None:
        for hidden in _grouped(view.batch, plan.loose.encoded):
            inside = folded_view(Batch.of([each.text for each in hidden]))
            _note_inside(found, view, hidden, inside, plan.matcher.terms(inside))
            _note_inside(found, view, hidden, inside, *plan.loose.early.find(inside))
        _note(found, plan.loose.early, view)
    return found


def look_on_demand(plan: ViewPlan, view: View, rows: Index) -> Disguised:
    """All terms on demand, in these rows."""
    found = Disguised()
    if plan.loose is None or not len(rows):
        return found
    texts = [view.batch.texts[row] for row in rows.tolist()]
    batch = Batch.of(texts)
    if plan.loose.late:
        part = folded_view(batch)
        for (row, *rest), mask in zip(*_listed(*plan.loose.late.find(part)), strict=True):
            found.add((int(rows[row]), rest[0], rest[1], rest[2]), Via(mask))
    for hidden in _grouped(batch, plan.loose.encoded):
        moved = [Hidden(int(rows[each.row]), each.text, each.opens, each.closes, each.bit) for each in hidden]
        inside = folded_view(Batch.of([each.text for each in hidden]))
        _note_inside(found, view, moved, inside, plan.matcher.terms_in(inside, np.arange(len(hidden))))
        _note_inside(found, view, moved, inside, *plan.loose.late.find(inside))
    return found


def _grouped(batch: Batch, encoded: bool) -> list[list[Hidden]]:
    hidden = hidden_texts(batch, encoded)
    return [hidden] if hidden else []


def _note(found: Disguised, loose: LooseMatcher, view: View) -> None:
    for key, mask in zip(*_listed(*loose.find(view)), strict=True):
        found.add((key[0], key[1], key[2], key[3]), Via(mask))


def _listed(columns: Columns, masks: Index) -> tuple[list[list[int]], list[int]]:
    return columns.T.tolist(), masks.tolist()


def _note_inside(
    found: Disguised, view: View, hidden: Sequence[Hidden], inside: View, columns: Columns, masks: Index | None = None
) -> None:
    """Hits in hidden texts, told in terms of the rows that hide them."""
    if not columns.shape[1]:
        return
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
