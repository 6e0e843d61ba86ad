"""Reading rules: from a folder, one pack file or sources in memory to a validated rule book."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moderation.errors import Diagnostic, RulesError
from moderation.packs.codes import diagnostic
from moderation.packs.lint import lint, lint_pack
from moderation.packs.lists import resolve_lists
from moderation.packs.salvage import salvage
from moderation.packs.schema import PackFile, PolicyFile, Rule
from moderation.packs.shape import validate
from moderation.packs.source import Document, SourceError, read_document

POLICY = "policy.yaml"
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Pack:
    """A validated pack: the file's model, and its lists as terms. `path` is relative to the rules folder."""

    file: PackFile
    lists: Mapping[str, tuple[str, ...]]
    path: str

    @property
    def id(self) -> str:
        """`zh/spam`."""
        return self.file.pack

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The pack's rules, in the order of the file."""
        return self.file.rules


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All that an engine is compiled from: packs by id, the policy, and the bytes of every file read."""

    packs: tuple[Pack, ...]
    policy: PolicyFile
    sources: Mapping[str, bytes]
    warnings: tuple[Diagnostic, ...] = ()
    documents: Mapping[str, Document] = field(default_factory=dict, compare=False, repr=False)


def bundled_rules() -> Path:
    """The folder of the rules that ship: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).parent.parent
    inside = package / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def read_rules(path: Path | str | None = None) -> RuleBook:
    """Read a folder of packs (with or without policy.yaml), one pack file, or the bundled rules.

    Raises RulesError with every diagnostic of every file.
    """
    return read_sources(read_files(Path(path) if path is not None else bundled_rules()))


def read_files(path: Path) -> dict[str, bytes]:
    """The bytes of all that could belong to the rules, by path relative to their folder. Raises RulesError."""
    single = path.is_file()
    if single:
        # A pack's lists may stand beside its own folder, as in ../lists/names.txt.
        root = path.parent.parent
        files = [path, *_listed(path, root)]
    else:
        root = path
        files = sorted(file for file in path.rglob("*") if file.suffix in (*_SUFFIXES, ".txt") and _visible(file, path))
    return _read_all(root, files, path)


def _listed(path: Path, root: Path) -> list[Path]:
    """The list files that one pack names, as far as they exist below the root."""
    try:
        lists = read_document(path.name, path.read_bytes()).at(("lists",))
    except (SourceError, OSError):
        return []
    sources = lists.values() if isinstance(lists, dict) else ()
    named = (source.get("file") for source in sources if isinstance(source, dict))
    files = (Path(os.path.normpath(path.parent / name)) for name in named if isinstance(name, str))
    return sorted({file for file in files if file.is_relative_to(root) and file.is_file()})


def _visible(file: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(root).parts)


def _read_all(root: Path, files: list[Path], asked: Path) -> dict[str, bytes]:
    sources: dict[str, bytes] = {}
    found: list[Diagnostic] = []
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            # A link that leads out of the folder could read any file of the machine into a diagnostic.
            if not file.resolve().is_relative_to(root.resolve()):
                raise OSError("it is a link that leaves the rules folder")
            if file.is_file():
                sources[name] = file.read_bytes()
        except OSError as error:
            found.append(diagnostic("M010", str(file), problem=error.strerror or str(error)))
    if not asked.exists():
        found.append(diagnostic("M010", str(asked), problem="no such file or folder"))
    if found:
        raise RulesError(found)
    if not any(name.endswith(_SUFFIXES) for name in sources):
        raise RulesError([diagnostic("M011", str(asked), folder=asked)])
    return sources


def read_sources(sources: Mapping[str, bytes]) -> RuleBook:
    """Build a rule book from files in memory, by path relative to the rules folder. Raises RulesError."""
    documents, found = _parse(sources)
    policy = PolicyFile(policy="default", packs=("*",))
    if POLICY in documents:
        read, problems = validate(PolicyFile, documents[POLICY])
        policy, found = read or policy, found + problems
    packs, used = list[Pack](), set(documents)
    for document in documents.values():
        if document.path != POLICY:
            pack, reads, problems = _read_pack(document, sources, policy)
            packs += [pack] if pack else []
            used, found = used | reads, found + problems
    packs.sort(key=lambda pack: pack.id)
    found += lint(packs, policy, documents, whole=not _errors(found))
    if _errors(found):
        raise RulesError(found)
    kept = {name: sources[name] for name in sorted(used)}
    return RuleBook(tuple(packs), policy, kept, tuple(sorted(found)), documents)


def _read_pack(
    document: Document, sources: Mapping[str, bytes], policy: PolicyFile
) -> tuple[Pack | None, set[str], list[Diagnostic]]:
    """A pack if its shape is sound, the list files that it reads, and what is wrong, in its sound part too."""
    file, problems = validate(PackFile, document)
    rest = file or salvage(document.data)
    if rest is None:
        return None, set(), problems
    lists, reads, more = resolve_lists(rest, document, sources)
    pack = Pack(rest, lists, document.path)
    if file is not None:
        return pack, reads, problems + more
    errors = [item for item in lint_pack(pack, policy, document) if item.severity == "error"]
    return None, reads, problems + more + errors


def _errors(found: list[Diagnostic]) -> bool:
    return any(item.severity == "error" for item in found)


def _parse(sources: Mapping[str, bytes]) -> tuple[dict[str, Document], list[Diagnostic]]:
    """Every YAML file as a document, and what could not be parsed."""
    documents: dict[str, Document] = {}
    found: list[Diagnostic] = []
    for name in sorted(sources):
        if name.endswith(_SUFFIXES):
            try:
                documents[name] = read_document(name, sources[name])
            except SourceError as error:
                found.append(error.diagnostic)
    return documents, found
