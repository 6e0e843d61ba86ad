"""A small model, trained once, and labelled posts as files."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from moderation.learning.labelled import Mapped
from moderation.learning.recipe import tasks_of
from moderation.learning.train import train_model


def _posts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("labelled_posts", Path(__file__).parent / "posts.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def posts() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = _posts().labelled_posts()
    return found


@pytest.fixture(scope="session")
def spam_csv(posts: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "mail.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("id", "TEXT", "label"), *((at, *post) for at, post in enumerate(posts))])
    return path


@pytest.fixture(scope="session")
def model(spam_csv: Path) -> bytes:
    content, _, _ = train_model(tasks_of([spam_csv], Mapped()))
    return content
