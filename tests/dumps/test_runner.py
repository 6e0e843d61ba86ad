"""Runs: the same decisions in the same order however a dump is split, and sums that add up."""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.decision import VERDICTS, Decision, Reason, Verdict
from moderation.dumps.fields import FieldMap
from moderation.dumps.readers import find_sources
from moderation.dumps.runner import Plan, score_dump
from moderation.dumps.summary import Summary
from moderation.dumps.writers import encode_lines
from moderation.engine.judged import Judged
from moderation.engine.written import Written
from moderation.post import Post, PostLike

RECORDS = [
    '{"id": 1, "text": "hello"}',
    '{"id": "二", "text": "加我"}',
    '{"id": 3, "text": "打打杀杀", "title": "加"}',
    '{"id": 4, "body": "สวัสดี กก"}',
    '{"id": 5}',
    "{broken",
    "",
    '{"id": 6, "text": "\\ud800"}',
]


class StubJudge:
    """Blocks what holds 杀, flags what holds 加, allows the rest; Thai is not served; remembers the batches' sizes."""

    text_fields = ("text", "title", "body")
    attributes = frozenset[str]()

    def __init__(self) -> None:
        self.batches: list[int] = []

    def judge_batch(self, posts: Sequence[PostLike], /) -> list[Judged]:
        raise AssertionError("only Parquet is written from columns")

    def write_batch(self, posts: Sequence[PostLike], /) -> list[Written]:
        decisions = self.decide_batch(posts)
        return [Written(encode_lines(decisions), decisions, {})]

    def decide_batch(self, posts: Sequence[PostLike], /) -> list[Decision]:
        self.batches.append(len(posts))
        return [self._decide(Post.of(post, self.text_fields)) for post in posts]

    def _decide(self, post: Post) -> Decision:
        text = " ".join(text for _, text in post.fields)
        verdict: Verdict = "blocked" if "杀" in text else "flagged" if "加" in text else "allowed"
        language = "th" if "ก" in text else "zh" if any(letter > "\u2fff" for letter in text) else "en"
        reasons = []
        if verdict != "allowed":
            says = "block" if verdict == "blocked" else "flag"
            reasons.append(Reason(f"zh/test/{says}", says, "spam", 50, {"en": "why"}))  # type: ignore[arg-type]
        return Decision(
            post.id, verdict, 50 if reasons else 0, ("spam",) if reasons else (), tuple(reasons), (), {language: 1.0},
            (), ("th",) if language == "th" else (), {}, {}, (), "sha256:00",
        )  # fmt: skip


class Memory:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def run(
    folder: Path,
    *dumps: list[str],
    fields: tuple[str, ...] = StubJudge.text_fields,
    only: Collection[Verdict] = VERDICTS,
    **more: object,
) -> tuple[list[dict[str, object]], list[dict[str, object]], Summary]:
    paths = [folder / f"{number}.jsonl" for number in range(len(dumps))]
    for path, records in zip(paths, dumps, strict=True):
        path.write_text("".join(record + "\n" for record in records), "utf-8")
    out, rejects = Memory(), Memory()
    plan = Plan(FieldMap(fields), only=only, named=len(dumps) > 1)
    sources = find_sources(list(map(str, paths)))
    summary = score_dump(StubJudge(), sources, out, rejects, plan=plan, **more)  # type: ignore[arg-type]
    return (
        [json.loads(line) for line in out.data.splitlines()],
        [json.loads(line) for line in rejects.data.splitlines()],
        summary,
    )


def test_a_run(tmp_path: Path) -> None:
    decisions, rejects, summary = run(tmp_path, RECORDS)
    assert [(item["id"], item["verdict"]) for item in decisions] == [
        (1, "allowed"), ("二", "flagged"), (3, "blocked"), (4, "allowed"), (6, "allowed"),
    ]  # fmt: skip
    assert [(item["line"], item["code"], item["raw"]) for item in rejects] == [
        (5, "P002", '{"id": 5}'),
        (6, "R001", "{broken"),
    ]
    assert summary.decisions == 5
    assert summary.verdicts() == {"allowed": 3, "flagged": 1, "blocked": 1}
    assert summary.coverage() == pytest.approx(4 / 5)
    assert summary.unserved() == {"th"}
    assert summary.rules == {("zh/test/flag", "flag"): 1, ("zh/test/block", "block"): 1}
    assert summary.rejects == {"P002": 1, "R001": 1}


@given(st.lists(st.sampled_from([record for record in RECORDS if '"id"' in record]), max_size=40), st.data())
def test_any_split_gives_the_whole(
    tmp_path_factory: pytest.TempPathFactory, records: list[str], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=4)))
    parts = [records[start:end] for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True)]
    whole = run(tmp_path_factory.mktemp("whole"), records)
    split = run(tmp_path_factory.mktemp("split"), *parts)
    assert split[0] == whole[0]
    assert [item["raw"] for item in split[1]] == [item["raw"] for item in whole[1]]
    for name in ("cells", "rules", "rejects"):
        assert getattr(split[2], name) == getattr(whole[2], name)


def test_only_some_verdicts_are_written_and_all_are_counted(tmp_path: Path) -> None:
    decisions, _, summary = run(tmp_path, RECORDS, only={"blocked", "flagged"})
    assert [item["id"] for item in decisions] == ["二", 3]
    assert summary.decisions == 5


def test_other_text_fields(tmp_path: Path) -> None:
    decisions, rejects, _ = run(
        tmp_path, ['{"id": 1, "msg": "加我", "text": "杀"}', '{"id": 2, "text": "杀"}'], fields=("msg",)
    )
    assert [(item["id"], item["verdict"]) for item in decisions] == [(1, "flagged")]
    assert [item["code"] for item in rejects] == ["P002"]


def test_lines_of_several_files_are_told_apart(tmp_path: Path) -> None:
    decisions, _, _ = run(tmp_path, ['{"text": "a"}'], ["", '{"text": "b"}'])
    assert [item["id"] for item in decisions] == [f"{tmp_path}/0.jsonl:1", f"{tmp_path}/1.jsonl:2"]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    run(tmp_path, RECORDS, RECORDS, progress=lambda source, taken: told.append((Path(source.name).name, taken)))
    assert [name for name, _ in told] == ["0.jsonl", "1.jsonl"]


def test_no_garbage_is_collected_while_a_unit_is_judged(tmp_path: Path) -> None:
    enabled = []

    class Watching(StubJudge):
        def decide_batch(self, posts: Sequence[PostLike], /) -> list[Decision]:
            enabled.append(gc.isenabled())
            return super().decide_batch(posts)

    path = tmp_path / "posts.jsonl"
    path.write_text("".join(record + "\n" for record in RECORDS), "utf-8")
    score_dump(Watching(), find_sources([str(path)]), Memory())
    assert set(enabled) == {False}
    assert gc.isenabled()


def test_batches_are_bounded(tmp_path: Path) -> None:
    """A dump of tiny records is not judged in one piece."""
    path = tmp_path / "tiny.jsonl"
    path.write_text('{"text":""}\n' * 50_000)
    judge = StubJudge()
    score_dump(judge, find_sources([str(path)]), Memory())
    assert sum(judge.batches) == 50_000
    assert max(judge.batches) <= 8192
