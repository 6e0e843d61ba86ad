"""What is said of a post: a verdict, its reasons, and the engine that gave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from moderation.post import PostId

Verdict: TypeAlias = Literal["allowed", "flagged", "blocked"]
VERDICTS: tuple[Verdict, ...] = ("allowed", "flagged", "blocked")

if TYPE_CHECKING:
    Segment: TypeAlias = "tuple[int, int, str] | tuple[int, int, str, str]"
else:
    # What reads decisions back cannot tell two kinds of tuples apart.
    Segment = tuple[Any, ...]

LIMIT_EXCEEDED = "engine/limit-exceeded"
UNCOVERED = "engine/uncovered"
UNKNOWN = "engine/unknown"
TIMEOUT, OVERLOAD, FAILURE = "engine/timeout", "engine/overload", "engine/failure"
_WHY = {
    TIMEOUT: ("Could not be judged in time", "未能及时审核"),
    OVERLOAD: ("Too many posts are waiting to be judged", "等待审核的内容过多"),
    FAILURE: ("Could not be judged: the engine failed", "引擎故障，未能审核"),
}


class Span(msgspec.Struct, frozen=True, gc=False):
    """Where a rule hit: [start, end) in code points of the field's original text.

    `term` is the term or regex as the pack spells it, `via` the folds without which it would not have hit.
    """

    field: str
    start: int
    end: int
    text: str
    term: str
    via: tuple[str, ...] = ()


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why: the rule's full id, what it says, in every language that its author wrote, and where it hit."""

    rule: str
    verdict: Literal["allow", "flag", "block"]
    category: str
    severity: int
    message: Mapping[str, str]
    spans: tuple[Span, ...] = ()


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The verdict on one post.

    `languages` are shares of the post's letters; `segments` are (start, end, language) in code points of the only text
    field, or (start, end, language, field) where a post has several. `uncovered` are languages that no live pack
    serves, `unknown` the rules that could not be decided, `engine` the fingerprint of all that judged.
    """

    id: PostId
    verdict: Verdict
    severity: int
    categories: tuple[str, ...]
    reasons: tuple[Reason, ...]
    shadow: tuple[Reason, ...]
    languages: Mapping[str, float]
    segments: tuple[Segment, ...]
    uncovered: tuple[str, ...]
    scores: Mapping[str, float]
    audiences: Mapping[str, Verdict]
    unknown: tuple[str, ...]
    engine: str

    def to_dict(self) -> dict[str, Any]:
        """The decision as plain dicts, lists, texts and numbers, as it stands in JSON."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def to_json(self) -> bytes:
        """The decision as one line of JSON (UTF-8, no newline)."""
        return encode(self)


_encoder = msgspec.json.Encoder()


def encode(decision: Decision) -> bytes:
    """One line of JSON. A lone surrogate in a span's text, which UTF-8 cannot hold, is written as an escape."""
    try:
        return _encoder.encode(decision)
    except UnicodeEncodeError:
        return json.dumps(decision.to_dict(), ensure_ascii=True, separators=(",", ":")).encode()


def undecided(post_id: PostId, why: str, engine: str, flagged: bool = True) -> Decision:
    """The decision on a post that could not be judged: `why` is TIMEOUT, OVERLOAD or FAILURE, `engine` the fingerprint,
    `flagged` what the policy says of the unknown.
    """
    reason = Reason(why, "flag", "engine", 50, dict(zip(("en", "zh"), _WHY[why], strict=True)))
    if flagged:
        return Decision(post_id, "flagged", 50, ("engine",), (reason,), (), {}, (), (), {}, {}, (why,), engine)
    return Decision(post_id, "allowed", 0, (), (), (), {}, (), (), {}, {}, (why,), engine)
