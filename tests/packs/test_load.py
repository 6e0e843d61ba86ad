"""Reading rules: from folders, single packs and memory; whatever is in the files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moderation import RulesError
from moderation.packs.load import bundled_rules, read_rules, read_sources

GOOD = Path(__file__).parent.parent / "golden" / "check" / "policy" / "zh" / "good.yaml"


def codes(sources: dict[str, bytes]) -> list[str]:
    with pytest.raises(RulesError) as error:
        read_sources(sources)
    return [item.code for item in error.value.diagnostics]


def test_a_folder_with_and_without_policy(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "good.yaml").write_bytes(GOOD.read_bytes())
    book = read_rules(tmp_path)
    assert [pack.id for pack in book.packs] == ["zh/good"]
    assert book == read_sources(book.sources)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "bad.yaml").write_text("[")
    (tmp_path / "policy.yaml").write_text("policy: mine\npacks: [zh/good]\nuncovered: allow\n")
    assert read_rules(tmp_path).policy.uncovered.verdict == "allow"


def test_one_pack_with_its_list(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "zh").mkdir()
    (tmp_path / "lists" / "words.txt").write_text("# words\n好 # fine\nC#\n", "utf-8")
    pack = tmp_path / "zh" / "good.yaml"
    text = GOOD.read_text("utf-8").replace("rules:", "lists: {words: {file: ../lists/words.txt}}\nrules:")
    pack.write_text(text.replace("{terms: [好]}", "{list: words}"), "utf-8")
    (book,) = read_rules(pack).packs
    assert book.lists == {"words": ("好", "C#")}


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_no_rules_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RulesError):
        read_rules(tmp_path / name)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def good(lists: str = "", when: str = "{terms: [好]}", pack: str = "zh/good") -> str:
    text = GOOD.read_text("utf-8").replace("zh/good", pack).replace("{terms: [好]}", when)
    return text.replace("rules:", f"lists: {lists}\nrules:") if lists else text


def found(path: Path | str) -> list[tuple[str, str]]:
    with pytest.raises(RulesError) as error:
        read_rules(path)
    return [(item.code, Path(item.path).name) for item in error.value.diagnostics]


@pytest.mark.parametrize("written", ["../secret.txt", "/etc/passwd", "../../x", "link.txt", "lists/../../secret.txt"])
def test_lists_may_not_leave_the_folder(tmp_path: Path, written: str) -> None:
    write(tmp_path, "secret.txt", "secret")
    write(tmp_path, "rules/good.yaml", good(f"{{x: {{file: {written}}}}}", "{list: x}"))
    (tmp_path / "rules" / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert found(tmp_path / "rules") == [("M033", "good.yaml")]


def test_links_within_the_folder_are_read(tmp_path: Path) -> None:
    write(tmp_path, "..data/real.yaml", good())
    (tmp_path / "good.yaml").symlink_to("..data/real.yaml")
    assert list(read_rules(tmp_path).sources) == ["good.yaml"]


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", good())
    (tmp_path / "away.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "out.yaml").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert found(tmp_path) == [
        ("M010", "away.yaml"),
        ("M010", "loop.yaml"),
        ("M018", "out.yaml"),
        ("M010", "pipe.yaml"),
    ]


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "nothing", ""])
def test_paths_that_are_none(path: str) -> None:
    assert [code for code, _ in found(path)] == ["M010"]


def test_a_file_that_is_no_pack(tmp_path: Path) -> None:
    policy = "policy: mine\npacks: ['*']\n"
    assert found(write(tmp_path, "a/rules.txt", "x")) == [("M011", "rules.txt")]
    assert found(write(tmp_path, "b/policy.yaml", policy)) == [("M016", "policy.yaml")]
    write(tmp_path, "c/mine.yaml", policy)
    write(tmp_path, "c/policy.yaml", good())
    assert found(tmp_path / "c") == [("M016", "mine.yaml"), ("M016", "policy.yaml")]
    assert found(write(tmp_path, "d/policy.yaml", policy).parent) == [("M048", "policy.yaml")]


def test_a_pack_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "lists/words.lst", "好\n")
    write(tmp_path, "zh/good.yaml", good("{x: {file: ../lists/words.lst}}", "{list: x}"))
    monkeypatch.chdir(tmp_path / "zh")
    assert list(read_rules("good.yaml").sources) == ["lists/words.lst", "zh/good.yaml"]


def test_sources_rebuild_the_book(tmp_path: Path) -> None:
    write(tmp_path, "lists/words", "好\n")
    write(tmp_path, "unused.txt", "never read")
    write(tmp_path, "policy.yaml", "policy: mine\npacks: ['*']\n")
    write(tmp_path, "a.yaml", good("{x: {file: lists/words}, y: {file: lists/words}}", "{list: [x, y]}"))
    book = read_rules(tmp_path)
    assert list(book.sources) == ["a.yaml", "lists/words", "policy.yaml"]
    assert read_sources(book.sources) == book


def test_no_sources() -> None:
    assert codes({}) == ["M011"]
    assert codes({"policy.yaml": b"policy: mine\npacks: [x]\n"}) == ["M048"]


def test_list_files_are_held_to_their_own_lines() -> None:
    pack = good("{x: {file: words}}", "{list: x}").encode()
    with pytest.raises(RulesError) as error:
        read_sources({"good.yaml": pack, "words": "加 # add\n\u200b\n加\n  C# \r\n加\u2028我\n".encode()})
    places = [(item.code, item.path, item.line, item.column) for item in error.value.diagnostics]
    assert places == [("M034", "words", 2, 1), ("M064", "words", 3, 1)]
    with pytest.raises(RulesError) as error:
        read_sources({"good.yaml": pack, "words": "加\n我 ".encode() + b"\xff"})
    places = [(item.code, item.path, item.line, item.column) for item in error.value.diagnostics]
    assert places == [("M002", "words", 2, 3)]


def test_all_files_are_judged_whatever_is_wrong_in_one(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "[")
    write(tmp_path, "b.yaml", good().replace("severity", "serverity"))
    write(tmp_path, "c.yaml", good(when="{regex: '('}", pack="zh/other"))
    write(tmp_path, "policy.yaml", "policy: mine\npacks: [none]\nunknown: maybe\n")
    assert found(tmp_path) == [
        ("M001", "a.yaml"),
        ("M021", "b.yaml"),
        ("M020", "b.yaml"),
        ("M045", "c.yaml"),
        ("M023", "policy.yaml"),
    ]


def test_findings_are_bounded() -> None:
    many = "".join(f"k{number}: x\n" for number in range(20_000))
    found = codes({"a.yaml": many.encode()})
    assert found.count("M020") <= 100 and found.count("M017") == 1


def test_example_posts_have_types() -> None:
    text = GOOD.read_text("utf-8").replace(
        "hit: [好]", "hit: [{text: 好, n: 5, m: '5', b: true, z: null, o: 010, d: {f: -1.5e3}}]"
    )
    (pack,) = read_sources({"zh/good.yaml": text.encode()}).packs
    expected = {"text": "好", "n": 5, "m": "5", "b": True, "z": None, "o": "010", "d": {"f": -1500.0}}
    assert pack.rules[0].examples.hit == (expected,)


@pytest.mark.parametrize(
    "languages", ["[en, zh, es]", "[en, zh, ja, ko, es, pt, fr, de, it, ru, ar, hi, id, vi, th, tr]"]
)
def test_shipped_rules_go_with_any_choice_of_languages(languages: str) -> None:
    sources = dict(read_rules(bundled_rules()).sources)
    sources["policy.yaml"] += f"\nlanguages: {languages}\n".encode()
    assert read_sources(sources).policy.languages
