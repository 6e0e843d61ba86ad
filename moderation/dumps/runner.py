"""A run over a dump: units of records in, decisions out, in order, a few units at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moderation.decision import VERDICTS, Decision, Verdict
from moderation.dumps.fields import FieldMap
from moderation.dumps.formats import Format
from moderation.dumps.jobs import in_order
from moderation.dumps.outputs import Output
from moderation.dumps.readers import Source, Unit, read_units, was_replaced
from moderation.dumps.records import Read, read_unit
from moderation.dumps.summary import Summary
from moderation.dumps.writers import Sink, encode_lines
from moderation.engine.columns import Columns
from moderation.engine.judged import Judged
from moderation.engine.written import Written
from moderation.packs.pause import collector_paused
from moderation.post import PostLike

Progress = Callable[[Source, int], None]
ALL: Collection[Verdict] = frozenset(VERDICTS)


class Judge(Protocol):
    """What a run needs of an engine."""

    @property
    def text_fields(self) -> tuple[str, ...]: ...
    @property
    def attributes(self) -> frozenset[str]: ...

    def decide_batch(self, posts: Sequence[PostLike] | Columns, /) -> list[Decision]: ...
    def judge_batch(self, posts: Sequence[PostLike] | Columns, /) -> list[Judged]: ...
    def write_batch(self, posts: Sequence[PostLike] | Columns, /) -> list[Written]: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does: how records are read (`kind` None: told by content), which verdicts are written, and how."""

    fields: FieldMap
    output: Output = field(default_factory=Output)
    only: Collection[Verdict] = ALL
    kind: Format | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a unit: its part of the output and of the rejects, and its counts."""

    output: bytes
    rejects: bytes
    summary: Summary


@dataclass(frozen=True, slots=True)
class Work:
    """Judges units, here or in another process: the same bytes come out."""

    engine: Judge
    plan: Plan

    @collector_paused()
    def __call__(self, unit: Unit) -> Done:
        """Judge a unit."""
        plan, summary = self.plan, Summary()
        direct = plan.fields.text == self.engine.text_fields
        read = read_unit(unit, plan.fields, plan.named, plan.output.keep, direct, self.engine.attributes)
        summary.add_rejects(read.rejects)
        rejects = b"".join(reject.to_json() + b"\n" for reject in read.rejects)
        if not len(read.posts):
            return Done(b"", rejects, summary)
        at_once = plan.output.format == "jsonl" and read.kept is None and (self._all or "allowed" not in plan.only)
        columns = plan.output.format == "parquet"
        judge = self._columns if columns else self._lines if at_once else self._encoded
        return Done(judge(read, summary), rejects, summary)

    @property
    def _all(self) -> bool:
        return set(self.plan.only) == ALL

    def _lines(self, read: Read, summary: Summary) -> bytes:
        """The decisions as lines: what is allowed without a word is only written down."""
        lines = []
        for written in self.engine.write_batch(read.posts):
            summary.add(written.told)
            summary.add_plain(written.plain)
            wanted = (each for each in written.told if each.verdict in self.plan.only)
            lines.append(written.lines if self._all else encode_lines(wanted))
        return self.plan.output.zipped(b"".join(lines))

    def _columns(self, read: Read, summary: Summary) -> bytes:
        """The decisions as columns."""
        portions = self.engine.judge_batch(read.posts)
        for judged in portions:
            summary.add(judged.told)
            summary.add_plain(judged.plain)
        return self.plan.output.encode_columns(portions, read.kept, self.plan.only)

    def _encoded(self, read: Read, summary: Summary) -> bytes:
        """The decisions in any other format, with what is kept of their posts."""
        decisions, kept = self.engine.decide_batch(read.posts), read.kept
        summary.add(decisions)
        if not self._all:
            written = [at for at, decision in enumerate(decisions) if decision.verdict in self.plan.only]
            decisions = [decisions[at] for at in written]
            kept = None if kept is None else [kept[at] for at in written]
        return self.plan.output.encode(decisions, kept)


def score_dump(
    engine: Judge,
    sources: Sequence[Source],
    output: Sink,
    rejects: Sink | None = None,
    *,
    plan: Plan | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Summary:
    """Judge every record of the sources and write the decisions, in the order of the input.

    Without a plan all decisions are written as JSON lines. With `jobs` processes the same bytes are written. `progress`
    is told the bytes read of a source after every unit. Raises DumpError where a source or an output cannot be used.
    """
    plan = plan or Plan(FieldMap(engine.text_fields), named=len(sources) > 1)
    summary = Summary()
    with plan.output.writing(output) as sink:
        sink.write(plan.output.head())
        for done in judged(Work(engine, plan), units_of(sources, plan, summary), jobs, progress):
            summary.merge(done.summary)
            sink.write(done.output)
            if rejects is not None:
                rejects.write(done.rejects)
    return summary


def judged(
    work: Work, units: Iterable[tuple[Source, Unit]], jobs: int, progress: Progress | None = None
) -> Iterator[Done]:
    """What becomes of units, in order, judged by `jobs` processes."""
    read: deque[tuple[Source, int]] = deque()

    def asked() -> Iterator[Unit]:
        for source, unit in units:
            read.append((source, unit.taken))
            yield unit

    for done in in_order(work, asked(), jobs):
        yield done
        place = read.popleft()
        if progress is not None:
            progress(*place)


def units_of(sources: Sequence[Source], plan: Plan, summary: Summary) -> Iterator[tuple[Source, Unit]]:
    """The units of all sources, in order; `summary` gets a note of those that were replaced meanwhile."""
    for source in sources:
        for unit in read_units(source, plan.fields, plan.kind):
            yield source, unit
        if was_replaced(source):
            summary.notes.append(
                f"{source.name} was replaced or removed during the run: what stood there at its turn was scored"
            )
