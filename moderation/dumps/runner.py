"""A run over a dump: blocks of lines in, decisions out, in order, one block at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from moderation.decision import VERDICTS, Decision, Verdict
from moderation.dumps.readers import Block, Source, read_blocks, was_replaced
from moderation.dumps.records import Reject, read_plain, read_posts
from moderation.dumps.summary import Summary
from moderation.dumps.writers import Sink, encode_lines
from moderation.post import PostLike

Progress = Callable[[Source, int], None]
ALL: Collection[Verdict] = frozenset(VERDICTS)


class Judge(Protocol):
    """What a run needs of an engine."""

    @property
    def text_fields(self) -> tuple[str, ...]: ...

    def decide_batch(self, posts: Sequence[PostLike], /) -> list[Decision]: ...


def score_dump(
    engine: Judge,
    sources: Sequence[Source],
    output: Sink,
    rejects: Sink | None = None,
    *,
    text_fields: Sequence[str] = (),
    only: Collection[Verdict] = ALL,
    progress: Progress | None = None,
) -> Summary:
    """Judge every record of the sources and write the decisions, in the order of the input.

    `text_fields` replaces the policy's, `only` are the verdicts that are written (all are counted), `progress` is told
    the bytes read of a source after every block. Raises DumpError where a source or an output cannot be used.
    """
    fields = tuple(text_fields) or engine.text_fields
    run = _Run(engine, fields, len(sources) > 1, output, rejects, frozenset(only), Summary())
    for source in sources:
        for block in read_blocks(source):
            run.score(block)
            if progress is not None:
                progress(source, block.taken)
        if was_replaced(source):
            run.summary.notes.append(
                f"{source.name} was replaced or removed during the run: what stood there at its turn was scored"
            )
    return run.summary


@dataclass(frozen=True, slots=True)
class _Run:
    engine: Judge
    fields: tuple[str, ...]
    named: bool
    output: Sink
    rejects: Sink | None
    only: frozenset[Verdict]
    summary: Summary

    def _posts(self, block: Block) -> tuple[Sequence[PostLike], list[Reject]]:
        """The posts of a block and its rejects. Plain records go to the engine as they are: it finds the same text."""
        if self.fields == self.engine.text_fields:
            plain = read_plain(block, self.fields, self.named)
            if plain is not None:
                return plain, []
        return read_posts(block, self.fields, self.named)

    def score(self, block: Block) -> None:
        posts, bad = self._posts(block)
        decisions = self.engine.decide_batch(posts) if posts else []
        self.summary.add(decisions)
        if self.only != ALL:
            decisions = [decision for decision in decisions if decision.verdict in self.only]
        if decisions:
            self.output.write(encode_lines(decisions))
        if bad:
            self.summary.add_rejects(bad)
            if self.rejects is not None:
                self.rejects.write(b"".join(reject.to_json() + b"\n" for reject in bad))
