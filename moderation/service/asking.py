"""What event loops ask in micro-batches: posts as objects, and posts as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from moderation.decision import FAILURE, Decision
from moderation.errors import PostError
from moderation.post import Post
from moderation.service import bodies, frames
from moderation.service.backends import expect
from moderation.service.bodies import Body
from moderation.service.frames import Judge, Judged, JudgedJson, JudgeJson, Reply, Unread
from moderation.service.lanes import BackendError, Lane
from moderation.service.tally import Tally

if TYPE_CHECKING:
    from moderation.service.moderator import Moderator

Posts = Sequence[Post]


class Answer(NamedTuple):
    """JSON, and the fingerprint of the engine whose decisions it holds."""

    json: bytes
    engine: str


class _Asking:
    def __init__(self, moderator: Moderator) -> None:
        self._moderator = moderator
        self.timeout, self.window = moderator.timeout, moderator.window
        self.batch, self.waiting_limit = moderator.batch, moderator.waiting_limit

    def lanes(self, loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
        """To what judges now."""
        return self._moderator.lanes(loop)


class AskingPosts(_Asking):
    """Items are posts that stay together, results their decisions."""

    def request(self, items: Sequence[Posts]) -> Judge:
        """All posts in one."""
        return Judge([frames.named(post) for posts in items for post in posts], soon=True)

    def results(
        self, items: Sequence[Posts], reply: Reply | BackendError, seconds: float
    ) -> Sequence[Sequence[Decision]]:
        """The decisions, item by item."""
        try:
            decisions: list[Decision] = expect(reply, Judged).decisions
        except BackendError as error:
            self._moderator.failed(sum(map(len, items)), error)
            return [self.unknown(posts, FAILURE) for posts in items]
        self._moderator.count(lambda: Tally.of(decisions), seconds)
        rest = iter(under_own_ids(chain.from_iterable(items), decisions))
        return [[*islice(rest, len(posts))] for posts in items]

    def unknown(self, item: Posts, why: str) -> Sequence[Decision]:
        """The policy's answer."""
        decisions = [self._moderator.unknown(post, why) for post in item]
        self._moderator.count(lambda: Tally.of(decisions), None)
        return decisions

    def told(self, items: Sequence[Posts], results: Sequence[Sequence[Decision]]) -> None:
        """Call back."""
        if self._moderator.listened_to:
            for posts, decisions in zip(items, results, strict=True):
                self._moderator.told(posts, decisions)


def under_own_ids(posts: Iterable[Post], decisions: Iterable[Decision]) -> Iterator[Decision]:
    """Decisions under the ids of their posts: on the way, long numbers become texts."""
    for post, decision in zip(posts, decisions, strict=True):
        yield decision if decision.id == post.id else msgspec.structs.replace(decision, id=post.id)


class AskingJson(_Asking):
    """Items are bodies of requests, results what is to be answered, or what is wrong with them."""

    def request(self, items: Sequence[Body]) -> JudgeJson:
        """All bodies in one."""
        return JudgeJson([item.json for item in items], many=True, soon=True)

    def results(
        self, items: Sequence[Body], reply: Reply | BackendError, seconds: float
    ) -> Sequence[Answer | PostError]:
        """The answers, item by item."""
        try:
            judged: JudgedJson = expect(reply, JudgedJson)
        except BackendError as error:
            self._moderator.failed(sum(item.posts for item in items), error)
            return [self.unknown(item, FAILURE) for item in items]
        self._moderator.count(lambda: judged.tally, seconds)
        return [
            PostError(each.code, each.message) if isinstance(each, Unread) else Answer(each.json, judged.engine)
            for each in judged.answers
        ]

    def unknown(self, item: Body, why: str) -> Answer | PostError:
        """The policy's answer, as JSON."""
        decisions: list[Decision] = []
        fields = self._moderator.info.text_fields

        def decide(post: Any) -> Decision:
            decisions.append(decision := self._moderator.unknown(Post.of(post, fields), why))
            return decision

        try:
            said = bodies.answered(item, True, decide)
        except PostError as error:
            return error
        if isinstance(said, Unread):
            return PostError(said.code, said.message)
        self._moderator.count(lambda: Tally.of(decisions), None)
        return Answer(said.json, self._moderator.fingerprint)

    def told(self, items: Sequence[Body], results: Sequence[Answer | PostError]) -> None:
        """Call back: only then is JSON read."""
        if self._moderator.listened_to:
            for item, result in zip(items, results, strict=True):
                if isinstance(result, Answer):
                    self._moderator.told(*bodies.read_back(item, result.json, self._moderator.info.text_fields, True))
