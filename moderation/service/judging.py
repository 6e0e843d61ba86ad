"""Judging a batch so that a post on which the engine fails takes no other along."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from moderation.decision import FAILURE, Decision, undecided
from moderation.engine.engine import Engine
from moderation.errors import PostError
from moderation.post import Post

log = logging.getLogger("moderation")


def decided(engine: Engine, posts: Sequence[Post]) -> list[Decision]:
    """The decisions on posts; the policy's answer for what is unknown on one that cannot be judged, whatever the cause.
    It is found by halves.
    """
    try:
        return engine.decide_batch(posts)
    except PostError:
        raise
    except Exception as error:
        if len(posts) > 1:
            half = len(posts) // 2
            return decided(engine, posts[:half]) + decided(engine, posts[half:])
        log.error("the engine failed on post %r: %s", posts[0].id, type(error).__name__)
        return [undecided(posts[0].id, FAILURE, engine.fingerprint, engine.rulebook.policy.unknown == "flag")]
