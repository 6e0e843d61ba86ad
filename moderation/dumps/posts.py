"""Records of dumps as posts, a unit at a time, for reports that look at both posts and decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moderation.dumps.fields import FieldMap
from moderation.dumps.readers import Source, read_units
from moderation.dumps.records import Reject, read_posts
from moderation.dumps.runner import Progress
from moderation.post import Post


def read_dump(
    sources: Sequence[Source], fields: FieldMap, progress: Progress | None = None
) -> Iterator[tuple[list[Post], list[Reject]]]:
    """The posts of all sources and the records that are none, in the order of the input, in constant memory.

    Raises DumpError where a source cannot be read.
    """
    for source in sources:
        for unit in read_units(source, fields):
            yield read_posts(unit, fields, len(sources) > 1)
            if progress is not None:
                progress(source, unit.taken)
