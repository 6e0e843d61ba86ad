"""What is wrong with the policy, and with packs taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from moderation.errors import Diagnostic
from moderation.packs.schema import PolicyFile
from moderation.packs.shape import did_you_mean, nearest_tag
from moderation.packs.source import Document, Location
from moderation.text.codes import LANGUAGES, is_language_tag

if TYPE_CHECKING:
    from moderation.packs.load import Pack

POLICY = "policy.yaml"
Found = Iterator[Diagnostic]


def lint_together(
    packs: Sequence[Pack], policy: PolicyFile, documents: Mapping[str, Document], ids: Sequence[str] | None
) -> Found:
    """Every finding over packs and policy together.

    `packs` are the sound ones; `ids` those of all packs, broken ones too, or None where some are not known: nothing can
    be called missing then.
    """
    yield from _unique_ids(documents)
    document = documents.get(POLICY)
    if document is not None:
        yield from _lint_policy(policy, document)
        if ids is not None:
            yield from _lint_names(packs, policy, ids, document)
    if ids is not None and len(ids) == len(packs):
        yield from _categories(packs, policy, documents)


def _unique_ids(documents: Mapping[str, Document]) -> Found:
    seen: dict[object, str] = {}
    for path in sorted(set(documents) - {POLICY}):
        pack = documents[path].at(("pack",))
        if isinstance(pack, str) and pack in seen:
            place = documents[path].place(("pack",))
            yield documents[path].report("M030", place, id=pack, other=seen[pack], scope="among packs")
        elif isinstance(pack, str):
            seen[pack] = path


def _lint_policy(policy: PolicyFile, document: Document) -> Found:
    if policy.audiences is not None:
        yield document.report("M029", document.key_place(("audiences",)), name="audiences")
    for tag in policy.routes or {}:
        if tag != "*" and not is_language_tag(tag):
            yield document.report("M035", document.key_place(("routes", tag)), nearest_tag(tag), tag=tag)
    for index, tag in enumerate(policy.languages or ()):
        place = document.place(("languages", index))
        if not is_language_tag(tag):
            yield document.report("M035", place, nearest_tag(tag), tag=tag)
        elif tag not in LANGUAGES:
            yield document.report("M049", place, did_you_mean(tag, LANGUAGES), tag=tag)


def _lint_names(packs: Sequence[Pack], policy: PolicyFile, ids: Sequence[str], document: Document) -> Found:
    """Packs that the policy names and nobody has, and packs that it forgets."""
    if not ids:
        yield document.report("M048", document.key_place(("packs",)))
        return
    yield from _lint_globs(policy.packs, ("packs",), ids, document)
    for language, globs in (policy.routes or {}).items():
        yield from _lint_globs(globs, ("routes", language), ids, document)
    if policy.routes is not None:
        routed = [glob for globs in policy.routes.values() for glob in globs]
        for pack in packs:
            if _matches(pack.id, policy.packs) and not _matches(pack.id, routed):
                named = ", ".join(pack.file.languages)
                place = document.key_place(("routes",))
                yield document.report("M063", place, f"add a route for {named}", pack=pack.id)


def _lint_globs(globs: Sequence[str], location: Location, ids: Sequence[str], document: Document) -> Found:
    for index, glob in enumerate(globs):
        if not any(fnmatchcase(pack_id, glob) for pack_id in ids):
            place = document.place((*location, index))
            yield document.report("M036", place, did_you_mean(glob, ids), glob=glob)


def _matches(pack_id: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(pack_id, glob) for glob in globs)


def _categories(packs: Sequence[Pack], policy: PolicyFile, documents: Mapping[str, Document]) -> Found:
    """What `over` names must be the category of some rule."""
    known = {rule.category or pack.file.category for pack in packs for rule in pack.rules}
    if POLICY in documents:
        yield from _lint_over(policy.over, ("over",), known, documents[POLICY])
    for pack in packs:
        for index, rule in enumerate(pack.rules):
            yield from _lint_over(rule.over, ("rules", index, "over"), known, documents[pack.path])


def _lint_over(over: Sequence[str], location: Location, known: set[str], document: Document) -> Found:
    for index, category in enumerate(over):
        if category not in known:
            place = document.place((*location, index))
            yield document.report("M066", place, did_you_mean(category, known), category=category)
