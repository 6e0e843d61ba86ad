"""Watching a folder of rules: a change of its files reloads them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from moderation.errors import ModerationError
from moderation.packs.load import bundled_rules

_SUFFIXES = (".yaml", ".yml", ".txt", ".npz", ".bundle")
_QUIET = 400  # milliseconds without another change: editors and deployments write several files


class Watcher:
    """Calls `changed` after files of rules changed. Raises ModerationError where `watchfiles` is not installed."""

    def __init__(self, rules: str | None, changed: Callable[[], object]) -> None:
        try:
            self._watch = import_module("watchfiles").watch
        except ImportError as error:
            raise ModerationError("watching needs the package watchfiles: pip install 'moderation[service]'") from error
        path = Path(bundled_rules() if rules is None else rules)
        # A bundle is replaced as a file: its folder is watched.
        self._folder = path if path.is_dir() else path.parent
        self._only = None if path.is_dir() else path.resolve()
        self._changed, self._stop = changed, threading.Event()
        self._thread = threading.Thread(target=self._run, name="moderation-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        for _ in self._watch(
            self._folder,
            watch_filter=lambda change, path: self._concerns(Path(path)),
            debounce=_QUIET,
            stop_event=self._stop,
            rust_timeout=500,
        ):
            self._changed()

    def _concerns(self, path: Path) -> bool:
        if self._only is not None:
            return bool(path.resolve() == self._only)
        return path.suffix in _SUFFIXES and not path.name.startswith(".")
