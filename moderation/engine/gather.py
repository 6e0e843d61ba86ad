"""From posts to rows: every text field of every post becomes one row of a columnar batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from moderation.engine.columns import Columns
from moderation.post import PostId
from moderation.text.batch import Batch
from moderation.text.lists import Lists, numbers_to, steps


class Rows(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A batch of posts as rows.

    `owner[row]` is the row's post, `first[post]` its first row; `fields[row]` the field's name. `truncated` are the
    posts that were longer than the policy's limit: their rows hold what fits. `hints` are declared languages by row.
    """

    ids: Sequence[PostId]
    attributes: Sequence[Mapping[str, Any]]
    fields: Sequence[str]
    batch: Batch
    owner: NDArray[np.int64]
    first: NDArray[np.int64]
    truncated: frozenset[int]
    hints: Sequence[str | None] | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def of_posts(self) -> Lists:
        """The rows by post."""
        return Lists.cut(self.first, numbers_to(len(self.owner)))


def gather(columns: Columns, limit: int) -> Rows:
    """Lay posts out as rows, each post cut to `limit` code points."""
    first = columns.first
    owner = numbers_to(len(columns)).repeat(steps(first))
    texts = list(columns.texts)
    truncated = _truncate(texts, first, owner, limit)
    hints = columns.hints
    return Rows(
        columns.ids,
        columns.attributes,
        columns.fields,
        Batch.of(texts),
        owner,
        first,
        truncated,
        None if hints is None else [hints[post] for post in owner.tolist()],
    )


def _truncate(texts: list[str], first: NDArray[np.int64], owner: NDArray[np.int64], limit: int) -> frozenset[int]:
    """Cut over-long posts so that each one's rows together hold `limit` code points; tells which were cut."""
    longest = max(map(len, texts), default=0)
    # No post is longer than the longest row times the most rows that one post can have.
    if longest * (len(texts) - len(first) + 2) <= limit:
        return frozenset()
    lengths = list(map(len, texts))
    totals = np.bincount(owner, weights=lengths, minlength=len(first) - 1)
    cut = np.flatnonzero(totals > limit).tolist()
    for post in cut:
        left = limit
        for row in range(int(first[post]), int(first[post + 1])):
            texts[row] = texts[row][:left]
            left -= len(texts[row])
    return frozenset(cut)


def base_name(field: str) -> str:
    """`tags[3]` is an item of the field `tags`."""
    return field.partition("[")[0]
