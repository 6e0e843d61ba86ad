"""What to train, from a recipe (TOML) or from files named on the command line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.errors import DumpError
from moderation.learning.estimator import SMOOTHING, Loss
from moderation.learning.labelled import Labelled, Mapped, is_neutral, read_labelled, which_positive
from moderation.learning.train import BACKGROUND, Source, Task

_Share = Annotated[float, Field(gt=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Posts(_Model):
    """A file of labelled posts: its columns, which of its labels count, and which of those are positive."""

    file: str
    text: str | None = None
    label: str | None = None
    positive: tuple[str, ...] | None = None
    only: tuple[str, ...] | None = None
    keep: _Share = 1.0
    keep_by: str | None = None
    about: str = ""
    licence: str = ""


class HeadRecipe(_Model):
    """One head: what it finds, in which language, and the posts to learn from; `background` are negatives from
    elsewhere, `talk` words of those who speak about the harm rather than do it.
    """

    category: str = Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$")
    language: str
    definition: str
    posts: tuple[Posts, ...] = Field(min_length=1)
    background: tuple[Posts, ...] = ()
    balanced: bool = False
    cloaked: bool = False
    loss: Loss = "squared_hinge"
    talk: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    background_weight: float = Field(BACKGROUND, gt=0, le=10, allow_inf_nan=False)
    smoothing: float = Field(SMOOTHING, gt=0, le=10, allow_inf_nan=False)


class Recipe(_Model):
    """A model: its heads."""

    head: tuple[HeadRecipe, ...] = Field(min_length=1)


def read_recipe(path: Path, folders: Sequence[Path]) -> list[Task]:
    """The tasks of a recipe, their files looked for in the folders. Raises DumpError naming what is wrong."""
    try:
        recipe = Recipe.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise DumpError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DumpError(f"{path}: this is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise DumpError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return [_task(head, folders) for head in recipe.head]


def _task(head: HeadRecipe, folders: Sequence[Path]) -> Task:
    return Task(
        head.category,
        head.language,
        head.definition,
        tuple(_source(posts, folders) for posts in head.posts),
        tuple(_source(posts.model_copy(update={"positive": ()}), folders) for posts in head.background),
        head.balanced,
        head.cloaked,
        head.loss,
        head.talk,
        head.background_weight,
        head.smoothing,
    )


def _source(posts: Posts, folders: Sequence[Path]) -> Source:
    found = [folder / posts.file for folder in folders if (folder / posts.file).is_file()]
    if not found:
        raise DumpError(f"there is no {posts.file} in {', '.join(map(str, folders))}: name its folder with --data")
    groups = () if posts.keep_by is None else (posts.keep_by,)
    unlabelled = "background" if posts.positive == () and posts.only is None else None
    data = read_labelled(found[0], Mapped(posts.text, posts.label, groups), unlabelled)
    if posts.only is not None:
        data = data.where([label in posts.only for label in data.labels])
    if posts.keep_by is not None:
        data = data.where([fraction(value) < posts.keep for value in data.groups[posts.keep_by]])
    positive = frozenset(data.labels) - _neutral(data) if posts.positive is None else frozenset(posts.positive)
    return Source(data, _known(positive, data), posts.about, posts.licence)


def fraction(value: str) -> float:
    """A number in [0, 1) that depends on a text alone: by it posts are kept for training or for measuring."""
    return int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], "big") / (1 << 64)


def tasks_of(
    paths: Sequence[Path],
    mapped: Mapped,
    category: str | None = None,
    language: str | None = None,
    positive: Sequence[str] = (),
    background: Sequence[Path] = (),
    balanced: bool = False,
) -> list[Task]:
    """Each file its own head; a file with several labels besides the neutral ones, a head for each.

    The category is the one given, the only positive label where it is a word, or the file's name.
    """
    behind = tuple(Source(read_labelled(path, mapped, "background"), frozenset()) for path in background)
    tasks = []
    for path in paths:
        data = read_labelled(path, mapped)
        for name, labels in _heads(data, positive, category, path).items():
            definition = f"{data.name}: {', '.join(sorted(labels))}"
            source = Source(data, labels)
            tasks.append(Task(name, language, definition, (source,), behind, balanced))
    return tasks


def _heads(data: Labelled, positive: Sequence[str], category: str | None, path: Path) -> Mapping[str, frozenset[str]]:
    wanted = _known(frozenset(positive), data) if positive else frozenset(data.labels) - _neutral(data)
    if not wanted or wanted == frozenset(data.labels):
        raise which_positive(data)
    if category is not None or positive or len(wanted) == 1:
        only = next(iter(wanted))
        return {category or (_slug(path.stem) if len(wanted) > 1 or not only.isalpha() else _slug(only)): wanted}
    return {_slug(label): frozenset((label,)) for label in sorted(wanted)}


def _neutral(data: Labelled) -> frozenset[str]:
    return frozenset(label for label in set(data.labels) if is_neutral(label))


def _known(positive: frozenset[str], data: Labelled) -> frozenset[str]:
    missing = positive - set(data.labels)
    if missing:
        has = ", ".join(sorted(set(data.labels))[:10])
        raise DumpError(f"{data.name} has no label {sorted(missing)[0]!r}: it has {has}")
    return positive


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "label"


def plain_sources(task: Task) -> list[dict[str, Any]]:
    """A task's data as they stand in a model card."""
    return [
        {
            "file": source.data.name,
            "posts": len(source.data),
            "positive": sorted(source.positive),
            "skipped": source.data.skipped,
            "sha256": source.data.digest,
            "about": source.about,
            "licence": source.licence,
            "background": background,
        }
        for background, sources in ((False, task.sources), (True, task.background))
        for source in sources
    ]
