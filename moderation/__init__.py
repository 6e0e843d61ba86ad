"""A rules engine that tags the posts of a mixed-language feed as allowed, flagged or blocked.

import moderation

engine = moderation.load()                    # the bundled rules; or a folder of packs, or one pack
decision = engine.decide("加我微信 abc12345")
decision.verdict                              # "flagged"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moderation.decision import Decision, Reason, Span
    from moderation.engine.engine import Engine, load
    from moderation.engine.explain import Explanation
    from moderation.errors import Diagnostic, DumpError, ModerationError, PostError, RulesError
    from moderation.post import Post
    from moderation.service.moderator import Moderator

__all__ = [
    "Decision",
    "Diagnostic",
    "DumpError",
    "Engine",
    "Explanation",
    "ModerationError",
    "Moderator",
    "Post",
    "PostError",
    "Reason",
    "RulesError",
    "Span",
    "load",
]

# Imported at first use: `import moderation` costs next to nothing in a process that never judges a post.
_HOMES = {
    "Decision": "decision",
    "Reason": "decision",
    "Span": "decision",
    "Engine": "engine.engine",
    "load": "engine.engine",
    "Explanation": "engine.explain",
    "Diagnostic": "errors",
    "DumpError": "errors",
    "ModerationError": "errors",
    "PostError": "errors",
    "RulesError": "errors",
    "Post": "post",
    "Moderator": "service.moderator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'moderation' has no attribute {name!r}")
    from importlib import import_module

    from moderation.packs.pause import collector_paused

    with collector_paused(staying=True):
        return getattr(import_module(f"moderation.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
