"""The policy's model, and what is wrong with the rules that ask it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from moderation.errors import Diagnostic
from moderation.packs.files import Files, OutsideError, reason
from moderation.packs.models import MAX_BYTES, ModelError, ModelFile, load_model
from moderation.packs.schema import Condition, PolicyFile, Rule
from moderation.packs.shape import did_you_mean
from moderation.packs.source import Document
from moderation.packs.walk import conditions_of

if TYPE_CHECKING:
    from moderation.packs.load import Pack

_POLICY = "policy.yaml"


def read_model(
    policy: PolicyFile,
    files: Files,
    documents: Mapping[str, Document],
    read: dict[str, bytes],
    found: list[Diagnostic],
) -> ModelFile | None:
    """The policy's model; adds its bytes to what was read, or what is wrong with it."""
    if policy.classifier is None or _POLICY not in documents:
        return None
    name = posixpath.normpath(policy.classifier)
    try:
        if posixpath.isabs(name) or name.startswith("../"):
            raise ModelError("it lies outside of the rules folder")
        content = files.read(name, MAX_BYTES)
        model = load_model(content)
    except (OutsideError, ModelError, OSError, ValueError) as error:
        problem = "it lies outside of the rules folder" if isinstance(error, OutsideError) else reason(error)
        document = documents[_POLICY]
        place = document.place(("classifier",))
        found.append(document.report("M057", place, name=policy.classifier, problem=problem))
        return None
    read[name] = content
    return model


def lint_classifier(
    packs: Sequence[Pack], policy: PolicyFile, model: ModelFile | None, documents: Mapping[str, Document]
) -> Iterator[Diagnostic]:
    """Categories without a head, conditions without a model, and rules that block by the model alone."""
    for pack in packs:
        document = documents[pack.path]
        for index, rule in enumerate(pack.rules):
            for location, condition in conditions_of(rule, ("rules", index)):
                if condition.classifier is None:
                    continue
                place = document.place((*location, "classifier", "category"))
                if policy.classifier is None:
                    yield document.report("M075", place)
                elif model is not None and condition.classifier.category not in model.categories:
                    category = condition.classifier.category
                    hint = did_you_mean(category, model.categories) or f"it has {', '.join(model.categories)}"
                    yield document.report("M058", place, hint, category=category)
            if _blocks_alone(rule):
                yield document.report("M076", document.place(("rules", index, "verdict")))


def _blocks_alone(rule: Rule) -> bool:
    return rule.verdict == "block" and _alone(rule.when)


def _alone(condition: Condition) -> bool:
    """Whether the classifier can make a condition true by itself, with no text or field beside it."""
    if condition.classifier is not None:
        return True
    if condition.any_ is not None:
        return any(map(_alone, condition.any_))
    if condition.all_:
        return all(_alone(child) or child.language is not None for child in condition.all_) and any(
            map(_alone, condition.all_)
        )
    return False
