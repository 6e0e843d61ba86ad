"""The names that users import are a promise."""

from __future__ import annotations

import subprocess
import sys

import moderation


def test_public_names() -> None:
    assert sorted(moderation.__all__) == [
        "Decision", "Diagnostic", "DumpError", "Engine", "Explanation", "ModerationError", "Moderator", "Post",
        "PostError", "Reason", "RulesError", "Span", "load",
    ]  # fmt: skip
    for name in moderation.__all__:
        assert getattr(moderation, name) is not None


def test_import_is_light() -> None:
    """Nothing heavy is imported before the first post is judged."""
    heavy = {"numpy", "sklearn", "scipy", "pydantic", "hyperscan", "rich"}
    code = f"import sys, moderation; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
