"""What rule authors read when something is wrong, word for word.

Each folder of `golden/check` holds rule files and the text that they must give. `UPDATE_GOLDEN=1 pytest` rewrites it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moderation import RulesError
from moderation.packs.load import read_rules
from moderation.packs.render import render

GOLDEN = Path(__file__).parent.parent / "golden" / "check"


@pytest.mark.parametrize("folder", sorted(path.name for path in GOLDEN.iterdir() if path.is_dir()))
def test_diagnostics(folder: str) -> None:
    try:
        found = read_rules(GOLDEN / folder).warnings
    except RulesError as error:
        found = error.diagnostics
    text, golden = render(found), GOLDEN / folder / "expected.out"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
