"""`train`, `evaluate` and `sample` from the command line: files in, files out, mistakes in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from moderation.cli.main import cli

PACK = """\
pack: en/model
version: 1
about: Asks the classifier.
languages: [en]
category: spam
rules:
  - id: rule
    verdict: flag
    severity: 40
    when: {classifier: {category: spam, above: 0.6}}
    examples: {hit: ['win cash 12 prize call now'], miss: ['see you at home tonight']}
    reason: {en: Reads like spam, zh: 疑似垃圾信息}
"""


def run(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled mail, a model trained on it, and rules that ask it."""
    root = tmp_path_factory.mktemp("learning")
    kinds = {"spam": "win cash {} prize call now", "ham": "see you at {} home <b>tonight</b>"}
    rows = [(kinds[label].format(number), label, f"g{number % 2}") for number in range(90) for label in kinds]
    with (root / "mail.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Text", "Label", "topic"), *rows])
    done = run("train", root / "mail.csv", "-o", root / "rules" / "models" / "m.npz", "--test", root / "mail.csv")
    assert done.exit_code == 2 and "too few" in done.output  # all of it stands in the test
    done = run("train", root / "mail.csv", "-o", root / "rules" / "models" / "m.npz", "--language", "en")
    assert done.exit_code == 0, done.output
    assert "spam/en" in done.output
    (root / "rules" / "policy.yaml").write_text("policy: a\npacks: ['*']\nclassifier: models/m.npz\n")
    (root / "rules" / "en.yaml").write_text(PACK, "utf-8")
    return root


def test_cards_stand_beside_the_model(folder: Path) -> None:
    card = json.loads((folder / "rules" / "models" / "m.json").read_text("utf-8"))
    assert card["heads"][0]["posts"] == 180 and card["heads"][0]["out_of_fold"]["accuracy"] > 0.95
    assert card["heads"][0]["data"][0]["sha256"].startswith("sha256:")
    assert "| spam/en | 180 | 90 |" in (folder / "rules" / "models" / "m.md").read_text("utf-8")


def test_evaluate_tells_rules_and_model_apart_by_group(folder: Path) -> None:
    page = folder / "page.html"
    arguments = ("evaluate", folder / "rules/models/m.npz", folder / "mail.csv", "--group", "topic")
    done = run(*arguments, "--rules", folder / "rules", "--html", page, "--threshold", "0.01")
    assert done.exit_code == 0, done.output
    assert all(said in done.output for said in ("rules alone", "the engine", "topic g0", "model above 0.01"))
    shown = page.read_text("utf-8")
    assert "<svg" in shown and "<b>tonight" not in shown and "<th>95 % interval</th>" in shown
    assert "precision 0.95  above 0." in done.output
    found = json.loads(run(*arguments, "--format", "json").stdout)["mail.csv"]
    assert found["whole"]["posts"] == 180 and found["whole"]["roc_auc"] > 0.99


def test_rules_ask_the_model(folder: Path) -> None:
    assert "all 2 examples behave" in run("check", folder / "rules").output
    shown = run("explain", "win cash 77 prize call now", "--rules", folder / "rules").output
    assert "spam" in shown and "by spam/en" in shown and "  + " in shown


def test_a_sample_goes_back_into_training(folder: Path) -> None:
    dump = folder / "dump.jsonl"
    texts = ["win cash 1 prize", "see you", "win home cash see", "hello there", "win cash 1 prize"]
    dump.write_text("\n".join(json.dumps({"id": at, "text": text}) for at, text in enumerate(texts)) + "\n{\n", "utf-8")
    done = run("sample", dump, "--for-labelling", 3, "--rules", folder / "rules", "-o", folder / "label.jsonl")
    assert done.exit_code == 0 and "1 records could not be read" in done.output
    lines = [json.loads(line) for line in (folder / "label.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 3 and all(line["label"] == "" and line["scores"] for line in lines)
    assert len({line["text"] for line in lines}) == 3


def test_columns_and_labels_are_named(folder: Path, tmp_path: Path) -> None:
    """Where names tell nothing: which column is what, and which label is meant."""
    with (folder / "mail.csv").open(encoding="utf-8") as file:
        rows = [(row["Text"], {"spam": "bad", "ham": "good"}[row["Label"]]) for row in csv.DictReader(file)]
    with (tmp_path / "odd.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *rows])
    (tmp_path / "plain.jsonl").write_text('{"a": "nothing wrong in this at all"}\n' * 3, "utf-8")
    named = ("--text", "a", "--label", "b", "--positive", "bad", "--category", "junk")
    more = ("--language", "en", "--background", tmp_path / "plain.jsonl", "--balanced", "-q")
    done = run("train", tmp_path / "odd.csv", "-o", tmp_path / "m.npz", *named, *more)
    assert (done.exit_code, done.output) == (0, "")
    head = json.loads((tmp_path / "m.json").read_text("utf-8"))["heads"][0]
    assert (head["category"], head["language"], head["posts"]) == ("junk", "en", 181)
    done = run("evaluate", tmp_path / "m.npz", tmp_path / "odd.csv", *named, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["odd.csv"]["whole"]["positives"] == 90


def test_a_recipe_finds_its_data(folder: Path, tmp_path: Path) -> None:
    head = '[[head]]\ncategory = "spam"\nlanguage = "en"\ndefinition = "of tests"\n[[head.posts]]\nfile = "mail.csv"\n'
    (tmp_path / "heads.toml").write_text(head)
    done = run("train", "--recipe", tmp_path / "heads.toml", "--data", folder, "-o", tmp_path / "m.npz")
    assert done.exit_code == 0 and "spam/en" in done.output, done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train", "-o", "x.npz"), "give files or --recipe"),
        (("train", "missing.csv", "-o", "x.npz"), "cannot read missing.csv"),
        (("train", "--recipe", "missing.toml", "-o", "x.npz"), "cannot read missing.toml"),
        (("train", "missing.csv", "-o", "."), "cannot write .: it is a folder"),
        (("train", "missing.csv", "-o", "/dev/null/x.npz"), "cannot make /dev/null: "),
        (("train", "missing.csv", "-o", "x.npz", "--category", "Hate Speech"), "'Hate Speech' is no name"),
        (("evaluate", "missing.npz", "missing.csv"), "cannot read missing.npz"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2 and says in done.output and "Traceback" not in done.output


def test_a_foreign_model_is_refused(folder: Path) -> None:
    foreign = folder / "foreign.npz"
    foreign.write_bytes(b"PK\x03\x04 nothing of ours")
    done = run("evaluate", foreign, folder / "mail.csv")
    assert done.exit_code == 2 and "it is damaged" in done.output
