"""Words of Chinese text, by jieba's dictionary."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from threading import Lock
from typing import Any, Protocol

from moderation.errors import ModerationError

_NATIVE = "rjieba.rjieba"
_LOADING = Lock()


def cut(text: str) -> list[str]:
    """The words of a text, in order, without guessing at words that the dictionary does not hold.

    Raises ModerationError where the segmenter is not installed.
    """
    return _segmenter().cut(text, False)


class _Segmenter(Protocol):
    def cut(self, text: str, hmm: bool) -> list[str]: ...


@cache
def _segmenter() -> _Segmenter:
    """A segmenter of our own: words that other users of the package add to the shared one change no decision."""
    try:
        segmenter: _Segmenter = _native().Jieba()
    except ImportError as error:
        raise ModerationError("Chinese words need the package rjieba: pip install rjieba") from error
    return segmenter


def _native() -> Any:
    """The native part of rjieba. The package itself loads a dictionary when it is imported: one more than is needed."""
    package = find_spec("rjieba")
    found = None if package is None else PathFinder.find_spec(_NATIVE, package.submodule_search_locations)
    with _LOADING:
        if _NATIVE in sys.modules or found is None or found.loader is None:
            return import_module(_NATIVE)
        module = module_from_spec(found)
        found.loader.exec_module(module)
        # Under its own name, so that who imports the package gets the same.
        sys.modules[_NATIVE] = module
        return module
