"""Micro-batches: posts that arrive within a moment are judged together, as one by itself costs mostly overhead."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

from moderation.decision import Decision
from moderation.post import Post

if TYPE_CHECKING:
    from moderation.service.moderator import Moderator

_Waiting = list[tuple[Post, "asyncio.Future[Decision]"]]


class Batcher:
    """Gathers the posts of one event loop. A post waits `window` seconds at most before its batch is handed on."""

    def __init__(self, moderator: Moderator, loop: asyncio.AbstractEventLoop) -> None:
        self._moderator, self._loop = moderator, loop
        self._waiting: _Waiting = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many posts have come and are not judged."""
        return self._count

    async def decide(self, post: Post) -> Decision:
        """The decision on a post, whatever happens: in the worst case the policy's answer for what is unknown."""
        from moderation.service.moderator import OVERLOAD

        if self._count >= self._moderator.waiting_limit:
            decision = self._moderator.unknown(post, OVERLOAD)
            self._moderator.told((post,), (decision,))
            return decision
        future: asyncio.Future[Decision] = self._loop.create_future()
        self._waiting.append((post, future))
        self._count += 1
        future.add_done_callback(self._done)
        if len(self._waiting) >= self._moderator.batch:
            self._hand_on()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._moderator.window, self._hand_on)
        return await future

    def _done(self, _: asyncio.Future[Decision]) -> None:
        """Judged, or given up by who asked."""
        self._count -= 1

    def _hand_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        judged = self._moderator.submit([post for post, _ in batch])
        timer = self._loop.call_later(self._moderator.timeout, self._expire, batch)
        judged.add_done_callback(lambda done: self._call(self._deliver, batch, done, timer))

    def _call(self, *call: object) -> None:
        function, *arguments = call
        try:
            self._loop.call_soon_threadsafe(function, *arguments)  # type: ignore[arg-type]
        except RuntimeError:
            return  # the loop was closed: nobody waits

    def _deliver(self, batch: _Waiting, judged: Future[list[Decision]], timer: asyncio.TimerHandle) -> None:
        timer.cancel()
        posts = [post for post, _ in batch]
        error = judged.exception()
        decisions = judged.result() if error is None else self._moderator.failed(posts, error)
        found = zip(batch, decisions, strict=True)
        self._settle([(post, future, decision) for (post, future), decision in found if not future.done()])

    def _expire(self, batch: _Waiting) -> None:
        from moderation.service.moderator import TIMEOUT

        left = [(post, future) for post, future in batch if not future.done()]
        self._settle([(post, future, self._moderator.unknown(post, TIMEOUT)) for post, future in left])

    def _settle(self, left: list[tuple[Post, asyncio.Future[Decision], Decision]]) -> None:
        for _, future, decision in left:
            future.set_result(decision)
        self._moderator.told([post for post, _, _ in left], [decision for _, _, decision in left])
