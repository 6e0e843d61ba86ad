"""Posts judged on a Spark cluster: in Python workers, a batch of Arrow rows at a time.

The rules travel with the job as a broadcast of their sources and are compiled once in every Python worker process,
which Spark keeps for the next task: nothing compiled is pickled. A row that is no post has no verdict and says why in
`reject`: no row is lost or doubled, and none fails the job.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from moderation.decision import FAILURE, Decision, Verdict, encode, undecided
from moderation.dumps.arrays import arrays_of, arrays_of_decisions, schema_of
from moderation.dumps.columnar import Table
from moderation.dumps.fields import FieldMap
from moderation.dumps.readers import Block, Unit
from moderation.dumps.records import Read, read_unit
from moderation.engine.columns import Columns
from moderation.engine.engine import Engine, fingerprint
from moderation.engine.written import written
from moderation.errors import DumpError
from moderation.packs.load import read_rules, read_sources
from moderation.post import Post, PostLike
from moderation.signals.classifier import Classifier

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame

REJECT = "reject"
LINES = "value string, rejected boolean, verdict string"
_TYPES = {"int32": "int", "list<item: string>": "array<string>", "map<string, double>": "map<string,double>"}

# By fingerprint: a Python worker outlives a task, and a closure's own variables don't.
_ENGINES: dict[str, Engine] = {}


def score(
    df: DataFrame, rules: Path | str | None = None, text: str | Sequence[str] = (), *, prefix: str = ""
) -> DataFrame:
    """The rows of a DataFrame, each with what is decided of it; also of a streaming one.

    `rules` is a folder of packs or a pack on the driver (None: the bundled rules). `text` names the columns that hold
    texts, and other fields, as `--field` of `moderation score` does: `"body"`, `["title=content.title", "id=post_id"]`;
    the policy's fields if empty. Columns are added under their names behind `prefix`: `verdict`, `severity`,
    `categories`, `rules`, `shadow`, `languages`, `uncovered`, `scores`, `unknown`, `reasons` (JSON), `engine`, and
    `reject`, null where the row is a post, else code and reason, the others null.

    Raises RulesError where rules do not load, DumpError where a column of the DataFrame has one of these names or none
    holds text.
    """
    scorer = _Scorer(*_shipped(df, rules, text), prefix)
    _check(df, scorer.fields, prefix)
    added = ", ".join(f"`{prefix}{field.name}` {_type(field.type)}" for field in (*_fields(),))
    schema = import_module("pyspark.sql.types").StructType.fromDDL(f"{added}, `{prefix}{REJECT}` string")
    whole = import_module("pyspark.sql.types").StructType([*df.schema.fields, *schema.fields])
    return df.mapInArrow(scorer, whole)


def score_lines(df: DataFrame, rules: Path | str | None = None, text: str | Sequence[str] = ()) -> DataFrame:
    """A DataFrame of JSON lines (`value`) as decisions and rejects, a line of JSON each (`value`, `rejected`), and the
    `verdict`, null where the line is no post.

    A post without an id gets none: a line of a distributed file has no number.
    """
    scorer = _LineScorer(*_shipped(df, rules, text))
    # As bytes: what is no UTF-8 is a reject, not the end of the job.
    return df.selectExpr("cast(value as binary) as value").mapInArrow(scorer, LINES)


def _shipped(
    df: DataFrame, rules: Path | str | None, text: str | Sequence[str]
) -> tuple[Broadcast[bytes], str, FieldMap]:
    """What workers need: the rules' sources, their fingerprint, and the fields of posts."""
    book = read_rules(rules)  # what is not sound fails here, once and now, not in every task
    if book.model is not None:
        Classifier(book.model)
    fields = FieldMap.of([text] if isinstance(text, str) else list(text), tuple(book.policy.fields))
    sources = msgspec.msgpack.encode(dict(book.sources))
    return df.sparkSession.sparkContext.broadcast(sources), fingerprint(book), fields


def _engine(sources: Broadcast[bytes], known: str) -> Engine:
    """The engine of this process. Raises DumpError where this machine has another version of the package."""
    if known not in _ENGINES:
        _ENGINES.clear()
        engine = Engine(read_sources(msgspec.msgpack.decode(sources.value, type=dict[str, bytes])))
        if engine.fingerprint != known:
            raise DumpError(
                f"the rules are {engine.fingerprint} on this worker and {known} on the driver: install the same "
                "version of the package `moderation` on both"
            )
        _ENGINES[known] = engine
        gc.collect()
        gc.freeze()  # the engine stays as long as the process: no need to walk it again for every few thousand rows
    return _ENGINES[known]


class _Scorer:
    """What a task does with its rows."""

    def __init__(self, sources: Broadcast[bytes], fingerprint: str, fields: FieldMap, prefix: str = "") -> None:
        self.sources, self.fingerprint, self.fields, self.prefix = sources, fingerprint, fields, prefix

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        engine = _engine(self.sources, self.fingerprint)
        keys = self.fields.columns(engine.attributes)
        for batch in batches:
            yield self._judged(engine, keys, batch)

    def _read(self, engine: Engine, unit: Unit) -> Read:
        return read_unit(unit, self.fields, direct=self.fields.text == engine.text_fields, attributes=engine.attributes)

    def _judged(self, engine: Engine, keys: frozenset[str], batch: Any) -> Any:
        arrow = import_module("pyarrow")
        looked_at = batch.select([name for name in batch.schema.names if name in keys])
        read = self._read(engine, Table("", 0, looked_at, 0))
        arrays = _decided(engine, read.posts)
        told: list[str | None] = [None] * batch.num_rows
        for reject in read.rejects:
            told[reject.line] = f"{reject.code} {reject.reason}"
        if read.rejects:
            numbers = iter(range(len(read.posts)))
            places = arrow.array([next(numbers) if each is None else None for each in told], arrow.int64())
            arrays = [array.take(places) for array in arrays]
        names = [f"{self.prefix}{name}" for name in (*(field.name for field in _fields()), REJECT)]
        columns = [*batch.columns, *arrays, arrow.array(told, arrow.string())]
        return arrow.RecordBatch.from_arrays(columns, [*batch.schema.names, *names])


class _LineScorer(_Scorer):
    """The same for lines of JSON."""

    def _judged(self, engine: Engine, keys: frozenset[str], batch: Any) -> Any:
        arrow = import_module("pyarrow")
        lines = batch.column(0).to_pylist()
        read = self._read(engine, Block("", 0, lines, 0))
        decided, verdicts = _written(engine, read.posts)
        rejected = [reject.to_json() for reject in read.rejects]
        values = arrow.array([*decided, *rejected], arrow.binary()).cast(arrow.string())
        kinds = arrow.array([False] * len(decided) + [True] * len(rejected))
        told = arrow.array([*verdicts, *([None] * len(rejected))], arrow.string())
        return arrow.RecordBatch.from_arrays([values, kinds, told], ["value", "rejected", "verdict"])


def _decided(engine: Engine, posts: Sequence[PostLike] | Columns) -> list[Any]:
    """The columns of decisions, but their ids. One post that breaks the engine must not take the job with it."""
    try:
        portions = [arrays_of(judged) for judged in engine.judge_batch(posts)]
    except Exception:
        decisions = [_one(engine, Post.of(post, engine.text_fields)) for post in posts]
        portions = [arrays_of_decisions(decisions, engine.fingerprint)]
    portions = portions or [arrays_of_decisions((), engine.fingerprint)]
    return [import_module("pyarrow").concat_arrays(column) for column in zip(*portions, strict=True)][1:]


def _written(engine: Engine, posts: Sequence[PostLike] | Columns) -> tuple[list[bytes], list[Verdict]]:
    """The same as lines of JSON, and the verdicts."""
    try:
        portions = engine.judge_batch(posts)
        lines = [line for judged in portions for line in written(judged).lines.split(b"\n")[:-1]]
        return lines, [verdict for judged in portions for verdict in judged.verdicts]
    except Exception:
        decisions = [_one(engine, Post.of(post, engine.text_fields)) for post in posts]
        return list(map(encode, decisions)), [decision.verdict for decision in decisions]


def _one(engine: Engine, post: Post) -> Decision:
    try:
        return engine.decide(post)
    except Exception:
        return undecided(post.id, FAILURE, engine.fingerprint, engine.rulebook.policy.unknown == "flag")


def _fields() -> list[Any]:
    return [field for field in schema_of(()) if field.name != "id"]


def _type(arrow_type: Any) -> str:
    return _TYPES.get(str(arrow_type), str(arrow_type))


def _check(df: DataFrame, fields: FieldMap, prefix: str) -> None:
    added = [f"{prefix}{name}" for name in (*(field.name for field in _fields()), REJECT)]
    if taken := sorted(set(added) & set(df.columns)):
        raise DumpError(f"the rows have a column `{taken[0]}` already: give the new ones a prefix, as in prefix='mod_'")
    has = set(df.columns)
    if not any(path in has or path.partition(".")[0] in has for path in fields.text_columns):
        names = ", ".join(f"`{name}`" for name in df.columns[:12])
        raise DumpError(f"no column holds text: there are {names}; name one, as in text='{df.columns[0]}'")
