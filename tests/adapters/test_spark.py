"""Spark for real: in this process, and on a standalone master with two workers, one of which is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

import moderation
from moderation.errors import DumpError

pyspark = pytest.importorskip("pyspark")
from moderation.adapters import spark as adapter  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")
ROOT = Path(__file__).parent.parent.parent
FEED = ROOT / "tests" / "golden" / "feed"
RULES = FEED / "rules"
COMMAND = Path(sys.executable).with_name("moderation")
TEXTS = ["出假票", "hello there", "加我微信 abc12345", "สวัสดี", "卖 the tickets here", "free money", ""]
LOOPBACK = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ |= LOOPBACK
    os.environ["PYSPARK_SUBMIT_ARGS"] = "--master local[2] --conf spark.ui.enabled=false pyspark-shell"
    spark = SparkSession.builder.appName("tests").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    yield spark
    spark.stop()
    del os.environ["PYSPARK_SUBMIT_ARGS"]


@pytest.fixture(scope="module")
def engine() -> moderation.Engine:
    return moderation.load(RULES)


def rows(number: int) -> list[dict[str, Any]]:
    return [{"post_id": at, "body": TEXTS[at % 7] + f" {at}", "author": {"age_days": at}} for at in range(number)]


def test_rows_get_the_decisions_of_one_machine(session: Any, engine: moderation.Engine) -> None:
    posts = rows(3000)
    df = session.createDataFrame(posts, "post_id int, body string, author struct<age_days int>").repartition(4)
    found = {row["post_id"]: row.asDict(True) for row in adapter.score(df, RULES, "body").collect()}
    decisions = engine.decide_batch([{"text": post["body"], "author": post["author"]} for post in posts])
    assert len(found) == 3000
    for post, decision in zip(posts, decisions, strict=True):
        row = found[post["post_id"]]
        assert (row["body"], row["author"]) == (post["body"], post["author"])
        assert (row["verdict"], row["severity"], row["engine"]) == (
            decision.verdict, decision.severity, decision.engine,
        )  # fmt: skip
        assert row["rules"] == [reason.rule for reason in decision.reasons]
        assert row["languages"] == decision.languages and row["uncovered"] == list(decision.uncovered)
        told = [(reason["rule"], len(reason["spans"])) for reason in json.loads(row["reasons"])]
        assert told == [(reason.rule, len(reason.spans)) for reason in decision.reasons]
        assert row["reject"] is None


def test_rows_that_are_no_posts_say_why(session: Any) -> None:
    df = session.createDataFrame([(1, "出假票"), (2, None), (3, "hi")], "id int, text string").coalesce(1)
    found = [(row["id"], row["verdict"], row["reject"]) for row in adapter.score(df, RULES).collect()]
    assert [each[:2] for each in found] == [(1, "blocked"), (2, None), (3, "allowed")]
    assert found[1][2].startswith("P002 ") and found[0][2] is None


def test_text_that_is_no_utf8_ends_no_job(session: Any) -> None:
    df = session.range(1).selectExpr("cast(unhex('e587bae58187e7a5a8ff') as string) as text")
    (row,) = adapter.score(df, RULES).select("verdict", "reject").collect()
    assert (row["verdict"], row["reject"]) == ("blocked", None)


def test_several_texts_and_other_names(session: Any, engine: moderation.Engine) -> None:
    df = session.createDataFrame(
        [("出假票", ("hello",), "x")], "head string, content struct<body string>, verdict string"
    )
    scored = adapter.score(df, RULES, ["title=head", "body=content.body"], prefix="mod_")
    (row,) = scored.collect()
    assert scored.columns[:3] == ["head", "content", "verdict"] and row["verdict"] == "x"
    assert row["mod_verdict"] == engine.decide({"title": "出假票", "body": "hello"}).verdict
    assert {span["field"] for span in json.loads(row["mod_reasons"])[0]["spans"]} == {"title"}


def test_mistakes(session: Any) -> None:
    df = session.createDataFrame([("a", "b")], "text string, verdict string")
    with pytest.raises(DumpError, match=r"have a column `verdict` already: give the new ones a prefix"):
        adapter.score(df, RULES)
    with pytest.raises(DumpError, match=r"no column holds text: there are `text`, `verdict`"):
        adapter.score(df, RULES, "body", prefix="mod_")
    with pytest.raises(moderation.RulesError):
        adapter.score(df, FEED / "nowhere", prefix="mod_")


def test_rules_are_compiled_once_a_process(session: Any) -> None:
    """Sixteen tasks a job: a Python worker that judged any of them keeps its engine for the next, and the next job."""
    df = session.range(16).repartition(16).selectExpr("'hello' as text")

    def told(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow

        for batch in batches:
            engines = [id(each) for each in adapter._ENGINES.values()]
            yield pyarrow.RecordBatch.from_pylist([{"process": os.getpid(), "engines": engines}] * batch.num_rows)

    found = set()
    for _ in range(3):
        rows = adapter.score(df, RULES).mapInArrow(told, "process long, engines array<long>").collect()
        found |= {(row["process"], tuple(row["engines"])) for row in rows}
    judged = [(process, engines) for process, engines in found if engines]
    assert judged and len({process for process, _ in judged}) == len(judged)
    assert all(len(engines) == 1 for _, engines in judged)


def test_the_readme(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"^```py\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    shown = "shown = " + code.strip().splitlines()[-1]
    df = session.createDataFrame([(1, "hello"), (2, "加我微信 abc12345")], "post_id int, body string")
    variables: dict[str, Any] = {"df": df}
    exec("\n".join([*code.strip().splitlines()[:-1], shown]), variables)
    assert variables["shown"].columns == ["post_id", "rules", "reasons"]
    verdicts = {row["post_id"]: row["verdict"] for row in variables["scored"].collect()}
    assert verdicts[1] == "allowed" and verdicts[2] != "allowed"


def test_a_machine_with_another_version_is_named(engine: moderation.Engine) -> None:
    class Broadcast:
        value = msgspec.msgpack.encode(dict(engine.rulebook.sources))

    assert adapter._engine(Broadcast(), engine.fingerprint).fingerprint == engine.fingerprint
    with pytest.raises(DumpError, match="install the same version of the package"):
        adapter._engine(Broadcast(), "sha256:else")


def test_streams(session: Any, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        lines = [{"id": number * 10 + at, "text": TEXTS[at % 3]} for at in range(10)]
        (tmp_path / "in" / f"{number}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    stream = session.readStream.schema("id int, text string").option("maxFilesPerTrigger", 1).json(str(tmp_path / "in"))
    writer = adapter.score(stream, RULES).writeStream.format("parquet").trigger(availableNow=True)
    query = writer.option("checkpointLocation", str(tmp_path / "checkpoint")).start(str(tmp_path / "out"))
    assert query.awaitTermination(120)
    found = {row["id"]: row["verdict"] for row in session.read.parquet(str(tmp_path / "out")).collect()}
    assert len(found) == 30
    assert {verdict for at, verdict in found.items() if at % 10 % 3 == 0} == {"blocked"}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Cluster:
    """A standalone master and workers on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []  # type: ignore[var-annotated]
        self.port = free_port()
        self.url = f"spark://127.0.0.1:{self.port}"
        self._start("master.Master", "--port", str(self.port))
        self._wait_for("I have been elected leader", 0)

    def add_workers(self, number: int) -> None:
        for _ in range(number):
            self._start("worker.Worker", "-c", "1", "-m", "1g", "-d", str(self.folder), self.url)
            self._wait_for("Successfully registered with master", len(self.processes) - 1)

    def _start(self, name: str, *arguments: str) -> None:
        script = Path(pyspark.__file__).parent / "bin" / "spark-class"
        line = [script, f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", "--webui-port", "0", *arguments]
        environment = os.environ | LOOPBACK | {"SPARK_HOME": str(Path(pyspark.__file__).parent)}
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            self.processes.append(subprocess.Popen(list(map(str, line)), env=environment, stdout=log, stderr=log))

    def _wait_for(self, text: str, number: int) -> None:
        deadline = time.monotonic() + 60
        while text not in (self.folder / f"{number}.log").read_text():
            assert time.monotonic() < deadline, (self.folder / f"{number}.log").read_text()
            time.sleep(0.1)

    def kill_worker(self) -> None:
        """The last worker and its executors, without a word."""
        worker = self.processes.pop()
        executors = [
            int(child)
            for task in Path(f"/proc/{worker.pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        assert executors
        for each in (worker.pid, *executors):
            os.kill(each, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(30)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = Cluster(folder)
    yield cluster
    cluster.stop()


def test_a_worker_dies_and_nothing_is_lost_or_doubled(cluster: Cluster, tmp_path: Path) -> None:
    cluster.add_workers(2)
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(40):
        lines = [json.dumps({"id": number * 4000 + at, "text": f"{TEXTS[at % 7]} {at}"}) for at in range(4000)]
        (folder / f"{number:02}.jsonl").write_text("\n".join(lines) + "\n{bad\n")
    here = tmp_path / "here.jsonl"
    subprocess.run([COMMAND, "score", folder, "-o", here, "--rules", RULES, "-q"], check=True)
    out = tmp_path / "out"
    line = [COMMAND, "score", "--engine", "spark", "--master", cluster.url, folder, out, "--rules", RULES]
    with subprocess.Popen(list(map(str, line)), env=os.environ | LOOPBACK, stderr=subprocess.PIPE) as job:
        deadline = time.monotonic() + 120
        while not list(out.glob("_temporary/0/task_*")):
            assert job.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        cluster.kill_worker()
        done = len(list(out.glob("_temporary/0/task_*")))
        _, told = job.communicate(timeout=180)
    assert job.returncode == 0, told.decode()
    assert done < 40
    decisions = [line for path in out.glob("rejected=false/*.txt") for line in path.read_text().splitlines()]
    assert sorted(decisions) == sorted(here.read_text().splitlines())
    rejects = [json.loads(line) for path in out.glob("rejected=true/*.txt") for line in path.read_text().splitlines()]
    assert [(each["code"], each["raw"]) for each in rejects] == [("R001", "{bad")] * 40
    assert "160,040 posts: " in told.decode() and "40 rejected" in told.decode()


def run(*arguments: object) -> tuple[int, str]:
    line = [COMMAND, "score", "--engine", "spark", *arguments, "--rules", RULES]
    done = subprocess.run(list(map(str, line)), env=os.environ | LOOPBACK, capture_output=True, text=True, timeout=600)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip().splitlines()[-1]


def test_parquet_from_the_command_line(tmp_path: Path, engine: moderation.Engine) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    pa.parquet.write_table(pa.Table.from_pylist(rows(50)), tmp_path / "in.parquet")
    status, told = run(
        "--master", "local[2]", tmp_path / "in.parquet", "-o", tmp_path / "out", "--field", "text=body"
    )  # fmt: skip
    assert status == 0 and "50 posts: " in told
    found = pa.parquet.read_table(tmp_path / "out").to_pylist()
    expected = [each.verdict for each in engine.decide_batch([post["body"] for post in rows(50)])]
    assert [row["verdict"] for row in sorted(found, key=lambda row: int(row["post_id"]))] == expected
    again = run("--master", "local[2]", tmp_path / "in.parquet", tmp_path / "out", "--field", "text=body")
    assert again[0] == 2 and "already exists" in again[1] and "nothing is overwritten" in again[1]
    (tmp_path / "in.csv").write_text("text\nhello\n")
    table = run("--master", "local[2]", tmp_path / "in.csv", tmp_path / "out3")
    assert table[0] == 2 and "reads JSON Lines and Parquet" in table[1]
    missing = run("--master", "local[2]", tmp_path / "none", tmp_path / "out2")
    assert missing[0] == 2 and "does not exist" in missing[1]


def test_nobody_takes_the_job(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "hello"}\n')
    code = "from moderation.adapters.spark_job import run_job; run_job([{!r}], {!r}, master={!r}, wait=2)"
    line = [sys.executable, "-c", code.format(str(tmp_path / "in.jsonl"), str(tmp_path / "out"), cluster.url)]
    done = subprocess.run(line, env=os.environ | LOOPBACK, capture_output=True, text=True, timeout=600)
    assert f"no worker of {cluster.url} took the job within 2 s" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("in",), "reads a path and writes another"),
        (("in", "out", "--jobs", "2"), "--engine spark has no --jobs"),
        (("in", "out", "--input-format", "csv"), "reads jsonl and parquet, not csv"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], message: str) -> None:
    status, told = run(*options)
    assert status == 2 and message in told
