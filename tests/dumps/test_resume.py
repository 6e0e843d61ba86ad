"""Interrupted runs: whatever moment they end at, going on gives the bytes of a run that nothing interrupted."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import moderation
from moderation.decision import Decision
from moderation.dumps import resume
from moderation.dumps.fields import FieldMap, Keep
from moderation.dumps.outputs import Output
from moderation.dumps.readers import Source, find_sources
from moderation.dumps.resume import resume_dump
from moderation.dumps.runner import Plan, score_dump
from moderation.dumps.summary import Summary
from moderation.dumps.writers import open_sink
from moderation.engine.engine import Engine
from moderation.engine.judged import Judged
from moderation.engine.written import Written
from moderation.errors import DumpError
from moderation.post import PostLike

FEED = Path(__file__).parent.parent / "golden" / "feed"
FILES = 20


class Died(BaseException):
    """As a kill would: nothing catches it."""


class Mortal:
    """An engine that dies at its n-th batch."""

    def __init__(self, engine: Engine, batches: int) -> None:
        self.engine, self.left = engine, batches
        self.text_fields, self.attributes = engine.text_fields, engine.attributes

    def decide_batch(self, posts: Sequence[PostLike], /) -> list[Decision]:
        self._live()
        return self.engine.decide_batch(posts)

    def judge_batch(self, posts: Sequence[PostLike], /) -> list[Judged]:
        self._live()
        return self.engine.judge_batch(posts)

    def write_batch(self, posts: Sequence[PostLike], /) -> list[Written]:
        self._live()
        return self.engine.write_batch(posts)

    def _live(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Died


@pytest.fixture(scope="module")
def engine() -> Engine:
    return moderation.load(FEED / "rules")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "UNITS", 3)


def dump(folder: Path) -> tuple[Source, ...]:
    """Twenty files, each a unit, some with records that are none."""
    folder.mkdir()
    for number in range(FILES):
        lines = [{"id": f"{number}-{at}", "text": ["加我微信 abc12345", "hello", "สวัสดี"][at % 3]} for at in range(5)]
        text = "".join(json.dumps(line) + "\n" for line in lines) + ("{bad\n" if number % 4 == 0 else "")
        (folder / f"{number:02}.jsonl").write_text(text)
    return find_sources([str(folder)])


def plan_of(engine: Engine, output: str) -> Plan:
    return Plan(FieldMap(engine.text_fields), Output.of(output, None, Keep.of("id")), named=True)


def whole(engine: Engine, sources: Sequence[Source], name: str) -> tuple[bytes, bytes, Summary]:
    """A run that nothing interrupts."""
    with open_sink(name) as out, open_sink(f"{name}.rejects") as rejects:
        summary = score_dump(engine, sources, out, rejects, plan=plan_of(engine, name))
    return Path(name).read_bytes(), Path(f"{name}.rejects").read_bytes(), summary


def resumed(judge: Any, engine: Engine, sources: Sequence[Source], name: str, jobs: int = 1) -> Summary:
    return resume_dump(
        judge, engine.fingerprint, sources, name, f"{name}.rejects", plan=plan_of(engine, name), jobs=jobs
    )


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "jsonl.gz", "parquet"])
@settings(max_examples=12)
@given(deaths=st.lists(st.integers(0, FILES), max_size=4))
def test_the_bytes_of_an_uninterrupted_run(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, suffix: str, deaths: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("resume")
    sources = dump(folder / "in")
    expected = whole(engine, sources, f"{folder}/whole.{suffix}")
    name = f"{folder}/out.{suffix}"
    for batches in deaths:
        judge = Mortal(engine, batches)
        try:
            resumed(judge, engine, sources, name)
        except Died:
            assert not os.path.exists(name) or Path(name).read_bytes() == expected[0]
    summary = resumed(engine, engine, sources, name)
    assert Path(name).read_bytes() == expected[0]
    assert Path(f"{name}.rejects").read_bytes() == expected[1]
    assert summary == expected[2]
    assert not os.path.exists(f"{name}.parts")


@settings(max_examples=25)
@given(moment=st.integers(0, 30), call=st.sampled_from(["replace", "fsync", "unlink", "rmdir"]))
def test_death_while_something_is_written(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, moment: int, call: str
) -> None:
    folder = tmp_path_factory.mktemp("resume")
    sources = dump(folder / "in")
    expected = whole(engine, sources, f"{folder}/whole.jsonl")
    name = f"{folder}/out.jsonl"
    real, left = getattr(os, call), moment

    def mortal(*arguments: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Died
        return real(*arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, mortal)
        with suppress(Died):
            resumed(engine, engine, sources, name)
    summary = resumed(engine, engine, sources, name)
    assert (Path(name).read_bytes(), Path(f"{name}.rejects").read_bytes()) == expected[:2]
    assert summary == expected[2]
    assert not os.path.exists(f"{name}.parts")


def test_what_is_finished_is_not_done_again(engine: Engine, tmp_path: Path) -> None:
    sources = dump(tmp_path / "in")
    name = str(tmp_path / "out.jsonl")
    with pytest.raises(Died):
        resumed(Mortal(engine, 14), engine, sources, name)
    judge = Mortal(engine, FILES)
    resumed(judge, engine, sources, name)
    assert FILES - judge.left == FILES - 12  # four parts of three were finished


def test_several_processes_give_the_same(engine: Engine, tmp_path: Path) -> None:
    sources = dump(tmp_path / "in")
    expected = whole(engine, sources, str(tmp_path / "whole.jsonl"))
    name = str(tmp_path / "out.jsonl")
    with pytest.raises(Died):
        resumed(Mortal(engine, 7), engine, sources, name)
    assert resumed(engine, engine, sources, name, jobs=2) == expected[2]
    assert Path(name).read_bytes() == expected[0]


def interrupted(engine: Engine, folder: Path) -> tuple[tuple[Source, ...], str]:
    sources, name = dump(folder / "in"), str(folder / "out.jsonl")
    with pytest.raises(Died):
        resumed(Mortal(engine, 9), engine, sources, name)
    return sources, name


def test_other_rules_are_refused(engine: Engine, tmp_path: Path) -> None:
    sources, name = interrupted(engine, tmp_path)
    with pytest.raises(
        DumpError, match=r"parts of a run with other rules: run with those again .*rm -r .*out.jsonl.parts"
    ):
        resume_dump(engine, "sha256:else", sources, name, plan=plan_of(engine, name))


def test_other_options_are_refused(engine: Engine, tmp_path: Path) -> None:
    sources, name = interrupted(engine, tmp_path)
    plan = Plan(FieldMap(engine.text_fields), Output.of(name, None, None), only={"blocked"}, named=True)
    with pytest.raises(DumpError, match="parts of a run with other options"):
        resume_dump(engine, engine.fingerprint, sources, name, plan=plan)


@pytest.mark.parametrize("change", ["text", "more", "name", "less"])
def test_another_input_is_refused(engine: Engine, tmp_path: Path, change: str) -> None:
    _, name = interrupted(engine, tmp_path)
    path = tmp_path / "in" / "03.jsonl"
    if change == "text":
        path.write_text(path.read_text().replace("hello", "hallo"))
    elif change == "more":
        path.write_text(path.read_text() + '{"text": "more"}\n')
    elif change == "name":
        path.rename(tmp_path / "in" / "99.jsonl")
    else:
        path.unlink()
    with pytest.raises(DumpError, match="parts of a run with other input"):
        resumed(engine, engine, find_sources([str(tmp_path / "in")]), name)


@pytest.mark.parametrize("name", ["manifest.json", "00000000.json"])
def test_parts_that_somebody_touched(engine: Engine, tmp_path: Path, name: str) -> None:
    sources, output = interrupted(engine, tmp_path)
    Path(f"{output}.parts", name).write_text("garbage")
    with pytest.raises(DumpError, match=r"out.jsonl.parts is damaged .*: start anew, after rm -r .*out.jsonl.parts"):
        resumed(engine, engine, sources, output)


def test_two_runs_do_not_meet(engine: Engine, tmp_path: Path) -> None:
    sources, name = dump(tmp_path / "in"), str(tmp_path / "out.jsonl")

    class Nested:
        text_fields, attributes = engine.text_fields, engine.attributes

        judge_batch, write_batch = engine.judge_batch, engine.write_batch

        def decide_batch(self, posts: Sequence[PostLike], /) -> list[Decision]:
            with pytest.raises(DumpError, match="another run is writing"):
                resumed(engine, engine, sources, name)
            return engine.decide_batch(posts)

    resumed(Nested(), engine, sources, name)


def test_zipped_input(engine: Engine, tmp_path: Path) -> None:
    text = "".join(json.dumps({"id": at, "text": f"加我微信 abc{at}"}) + "\n" for at in range(60_000)).encode()
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(text, 1))
    sources, name = find_sources([str(tmp_path / "in.jsonl.gz")]), str(tmp_path / "out.jsonl")
    expected = whole(engine, sources, str(tmp_path / "whole.jsonl"))
    with pytest.raises(Died):
        resumed(Mortal(engine, 7), engine, sources, name)
    resumed(engine, engine, sources, name)
    assert Path(name).read_bytes() == expected[0]
