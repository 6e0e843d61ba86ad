"""A whole job on Spark: from files on any path that Hadoop knows to files there."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from moderation.adapters.spark import score, score_lines
from moderation.decision import VERDICTS
from moderation.dumps.formats import format_of_name
from moderation.errors import DumpError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Observation, SparkSession

WAIT = 60.0
Kind = Literal["jsonl", "parquet"]


def run_job(
    inputs: Sequence[str],
    output: str,
    *,
    master: str | None = None,
    rules: str | None = None,
    fields: Sequence[str] = (),
    kind: Kind | None = None,
    wait: float = WAIT,
) -> dict[str, int]:
    """Judge files and write a folder of them; how many rows got each verdict, and how many are `rejected`.

    Parquet gives Parquet, its columns and those of `score`; JSON lines give decisions in `rejected=false` and rejects
    in `rejected=true`. `master` is a Spark master's URL (None: what spark-defaults.conf or spark-submit say), `fields`
    are as `--field`. Raises RulesError, and DumpError where Spark cannot do it or no worker came within `wait` seconds.
    """
    with _explained(master), _session(master) as spark:
        _wait_for_workers(spark, wait)
        if (kind or _kind(spark, inputs)) == "parquet":
            judged, counts = _counted(score(spark.read.parquet(*inputs), rules, fields))
            judged.write.parquet(output)
        else:
            # Two files open at once, instead of sorting all decisions by where they go.
            spark.conf.set("spark.sql.maxConcurrentOutputFileWriters", 2)
            judged, counts = _counted(score_lines(spark.read.text(list(inputs)), rules, fields))
            judged.drop("verdict").write.partitionBy("rejected").text(output)
        return {name: number for name, number in counts.get.items() if number}


def _counted(judged: DataFrame) -> tuple[DataFrame, Observation]:
    """What is judged, and how many rows got each verdict and none: counted as they pass, so that nobody reads them all
    again.
    """
    sql: Any = import_module("pyspark.sql")
    of: Any = import_module("pyspark.sql.functions")
    counts = sql.Observation("verdicts")
    told = {name: of.col("verdict") == name for name in VERDICTS} | {"rejected": of.col("verdict").isNull()}
    return judged.observe(counts, *(of.count_if(which).alias(name) for name, which in told.items())), counts


def _kind(spark: SparkSession, inputs: Sequence[str]) -> Kind:
    """What the inputs are, by the name of the first file."""
    found = spark.read.format("binaryFile").load(list(inputs)).select("path").first()
    if found is None:
        raise DumpError(f"there is no file in {', '.join(inputs)}")
    kind = format_of_name(found["path"])
    if kind in ("csv", "tsv", "text", "arrow"):
        raise DumpError(f"--engine spark reads JSON Lines and Parquet, and {found['path']} is named like {kind}")
    return "parquet" if kind == "parquet" else "jsonl"


_CURES = {
    "JAVA_GATEWAY_EXITED": " What stands above says why; no Java, or one older than 17, is the commonest reason",
    "PARQUET_TYPE_ILLEGAL": ": for times in nanoseconds, set spark.sql.legacy.parquet.nanosAsLong=true in "
    "spark-defaults.conf, or write them in microseconds",
    "PATH_ALREADY_EXISTS": ": nothing is overwritten, name a folder that is not there yet",
}


@contextmanager
def _session(master: str | None) -> Iterator[SparkSession]:
    """A session of our own. The master is an argument, as spark-submit's is: what stands in code overrules both."""
    sql: Any = import_module("pyspark.sql")
    if master is not None:
        local = master.startswith("local")
        quiet = ["--conf", "spark.ui.enabled=false"] if local else []
        os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join(["--master", master, *quiet, "pyspark-shell"])
        if local:
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = sql.SparkSession.builder.appName("moderation score").getOrCreate()
    try:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
    finally:
        spark.stop()


def _wait_for_workers(spark: SparkSession, wait: float) -> None:
    """Without a worker Spark waits for ever and says so only in its log."""
    context: Any = spark.sparkContext
    if context.master.startswith("local"):
        return
    deadline = time.monotonic() + wait
    while context._jsc.sc().getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > deadline:
            raise DumpError(
                f"no worker of {context.master} took the job within {wait:.0f} s: are there any, and have they "
                "cores and memory left? The master's page shows them"
            )
        time.sleep(0.2)


@contextmanager
def _explained(master: str | None) -> Iterator[None]:
    """Spark's errors in one line."""
    try:
        errors: Any = import_module("pyspark.errors")
        java: Any = import_module("py4j.protocol")
    except ImportError as error:
        raise DumpError("Spark needs the package pyspark: pip install 'moderation[spark]'") from error
    try:
        yield
    except errors.PySparkException as error:
        raise DumpError(f"Spark: {_first_line(error)}{_cure(error)}") from error
    except (java.Py4JError, ConnectionError) as error:
        where = f": is there a master at {master}?" if master and not master.startswith("local") else ""
        raise DumpError(f"Spark: {_first_line(error)}{where}") from error


def _cure(error: Exception) -> str:
    return next((cure for condition, cure in _CURES.items() if condition in str(error)), "")


def _first_line(error: Exception) -> str:
    """What happened, without Java's stack: the cause that stands last says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith(("Caused by: ", "moderation.errors."))]
    return (causes or lines or [type(error).__name__])[-1 if causes else 0].removeprefix("Caused by: ")[:500]
