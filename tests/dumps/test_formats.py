"""Every format in, every format out: the same posts, the same decisions, and nothing lost on the way."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import moderation
from moderation.decision import Verdict
from moderation.dumps.columnar import ROWS, read_tables
from moderation.dumps.fields import FieldMap, Keep
from moderation.dumps.formats import _BY_SUFFIX, Format
from moderation.dumps.outputs import Output
from moderation.dumps.readers import find_sources
from moderation.dumps.runner import ALL, Plan, score_dump
from moderation.dumps.sources import SUFFIXES
from moderation.dumps.summary import Summary
from moderation.engine.engine import Engine
from moderation.errors import DumpError

FEED = Path(__file__).parent.parent / "golden" / "feed"
TEXTS = [
    "加我微信 abc12345", "hello, \"world\"", "two\nlines\r\nand a half", "สวัสดี กก", "こんにちは, ガ", "مرحبا; نعم",
    "क्या हाल है", "👩‍👩‍👧 ok", "=1+1", "a\tb", " spaces ", "打打杀杀",
]  # fmt: skip
POSTS = [{"id": str(number), "text": text, "likes": number} for number, text in enumerate(TEXTS, 1)]
Record = dict[str, Any]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return moderation.load(FEED / "rules")


class Memory:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def scored(
    engine: Engine, *names: object, output: Output | None = None, kind: Format | None = None,
    fields: Sequence[str] = (), only: Collection[Verdict] = ALL,
) -> tuple[bytes, list[Record], Summary]:  # fmt: skip
    sources = find_sources(list(map(str, names)))
    out, rejects = Memory(), Memory()
    mapped = FieldMap.of(fields, engine.text_fields)
    plan = Plan(mapped, output or Output(), only, kind, named=len(sources) > 1)
    summary = score_dump(engine, sources, out, rejects, plan=plan)
    return out.data, [json.loads(line) for line in rejects.data.splitlines()], summary


def lines_of(data: bytes) -> list[Record]:
    return [json.loads(line) for line in data.splitlines()]


def jsonl(posts: Sequence[Record]) -> bytes:
    return b"".join(json.dumps(post, ensure_ascii=False).encode() + b"\n" for post in posts)


def delimited(posts: Sequence[Record], delimiter: str = ",", end: str = "\r\n") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(posts[0]), delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(posts)
    return out.getvalue().encode()


def parquet(path: Path, posts: Sequence[Record], **more: Any) -> None:
    pyarrow.parquet.write_table(pa.Table.from_pylist(list(posts)), path, **more)


def arrow(path: Path, posts: Sequence[Record]) -> None:
    pyarrow.feather.write_feather(pa.Table.from_pylist(list(posts)), path, compression="uncompressed")


def arrow_stream(path: Path, posts: Sequence[Record]) -> None:
    table = pa.Table.from_pylist(list(posts))
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, 5)


WRITERS: dict[str, Callable[[Path], object]] = {
    "posts.jsonl": lambda path: path.write_bytes(jsonl(POSTS)),
    "posts.jsonl.gz": lambda path: path.write_bytes(gzip.compress(jsonl(POSTS))),
    "posts.jsonl.zst": lambda path: path.write_bytes(zstandard.compress(jsonl(POSTS))),
    "frames.jsonl.zst": lambda path: path.write_bytes(b"".join(zstandard.compress(jsonl([post])) for post in POSTS)),
    "posts.csv": lambda path: path.write_bytes(delimited(POSTS)),
    "unix.csv": lambda path: path.write_bytes(delimited(POSTS, end="\n")),
    "bom.csv": lambda path: path.write_bytes(b"\xef\xbb\xbf" + delimited(POSTS)),
    "posts.csv.zst": lambda path: path.write_bytes(zstandard.compress(delimited(POSTS))),
    "posts.tsv": lambda path: path.write_bytes(delimited(POSTS, "\t")),
    "no-suffix": lambda path: path.write_bytes(delimited(POSTS)),
    "no-suffix-tabs": lambda path: path.write_bytes(delimited(POSTS, "\t")),
    "lies.csv": lambda path: path.write_bytes(jsonl(POSTS)),
    "posts.parquet": lambda path: parquet(path, POSTS),
    "lies.txt": lambda path: parquet(path, POSTS, compression="zstd", row_group_size=5),
    "posts.arrow": lambda path: arrow(path, POSTS),
    "posts.arrows": lambda path: arrow_stream(path, POSTS),
    "semicolons.csv": lambda path: path.write_bytes(delimited(POSTS, ";")),
    "tabs.csv": lambda path: path.write_bytes(delimited(POSTS, "\t")),
    "commas.jsonl": lambda path: path.write_bytes(delimited(POSTS)),
    "bytes.parquet": lambda path: parquet(path, [{**post, "text": str(post["text"]).encode()} for post in POSTS]),
}


@pytest.mark.parametrize("name", list(WRITERS))
def test_any_format_gives_the_decisions_of_json_lines(engine: Engine, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    out, rejects, summary = scored(engine, path)
    assert [moderation.decision.encode(each) for each in engine.decide_batch(POSTS)] == out.splitlines()
    assert rejects == []
    assert summary.decisions == len(POSTS)


def test_plain_text_is_a_post_a_line(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.txt"
    path.write_bytes("加我微信 abc12345\r\n\n{not json}\nесть\n".encode() + b"bad \xff\n")
    out, rejects, _ = scored(engine, path)
    decisions = lines_of(out)
    assert [each["id"] for each in decisions] == [1, 3, 4]
    assert decisions[0]["verdict"] == engine.decide("加我微信 abc12345").verdict
    assert [(each["line"], each["code"]) for each in rejects] == [(5, "R002")]


@pytest.mark.parametrize("kind", ["jsonl", "text"])
def test_the_format_can_be_said(engine: Engine, tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(b"id,text\n1,hello\n")
    _, rejects, summary = scored(engine, path, kind=kind)
    assert (summary.decisions, len(rejects)) == {"jsonl": (0, 2), "text": (2, 0)}[kind]


def test_folders_and_globs(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "day" / "deep").mkdir(parents=True)
    (tmp_path / "day" / "b.jsonl").write_bytes(jsonl(POSTS[:2]))
    (tmp_path / "day" / "deep" / "c.csv.gz").write_bytes(gzip.compress(delimited(POSTS[2:4])))
    parquet(tmp_path / "day" / "a.parquet", POSTS[4:6])
    (tmp_path / "day" / "README.md").write_text("no dump")
    (tmp_path / "day" / ".hidden.jsonl").write_text("no dump")
    out, rejects, _ = scored(engine, tmp_path / "day")
    assert [each["id"] for each in lines_of(out)] == ["5", "6", "1", "2", "3", "4"]
    assert rejects == []
    globbed, _, _ = scored(engine, tmp_path / "day" / "**" / "*.jsonl")
    assert [each["id"] for each in lines_of(globbed)] == ["1", "2"]
    with pytest.raises(DumpError, match="no file matches"):
        scored(engine, tmp_path / "*.none")


NESTED = [
    {"post": {"id": 7, "content": {"title": "", "body": "加我微信 abc12345"}}, "text": "plain", "lang": "zh"},
    {"post": {"id": 8, "content": {"title": "加我微信 abc12345", "body": "hello"}}},
]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_nested_fields(engine: Engine, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"posts.{kind}"
    path.write_bytes(jsonl(NESTED)) if kind == "jsonl" else parquet(path, NESTED)
    fields = ["id=post.id", "title=post.content.title", "body=post.content.body"]
    out, _, _ = scored(engine, path, fields=fields)
    posts = [{"id": each["post"]["id"], **each["post"]["content"]} for each in NESTED]
    expected = engine.decide_batch(posts)
    assert [(each["id"], each["verdict"]) for each in lines_of(out)] == [(each.id, each.verdict) for each in expected]
    assert {each["field"] for each in lines_of(out)[1]["reasons"][0]["spans"]} == {"title"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["text="], "is no NAME=PATH"),
        (["=text"], "is no NAME=PATH"),
        (["text=a", "text=b"], "given twice"),
    ],
)
def test_fields_that_say_nothing(options: list[str], message: str) -> None:
    with pytest.raises(DumpError, match=message):
        FieldMap.of(options, ("text",))


@pytest.mark.parametrize("keep", ["likes,author.id", "all"])
def test_what_is_kept_goes_with_the_decision(engine: Engine, tmp_path: Path, keep: str) -> None:
    path = tmp_path / "posts.jsonl"
    posts = [{**post, "author": {"id": f"a{post['id']}"}} for post in POSTS]
    path.write_bytes(jsonl(posts))
    plain, _, _ = scored(engine, path)
    out, _, _ = scored(engine, path, output=Output(keep=Keep.of(keep)))
    decisions = lines_of(out)
    kept = [each.pop("post") for each in decisions]
    assert decisions == lines_of(plain)
    wanted = [{"likes": post["likes"], "author.id": post["author"]["id"]} for post in posts]  # type: ignore[index]
    assert kept == (posts if keep == "all" else wanted)


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_tables_out(engine: Engine, tmp_path: Path, kind: Any, compression: str | None) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(jsonl(POSTS))
    data, _, _ = scored(engine, path, output=Output(kind, compression, Keep.of("text,likes,none")))
    if compression == "gzip":
        data = gzip.decompress(data)
    elif compression == "zstd":
        data = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), delimiter="\t" if kind == "tsv" else ","))
    decisions = engine.decide_batch(POSTS)
    assert [(row["id"], row["verdict"]) for row in rows] == [(each.id, each.verdict) for each in decisions]
    assert [row["rules"] for row in rows] == [";".join(one.rule for one in each.reasons) for each in decisions]
    texts = [row["post.text"] for row in rows]
    assert texts == ["'=1+1" if text == "=1+1" else text for text in TEXTS]  # a spreadsheet must not compute it
    assert {row["post.none"] for row in rows} == {""}


def test_parquet_out(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(jsonl(POSTS))
    data, _, _ = scored(engine, path, output=Output("parquet", None, Keep.of("likes")))
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    decisions = engine.decide_batch(POSTS)
    rows = table.to_pylist(maps_as_pydicts="strict")
    assert [row["verdict"] for row in rows] == [each.verdict for each in decisions]
    assert [row["languages"] for row in rows] == [dict(each.languages) for each in decisions]
    assert [json.loads(row["reasons"]) for row in rows] == [
        json.loads(moderation.decision.encode(each))["reasons"] for each in decisions
    ]
    assert [row["post.likes"] for row in rows] == [str(post["likes"]) for post in POSTS]


def test_parquet_to_parquet_in_many_groups(engine: Engine, tmp_path: Path) -> None:
    posts = [{"id": number, "text": TEXTS[number % len(TEXTS)]} for number in range(70_000)]
    parquet(tmp_path / "posts.parquet", posts)
    data, _, summary = scored(engine, tmp_path / "posts.parquet", output=Output("parquet"))
    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    assert [file.metadata.row_group(each).num_rows for each in range(file.num_row_groups)] == [32_768, 32_768, 4_464]
    assert file.read(["id"]).column(0).to_pylist() == [str(number) for number in range(70_000)]
    assert summary.decisions == 70_000


def test_ids_alone_are_written_one_by_one(engine: Engine, tmp_path: Path) -> None:
    """A dictionary of what is never the same twice makes a file larger."""
    parquet(tmp_path / "posts.parquet", POSTS)
    data, _, _ = scored(engine, tmp_path / "posts.parquet", output=Output("parquet"))
    group = pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    plain = [column.path_in_schema for column in columns if not column.has_dictionary_page]
    assert plain == ["id"]


def test_a_row_group_is_not_read_at_once(tmp_path: Path) -> None:
    path, texts = tmp_path / "posts.parquet", [random.Random(number).randbytes(500).hex() for number in range(20_000)]
    pyarrow.parquet.write_table(pa.table({"text": texts}), path, use_dictionary=False)
    before, most = pa.total_allocated_bytes(), 0
    for table in read_tables(find_sources([str(path)])[0], "parquet", ["text"]):
        most = max(most, pa.total_allocated_bytes() - before)
        assert table.batch.num_rows <= ROWS
    assert most < path.stat().st_size // 2


def test_what_utf_8_does_not_hold_goes_into_parquet(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(rb'{"id": "a\ud800", "text": "hello"}' + b"\n" + rb'{"id": 2, "text": "hi"}')
    data, _, _ = scored(engine, path, output=Output("parquet"))
    assert pyarrow.parquet.read_table(io.BytesIO(data)).column("id").to_pylist() == ["a?", "2"]


def test_parquet_has_what_is_asked_for(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(jsonl(POSTS))
    verdicts: list[tuple[Verdict, ...]] = [("flagged",), ("allowed", "blocked"), ("blocked",)]
    for only in verdicts:
        data, _, _ = scored(engine, path, output=Output("parquet", None, Keep.of("likes")), only=only)
        rows = pyarrow.parquet.read_table(io.BytesIO(data)).select(["verdict", "post.likes"]).to_pylist()
        judged = zip(engine.decide_batch(POSTS), POSTS, strict=True)
        assert [tuple(row.values()) for row in rows] == [
            (decision.verdict, str(post["likes"])) for decision, post in judged if decision.verdict in only
        ]


def test_rows_that_are_no_posts(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(
        b"id,text\n1,ok\n2,too,many\n3\n\n4," + b"bad \xff\n" + b'5,"in\nlines"\n6,' + b"x" * (1 << 21) + b"\n7,end\n"
    )
    out, rejects, _ = scored(engine, path)
    assert [each["id"] for each in lines_of(out)] == ["1", "5", "7"]
    assert [(each["line"], each["code"]) for each in rejects] == [(3, "R005"), (4, "R005"), (6, "R002"), (9, "R005")]
    assert rejects[0]["raw"] == "2,too,many"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,msg\n1,x\n", r"no column holds text: the header has `id`, `msg`; name one, as in `--field text=id`"),
        (b"text,text\n1,x\n", "two columns `text`"),
    ],
)
def test_headers_that_name_no_text(engine: Engine, tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(content)
    with pytest.raises(DumpError, match=message):
        scored(engine, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zstandard.compress(jsonl(POSTS))[:-9], "in the middle of its zstd data"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 90, "damaged zstd data"),
        (b"PAR1" + b"x" * 90, "cannot read .*posts"),
        (b"ARROW1\0\0" + b"x" * 90, "cannot read .*posts"),
    ],
)
def test_damaged_files(engine: Engine, tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "posts"
    path.write_bytes(content)
    with pytest.raises(DumpError, match=message):
        scored(engine, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("posts".encode("utf-32"), "is UTF-32 text, which has to be converted: iconv -f UTF-32 -t UTF-8 .*my posts'"),
        (jsonl(POSTS).decode().encode("utf-16"), "iconv -f UTF-16 -t UTF-8 "),
        (jsonl(POSTS).decode().encode("utf-16-le"), "iconv -f UTF-16LE -t UTF-8 "),
        (jsonl(POSTS).decode().encode("utf-16-be"), "iconv -f UTF-16BE -t UTF-8 "),
        (gzip.compress("posts".encode("utf-16")), r"gzip -dc '.*my posts' \| iconv -f UTF-16 -t UTF-8 \| moderation"),
        (gzip.compress(gzip.compress(b"{}")), r"is zipped twice, .*: gzip -dc '.*my posts' \| gzip -dc \| moderation"),
        (gzip.compress(b"PAR1" + b"x" * 90), "is Parquet inside of gzip: unzip it first"),
        (
            json.dumps(POSTS, indent=1).encode(),
            r"is JSON over many lines, .*: jq -c '\.\[\]' '.*my posts' \| moderation",
        ),
        (json.dumps(POSTS[0], indent=1).encode(), r"jq -c \. '.*my posts' \| moderation score -"),
    ],
    ids=["utf-32", "utf-16", "utf-16-le", "utf-16-be", "gzip-utf-16", "gzip-gzip", "gzip-parquet", "list", "object"],
)
def test_other_files_are_told_with_what_makes_posts_of_them(
    engine: Engine, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "my posts"
    path.write_bytes(content)
    with pytest.raises(DumpError, match=message):
        scored(engine, path)


def test_a_table_without_text_is_refused(engine: Engine, tmp_path: Path) -> None:
    parquet(tmp_path / "posts.parquet", [{"message": "hello"}])
    with pytest.raises(
        DumpError, match="no column holds text: the header has `message`; name one, as in `--field text="
    ):
        scored(engine, tmp_path / "posts.parquet")


def test_text_that_begins_like_an_object_is_text(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.txt"
    path.write_bytes(b"{lol} hello\nsecond\n")
    out, rejects, _ = scored(engine, path)
    assert [each["id"] for each in lines_of(out)] == [1, 2] and rejects == []
    path.write_bytes(b"{broken\n" + jsonl(POSTS))
    out, rejects, _ = scored(engine, path)
    assert len(lines_of(out)) == len(POSTS) and [each["code"] for each in rejects] == ["R001"]


def test_numbers_beside_missing_ones_are_ids(engine: Engine, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([1.0, None, 2.5, float("nan"), 1e300]), "text": ["hello"] * 5})
    pyarrow.parquet.write_table(table, tmp_path / "posts.parquet")
    out, rejects, _ = scored(engine, tmp_path / "posts.parquet")
    assert [each["id"] for each in lines_of(out)] == [1, 2]
    assert [each["code"] for each in rejects] == ["P004"] * 3


@pytest.mark.parametrize("beside", [b"", b"{broken\n", b'{"id": 2.0, "text": "x"}\n'])
def test_what_is_kept_is_the_post_as_it_came(engine: Engine, tmp_path: Path, beside: bytes) -> None:
    """Whatever stands beside it, and without the id that a post without one gets."""
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b'{"text": "hello"}\n' + beside)
    out, _, _ = scored(engine, path, output=Output(keep=Keep.of("all")))
    assert lines_of(out)[0]["post"] == {"text": "hello"}


@pytest.mark.parametrize(
    ("post", "message"),
    [
        ({"x": 1}, "no text: the post has `x`; text is looked for in `content.body`"),
        ({"text": "x"}, "no text: the post has `text`; text is looked for in `content.body`"),
        ({}, "no text: the post has nothing; text is looked for in `content.body`"),
    ],
)
def test_a_post_without_text_says_where_it_was_looked_for(
    engine: Engine, tmp_path: Path, post: Record, message: str
) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(jsonl([post]))
    _, rejects, _ = scored(engine, path, fields=["text=content.body"])
    assert [each["reason"] for each in rejects] == [message]


@pytest.mark.parametrize("text", [None, []])
def test_a_text_that_holds_nothing(engine: Engine, tmp_path: Path, text: object) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(jsonl([{"text": text}]))
    _, rejects, _ = scored(engine, path)
    assert [each["reason"] for each in rejects] == ["no text: `text` holds nothing"]


def test_all_suffixes_are_found_in_folders() -> None:
    assert set(SUFFIXES) == set(_BY_SUFFIX)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("out.parquet.gz", None, "compressed by itself"),
        (None, "parquet", "Parquet goes to a file"),
        ("-", "parquet", "Parquet goes to a file"),
    ],
)
def test_outputs_that_do_not_go_together(name: str | None, kind: Any, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        Output.of(name, kind, None)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(st.lists(TEXT, min_size=1, max_size=20), st.sampled_from([",", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_any_text_survives_csv(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, texts: list[str], delimiter: str, end: str
) -> None:
    posts = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    path = tmp_path_factory.mktemp("csv") / ("posts.csv" if delimiter == "," else "posts.tsv")
    path.write_bytes(delimited(posts, delimiter, end))
    out, rejects, _ = scored(engine, path, output=Output(keep=Keep.of("text")))
    assert [(each["id"], each["post"]["text"]) for each in lines_of(out)] == [
        (post["id"], post["text"]) for post in posts
    ]
    assert rejects == []
