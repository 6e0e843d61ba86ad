"""Micro-batches: posts that arrive within a moment are judged together, as one by itself costs mostly overhead.

A batch is handed on when a moment has passed since its first post, but no sooner than there is room: while batches are
being judged, posts gather, so that batches grow with the load and nothing queues behind many small ones.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moderation.decision import OVERLOAD, TIMEOUT, Decision
from moderation.post import Post

if TYPE_CHECKING:
    from moderation.service.moderator import Moderator

AT_ONCE = 2
"""Batches on their way: one is judged while another is packed or unpacked."""


@dataclass(slots=True, eq=False)
class _Batch:
    posts: list[Post] = field(default_factory=list)
    futures: list[asyncio.Future[Decision]] = field(default_factory=list)
    expiry: asyncio.TimerHandle | None = None
    due: bool = False
    on_its_way: bool = False


class Batcher:
    """Gathers the posts of one event loop. A post waits `window` seconds before its batch is handed on, or until one of
    those before it is judged.
    """

    def __init__(self, moderator: Moderator, loop: asyncio.AbstractEventLoop) -> None:
        self._moderator, self._loop = moderator, loop
        self._batches: deque[_Batch] = deque()
        self._count = self._on_their_way = 0

    @property
    def waiting(self) -> int:
        """How many posts have come and are not judged."""
        return self._count

    async def decide(self, post: Post) -> Decision:
        """The decision on a post, whatever happens: in the worst case the policy's answer for what is unknown."""
        if self._count >= self._moderator.waiting_limit:
            decision = self._moderator.unknown(post, OVERLOAD)
            self._moderator.told((post,), (decision,))
            return decision
        future: asyncio.Future[Decision] = self._loop.create_future()
        self._add(post, future)
        self._count += 1
        future.add_done_callback(self._done)
        return await future

    def _add(self, post: Post, future: asyncio.Future[Decision]) -> None:
        if not self._batches or len(self._batches[-1].posts) >= self._moderator.batch:
            self._open()
        batch = self._batches[-1]
        batch.posts.append(post)
        batch.futures.append(future)
        if len(batch.posts) >= self._moderator.batch:
            self._due(batch)

    def _open(self) -> None:
        batch = _Batch()
        batch.expiry = self._loop.call_later(self._moderator.timeout, self._expire, batch)
        self._batches.append(batch)
        self._loop.call_later(self._moderator.window, self._due, batch)

    def _due(self, batch: _Batch) -> None:
        batch.due = True
        self._hand_on()

    def _done(self, _: asyncio.Future[Decision]) -> None:
        """Judged, or given up by who asked."""
        self._count -= 1

    def _hand_on(self) -> None:
        while self._batches and self._batches[0].due and self._on_their_way < AT_ONCE:
            self._send(self._batches.popleft())

    def _send(self, batch: _Batch) -> None:
        batch.on_its_way = True
        self._on_their_way += 1
        self._moderator.submit(batch.posts).add_done_callback(lambda judged: self._call(batch, judged))

    def _call(self, batch: _Batch, judged: Future[list[Decision]]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, batch, judged)
        except RuntimeError:
            return  # the loop was closed: nobody waits

    def _deliver(self, batch: _Batch, judged: Future[list[Decision]]) -> None:
        self._arrived(batch)
        if batch.expiry is not None:
            batch.expiry.cancel()
        error = judged.exception()
        self._settle(batch, judged.result() if error is None else self._moderator.failed(batch.posts, error))

    def _arrived(self, batch: _Batch) -> None:
        self._on_their_way -= batch.on_its_way
        batch.on_its_way = False
        self._hand_on()

    def _expire(self, batch: _Batch) -> None:
        """Nobody waits any longer: not for what is being judged, nor for what was not handed on."""
        if batch in self._batches:
            self._batches.remove(batch)
        self._arrived(batch)
        self._settle(batch, [self._moderator.unknown(post, TIMEOUT) for post in batch.posts])

    def _settle(self, batch: _Batch, decisions: list[Decision]) -> None:
        found = zip(batch.posts, batch.futures, decisions, strict=True)
        left = [(post, future, decision) for post, future, decision in found if not future.done()]
        for _, future, decision in left:
            future.set_result(decision)
        self._moderator.told([post for post, _, _ in left], [decision for _, _, decision in left])
