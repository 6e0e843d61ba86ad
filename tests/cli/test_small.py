"""`version`, `schema` and help: complete, and nothing else on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import moderation
from moderation.cli.main import cli
from moderation.packs.jsonschema import dump_schema

Run = Callable[..., CompletedProcess[str]]


def test_version(run: Run, feed: Path) -> None:
    done = run("version", "--rules", feed / "rules")
    told = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (0, "")
    assert told["moderation"] == metadata.version("moderation")
    assert told["engine"] == moderation.load(feed / "rules").fingerprint
    assert told["rules"] == str(feed / "rules")
    assert re.match(r"\d+\.\d+\.\d+ \(\S+, \S+\)", told["python"]) and re.match(r"\d|no", told["hyperscan"])


def test_version_tells_rules_apart(run: Run, feed: Path) -> None:
    """The fingerprint that stands in every decision."""
    whole = run("version").stdout.splitlines()[-1]
    part = run("version", "--rules", feed / "rules" / "zh" / "tickets.yaml").stdout.splitlines()[-1]
    assert whole != part
    assert json.loads(run("explain", "x", "--format", "json").stdout)["decision"]["engine"] == whole.split()[1]


def test_version_of_the_bundled_rules(run: Run, bundled: moderation.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODERATION_RULES")
    told = run("version").stdout
    assert "\nrules      bundled\n" in told and told.endswith(f"\nengine     {bundled.fingerprint}\n")


def test_version_of_rules_that_are_not_there(run: Run, tmp_path: Path) -> None:
    done = run("version", "--rules", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "") and f"{tmp_path}/nowhere" in done.stderr


@pytest.mark.parametrize("kind", ["pack", "policy"])
def test_schema(run: Run, kind: str) -> None:
    """What an editor gets is the file that ships, byte for byte."""
    done = run("schema", kind)
    shipped = Path(__file__).parents[2] / "rules" / f"{kind}.schema.json"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == dump_schema(kind) == shipped.read_text("utf-8")
    assert json.loads(done.stdout)["type"] == "object"


@pytest.mark.parametrize("arguments", [("schema",), ("schema", "post"), ("schema", "pack", "policy"), ("nonsense",)])
def test_mistakes(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: moderation" in done.stderr and "Error: " in done.stderr


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(run: Run, flag: str) -> None:
    done = run(flag)
    assert done.returncode == 0
    assert re.findall(r"^  ([\w-]+) ", done.stdout.partition("Commands:")[2], re.M) == sorted(cli.commands)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_help_explains_every_option(run: Run, name: str) -> None:
    told = run(name, "--help")
    short = run(name, "-h")
    assert told.returncode == 0 and told.stdout == short.stdout
    for option in cli.commands[name].params:
        if option.param_type_name == "option":
            assert re.search(rf"^ .*{option.opts[-1]}\b", told.stdout, re.M) and getattr(option, "help", "")
    assert max(map(len, told.stdout.splitlines())) <= 100


def test_no_command_gets_help(run: Run) -> None:
    done = run()
    assert done.returncode == 2 and "Commands:" in done.stdout + done.stderr


def test_version_as_an_option(run: Run) -> None:
    assert run("--version").stdout == f"moderation {metadata.version('moderation')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("surge", "-", "--window", "99999999999999"), "is not in the range"),
        (("surge", "-", "--threshold", "nan"), "'nan' is no finite number"),
        (("surge", "-", "--least-share", "nan"), "'nan' is no finite number"),
        (("attack", "x" * 5000), "a term of 5,000 characters is none: 1,000 are possible"),
        (("attack", "垃圾", "--benign", __file__), "--benign is about all rules: leave off the term"),
        (("keys", " ", "--file", "keys.json"), "a key needs a name"),
        (("keys", "feed", "--file", f"{__file__}.d/keys"), "test_small.py.d/keys: No such file"),
        (("score", "--engine", "spark", "--master", "nonsense", "in", "out"), "--master nonsense is none: spark://"),
    ],
)
def test_silly_values(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
