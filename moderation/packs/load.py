"""Reading rules: from a folder, one pack file or sources in memory to a validated rule book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moderation.errors import Diagnostic, RulesError
from moderation.packs.codes import diagnostic
from moderation.packs.files import SUFFIXES, Files, MemoryFiles, OutsideError, files_of, reason
from moderation.packs.lint import lint_pack
from moderation.packs.lint_classifier import lint_classifier, read_model
from moderation.packs.lint_policy import POLICY, lint_together
from moderation.packs.lists import folds_of, resolve_lists
from moderation.packs.models import ModelFile
from moderation.packs.pause import collector_paused
from moderation.packs.salvage import salvage
from moderation.packs.schema import PackFile, PolicyFile, Rule
from moderation.packs.shape import bounded, validate
from moderation.packs.source import Document, SourceError, read_document
from moderation.packs.walk import written_in


@dataclass(frozen=True, slots=True)
class Pack:
    """A validated pack: the file's model, and its lists as terms. `path` is relative to the rules folder, `folded` are
    all terms and exceptions as the folded text holds them.
    """

    file: PackFile
    lists: Mapping[str, tuple[str, ...]]
    path: str
    folded: Mapping[str, str] = field(compare=False, repr=False)

    @property
    def id(self) -> str:
        """`zh/spam`."""
        return self.file.pack

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The pack's rules, in the order of the file."""
        return self.file.rules

    def fold(self, terms: Iterable[str]) -> tuple[str, ...]:
        """Terms of this pack as the folded text holds them."""
        return tuple(map(self.folded.__getitem__, terms))


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All that an engine is compiled from: packs by id, the policy, its model, and the bytes of every file read."""

    packs: tuple[Pack, ...]
    policy: PolicyFile
    sources: Mapping[str, bytes]
    warnings: tuple[Diagnostic, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict, compare=False, repr=False)
    model: ModelFile | None = field(default=None, compare=False, repr=False)


def bundled_rules() -> Path:
    """The folder of the rules that ship: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).parent.parent
    inside = package / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def read_rules(path: Path | str | None = None) -> RuleBook:
    """Read a folder of packs (with or without policy.yaml), one pack file, or the bundled rules.

    Raises RulesError with every diagnostic of every file.
    """
    return _read(files_of(bundled_rules() if path is None else path))


def read_sources(sources: Mapping[str, bytes]) -> RuleBook:
    """Build a rule book from files in memory, by path relative to the rules folder. Raises RulesError."""
    if not any(name.endswith(SUFFIXES) for name in sources):
        raise RulesError([diagnostic("M011", ".")])
    return _read(MemoryFiles(sources))


@collector_paused(staying=True)
def _read(files: Files) -> RuleBook:
    read, documents, found = _parse(files)
    refused = {(item.path, item.line, item.column) for item in found}
    broken, found = found, []
    policy, chosen = _read_policy(documents, found)
    packs: list[Pack] = []
    for document in documents.values():
        if document.path != POLICY:
            pack, lists = _read_pack(document, files, chosen, found)
            packs += [pack] if pack else []
            read.update(lists)
    packs.sort(key=lambda pack: pack.id)
    found += lint_together(packs, policy, documents, _ids(files, documents))
    model = read_model(policy, files, documents, read, found)
    found += lint_classifier(packs, policy, model, documents)
    # What YAML refused is not said again as a wrong shape.
    found = sorted({*broken, *(item for item in found if (item.path, item.line, item.column) not in refused)})
    if any(item.severity == "error" for item in found):
        raise RulesError(found)
    return RuleBook(tuple(packs), policy, dict(sorted(read.items())), tuple(found), documents, model)


def _parse(files: Files) -> tuple[dict[str, bytes], dict[str, Document], list[Diagnostic]]:
    """The bytes of every YAML file, the documents, and what could not be read or parsed."""
    read: dict[str, bytes] = {}
    documents: dict[str, Document] = {}
    found: list[Diagnostic] = []
    for name in files.names:
        try:
            read[name] = files.read(name)
            documents[name] = read_document(name, read[name])
        except OutsideError:
            found.append(diagnostic("M018", name))
        except OSError as error:
            found.append(diagnostic("M010", name, problem=reason(error)))
        except SourceError as error:
            found.extend(error.diagnostics)
            if error.document is not None:
                documents[name] = error.document
    return read, documents, found


def _read_policy(documents: Mapping[str, Document], found: list[Diagnostic]) -> tuple[PolicyFile, PolicyFile | None]:
    """The policy as far as it is sound, and the policy if it is all sound: only then packs can be held to it."""
    default = PolicyFile(policy="default", packs=("*",))
    if POLICY not in documents:
        return default, default
    policy, problems = validate(PolicyFile, documents[POLICY])
    found += problems
    return policy or salvage(PolicyFile, documents[POLICY].data) or default, policy


def _read_pack(
    document: Document, files: Files, policy: PolicyFile | None, found: list[Diagnostic]
) -> tuple[Pack | None, dict[str, bytes]]:
    """A pack if its shape is sound, and the list files that it reads; adds what is wrong, in its sound part too."""
    file, problems = validate(PackFile, document)
    rest = file or salvage(PackFile, document.data)
    if rest is None:
        found += problems
        return None, {}
    terms, folded, read, more = resolve_lists(rest, document, files)
    pack = Pack(rest, terms, document.path, folds_of(written_in(rest.rules)) | folded)
    problems += more
    problems += bounded(lint_pack(pack, policy, document), document.path)
    # What is left of a broken pack says little about what is superfluous in it.
    found += problems if file else [item for item in problems if item.severity == "error"]
    return (pack if file else None), read


def _ids(files: Files, documents: Mapping[str, Document]) -> list[str] | None:
    """The ids of all packs, broken ones too; None where one cannot be known, so that nothing can be called missing."""
    ids = [documents[name].at(("pack",)) if name in documents else None for name in files.names if name != POLICY]
    return [str(item) for item in ids] if all(isinstance(item, str) for item in ids) else None
