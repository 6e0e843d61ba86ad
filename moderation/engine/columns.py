"""From posts as they come to columns: ids, attributes, and the text fields of all posts one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any

import numpy as np

from moderation.post import DECLARED_LANGUAGE, Post, PostId, PostLike, declared_language
from moderation.text.lists import Index, numbers_to, steps

IDS = {int, str, type(None)}
"""The types of ids."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Posts as columns: post i has the rows [first[i], first[i + 1]); `fields` and `texts` are by row.

    `hints` are the languages that posts declare, by post; None where none does.
    """

    ids: Sequence[PostId]
    attributes: Sequence[Mapping[str, Any]]
    fields: Sequence[str]
    texts: Sequence[str]
    first: Index
    hints: Sequence[str | None] | None

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Post]:
        for post, (start, end) in enumerate(pairwise(self.first.tolist())):
            fields = tuple(zip(self.fields[start:end], self.texts[start:end], strict=True))
            yield Post(self.ids[post], fields, self.attributes[post])

    @classmethod
    def of(cls, posts: Sequence[PostLike], text_fields: Sequence[str]) -> Columns:
        """Read posts of any form. Raises PostError for the first that cannot be read."""
        plain = cls.alike(posts, text_fields)
        if plain is not None:
            return plain
        read = [Post.of(post, text_fields) for post in posts]
        hints = [declared_language(post.attributes) for post in read]
        return cls(
            [post.id for post in read],
            [post.attributes for post in read],
            [name for post in read for name, _ in post.fields],
            [text for post in read for _, text in post.fields],
            np.cumsum([0, *(len(post.fields) for post in read)], dtype=np.int64),
            hints if any(hints) else None,
        )

    @classmethod
    def alike(cls, posts: Sequence[Any], text_fields: Sequence[str]) -> Columns | None:
        """Read posts that are all dicts with the same one text field, as those of a feed are, without a look at each:
        it costs as much as finding their languages. None where any of them needs `Post.of`, if only to be refused.
        """
        if set(map(type, posts)) != {dict}:
            return None
        keys = set(chain.from_iterable(posts))
        names = [name for name in text_fields if name in keys]
        if len(names) != 1:
            return None
        ids, texts = _column(posts, "id"), _column(posts, names[0])
        if set(map(type, texts)) != {str} or not set(map(type, ids)) <= IDS:
            return None
        hints = None if keys.isdisjoint(DECLARED_LANGUAGE) else [declared_language(post) for post in posts]
        return cls(ids, posts, names * len(posts), texts, numbers_to(len(posts) + 1), hints)

    def portions(self, limit: int, size: int) -> Iterator[Columns]:
        """Parts of about `size` code points at most, posts cut at `limit`: memory stays bounded whatever comes in."""
        if sum(map(len, self.texts)) <= size:
            yield self
            return
        lengths = np.fromiter(map(len, self.texts), np.int64, len(self.texts))
        ends = np.concatenate(([0], lengths.cumsum()))[self.first]
        filled = np.minimum(steps(ends), limit).cumsum()
        start = 0
        while start < len(self):
            base = filled[start - 1] if start else 0
            end = max(int(np.searchsorted(filled, base + size, side="right")), start + 1)
            yield self._part(start, end)
            start = end

    def _part(self, start: int, end: int) -> Columns:
        rows = slice(int(self.first[start]), int(self.first[end]))
        hints = None if self.hints is None else self.hints[start:end]
        return Columns(
            self.ids[start:end],
            self.attributes[start:end],
            self.fields[rows],
            self.texts[rows],
            self.first[start : end + 1] - self.first[start],
            hints,
        )


def _column(posts: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """What stands in posts under a key, None where nothing does."""
    try:
        return list(map(itemgetter(key), posts))
    except KeyError:
        return [post.get(key) for post in posts]
