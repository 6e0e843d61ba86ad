"""Records of dumps and what becomes of them, a block at a time, for reports that need both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moderation.dumps.readers import Source, read_blocks
from moderation.dumps.records import Reject, read_posts
from moderation.dumps.runner import Progress
from moderation.post import Post


def read_dump(
    sources: Sequence[Source], text_fields: Sequence[str], progress: Progress | None = None
) -> Iterator[tuple[list[Post], list[Reject]]]:
    """The posts of all sources and the records that are none, in the order of the input, in constant memory.

    Raises DumpError where a source cannot be read.
    """
    for source in sources:
        for block in read_blocks(source):
            yield read_posts(block, text_fields, len(sources) > 1)
            if progress is not None:
                progress(source, block.taken)
