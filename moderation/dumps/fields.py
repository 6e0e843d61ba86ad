"""Which keys of a record are what: by `text=content.body`, what stands at `content.body` is the field `text`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.dumps.sources import Source
from moderation.errors import DumpError
from moderation.post import DECLARED_LANGUAGE, attribute

_NOT_TEXT = {"id", "created_at", *DECLARED_LANGUAGE}


@dataclass(frozen=True, slots=True)
class FieldMap:
    """`text` are the names of text fields in order; `paths` are (name, dotted path) of what stands elsewhere."""

    text: tuple[str, ...]
    paths: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, options: Sequence[str], text_fields: Sequence[str]) -> FieldMap:
        """Read NAME=PATH, or NAME for what stands under its own name. `id`, `created_at`, `language`, `lang` and names
        with a dot are attributes; any other is a text field, and these replace `text_fields`.

        Raises DumpError for what is neither, and for a name that is given twice.
        """
        pairs = [_pair(option) for option in options]
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DumpError(f"the field `{twice}` is given twice: a name stands for one place")
        text = tuple(name for name in names if name not in _NOT_TEXT and "." not in name)
        return cls(text or tuple(text_fields), tuple((name, path) for name, path in pairs if name != path))

    def mapped(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with everything under the name that it is looked for; itself where nothing stands elsewhere."""
        if not self.paths:
            return record
        found = {name: attribute(record, path) for name, path in self.paths}
        rest = {name: value for name, value in record.items() if name not in found}
        return rest | {name: value for name, value in found.items() if value is not None}

    def column(self, name: str) -> str:
        """Where what goes by a name stands."""
        return next((path for mapped, path in self.paths if mapped == name), name)

    def columns(self, names: Iterable[str]) -> frozenset[str]:
        """The columns in which texts stand and what goes by these names: nested ones, and what they are nested in."""
        paths = [*self.text_columns, *map(self.column, names)]
        return frozenset(paths) | {path.partition(".")[0] for path in paths}

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Where texts stand."""
        return tuple(map(self.column, self.text))


def check_columns(source: Source, names: Sequence[str], texts: Sequence[str]) -> None:
    """Raise DumpError where none of a table's columns holds text: not one of its rows would be a post."""
    if not any(text in names or text.partition(".")[0] in names for text in texts):
        has = ", ".join(f"`{name}`" for name in names[:12]) or "nothing"
        cure = f"; name one, as in `--field text={names[0]}`" if names else ""
        raise DumpError(f"{source.label}: no column holds text: the header has {has}{cure}")


def _pair(option: str) -> tuple[str, str]:
    name, equals, path = option.partition("=")
    name, path = name.strip(), path.strip() if equals else name.strip()
    if not name or not path:
        raise DumpError(f"`--field {option}` is no NAME=PATH, as in `--field text=content.body`")
    return name, path


@dataclass(frozen=True, slots=True)
class Keep:
    """What of a record goes on beside its decision: values at dotted paths, or everything."""

    paths: tuple[str, ...] = ()
    everything: bool = False

    @classmethod
    def of(cls, option: str | None) -> Keep | None:
        """Read `a,b.c` or `all`; None for nothing."""
        if option is None:
            return None
        paths = tuple(dict.fromkeys(path.strip() for path in option.split(",") if path.strip()))
        if not paths:
            raise DumpError("`--keep` names columns, as in `--keep author.id,created_at`, or `all`")
        return cls((), True) if paths == ("all",) else cls(paths)

    def of_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a record, by path; a path that is not there is null. The record may change afterwards."""
        if self.everything:
            return dict(record)
        return {path: attribute(record, path) for path in self.paths}
