"""What a service loads: rules that are checked before they judge anything, from a folder, a pack or a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from moderation.authoring.check import run_examples
from moderation.engine.compile import live_packs
from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.packs.load import RuleBook, bundled_rules, read_rules, read_sources
from moderation.service.bundle import is_bundle, read_bundle

_SHOWN = 20


def load_checked(rules: str | None, public_key: bytes | None = None) -> Engine:
    """Read rules, compile them and run their examples.

    With a public key, only a bundle that it signed is taken. Raises RulesError, BundleError, or ModerationError naming
    the examples that fail.
    """
    book = _read(rules, public_key)
    engine = Engine(book)
    failures = list(run_examples(engine, replace(book, packs=tuple(live_packs(book)))))
    if failures:
        more = f"\nand {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
        raise ModerationError("\n".join(map(str, failures[:_SHOWN])) + more)
    return engine


def _read(rules: str | None, public_key: bytes | None) -> RuleBook:
    path = Path(bundled_rules() if rules is None else rules)
    if public_key is not None or is_bundle(path):
        return read_sources(read_bundle(path, public_key))
    return read_rules(path)
