"""From posts to rows: every text field of every post becomes one row of a columnar batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.engine.lists import Lists
from moderation.post import Post, PostId, declared_language
from moderation.text.batch import Batch


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of posts as rows.

    `owner[row]` is the row's post, `first[post]` its first row; `fields[row]` the field's name. `truncated` are the
    posts that were longer than the policy's limit: their rows hold what fits.
    """

    ids: tuple[PostId, ...]
    attributes: tuple[Mapping[str, Any], ...]
    fields: tuple[str, ...]
    batch: Batch
    owner: NDArray[np.int64]
    first: NDArray[np.int64]
    truncated: frozenset[int]
    hints: tuple[str | None, ...] | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def of_posts(self) -> Lists:
        """The rows by post."""
        return Lists.cut(self.first, np.arange(len(self.owner)))


def portions(posts: Sequence[Post], limit: int, size: int) -> Iterator[Sequence[Post]]:
    """Split posts so that a portion holds about `size` code points at most: memory stays bounded whatever comes in."""
    lengths = [sum([len(text) for _, text in post.fields]) for post in posts]
    if sum(lengths) <= size:
        yield posts
        return
    filled = np.cumsum(np.minimum(lengths, limit))
    start = 0
    while start < len(posts):
        base = filled[start - 1] if start else 0
        end = max(int(np.searchsorted(filled, base + size, side="right")), start + 1)
        yield posts[start:end]
        start = end


def gather(read: Sequence[Post], limit: int) -> Rows:
    """Lay posts out as rows, each post cut to `limit` code points."""
    counts = np.fromiter((len(post.fields) for post in read), np.int64, len(read))
    first = np.zeros(len(read) + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    owner = np.repeat(np.arange(len(read), dtype=np.int64), counts)
    texts = [text for post in read for _, text in post.fields]
    truncated = _truncate(texts, first, owner, limit)
    hints = [declared_language(post.attributes) for post in read]
    return Rows(
        tuple([post.id for post in read]),
        tuple([post.attributes for post in read]),
        tuple([name for post in read for name, _ in post.fields]),
        Batch.of(texts),
        owner,
        first,
        truncated,
        tuple(hints[post] for post in owner.tolist()) if any(hints) else None,
    )


def _truncate(texts: list[str], first: NDArray[np.int64], owner: NDArray[np.int64], limit: int) -> frozenset[int]:
    """Cut over-long posts so that each one's rows together hold `limit` code points; tells which were cut."""
    lengths = list(map(len, texts))
    # No post is longer than the longest row times the most rows that one post can have.
    if sum(lengths) <= limit or max(lengths) * (len(texts) - len(first) + 2) <= limit:
        return frozenset()
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
