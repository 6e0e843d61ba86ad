"""Micro-batches: posts that arrive within a moment are judged together, as one by itself costs mostly overhead.

A batch is handed on when a moment has passed since its first post, or it is large enough, but no sooner than somebody
is free to judge it: until then posts gather, so that batches grow with the load and nothing queues behind many small
ones.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from moderation.decision import OVERLOAD, TIMEOUT
from moderation.service.frames import Reply, Request
from moderation.service.lanes import BackendError, Lane

ENOUGH = 500
"""Posts that need not wait for more: what they would save by it is less than what who judges loses in waiting."""
AT_ONCE = 64
"""Callers that are answered in one turn of the event loop: what else it does is not held up by a large batch."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Asked = TypeVar("Asked", contravariant=True)


class Asking(Protocol[Asked, Result]):
    """What is asked, and of whom."""

    timeout: float
    window: float
    batch: int
    waiting_limit: int

    def lanes(self, loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
        """Who are asked now. Raises BackendError where there is nobody."""

    def request(self, items: Sequence[Asked]) -> Request:
        """The items as one request."""

    def results(self, items: Sequence[Asked], reply: Reply | BackendError, seconds: float) -> Sequence[Result]:
        """What a reply says of each item."""

    def unknown(self, item: Asked, why: str) -> Result:
        """What is said of an item that is not judged."""

    def told(self, items: Sequence[Asked], results: Sequence[Result]) -> None:
        """Items have their results."""


@dataclass(slots=True, eq=False)
class _Batch(Generic[Item, Result]):
    items: list[Item] = field(default_factory=list)
    futures: list[asyncio.Future[Result]] = field(default_factory=list)
    posts: int = 0
    expiry: asyncio.TimerHandle | None = None
    due: bool = False
    lane: Lane | None = None
    sent: float = 0.0


class Batcher(Generic[Item, Result]):
    """Gathers what one event loop asks. An item waits `window` seconds before its batch is handed on, or until the
    batch before is judged.
    """

    def __init__(self, asking: Asking[Item, Result], loop: asyncio.AbstractEventLoop) -> None:
        self._asking, self._loop = asking, loop
        self._batches: deque[_Batch[Item, Result]] = deque()
        self._busy = set[Lane]()
        self.waiting = 0
        """How many posts have come and are not judged."""

    async def ask(self, item: Item, posts: int = 1) -> Result:
        """The result for an item of so many posts, whatever happens: in the worst case, what is said of the unknown."""
        if self.waiting >= self._asking.waiting_limit:
            result = self._asking.unknown(item, OVERLOAD)
            self._asking.told((item,), (result,))
            return result
        future: asyncio.Future[Result] = self._loop.create_future()
        self._add(item, future, posts)
        self.waiting += posts
        try:
            return await future
        finally:  # judged, or given up by who asked
            self.waiting -= posts

    def _add(self, item: Item, future: asyncio.Future[Result], posts: int) -> None:
        if not self._batches or self._batches[-1].posts >= self._asking.batch:
            self._open()
        batch = self._batches[-1]
        batch.items.append(item)
        batch.futures.append(future)
        batch.posts += posts
        if batch.posts >= min(ENOUGH, self._asking.batch):
            self._due(batch)

    def _open(self) -> None:
        batch: _Batch[Item, Result] = _Batch()
        batch.expiry = self._loop.call_later(self._asking.timeout, self._expire, batch)
        self._batches.append(batch)
        self._loop.call_later(self._asking.window, self._due, batch)

    def _due(self, batch: _Batch[Item, Result]) -> None:
        batch.due = True
        self._hand_on()

    def _hand_on(self) -> None:
        while self._batches and self._batches[0].due:
            try:
                free = next((lane for lane in self._asking.lanes(self._loop) if lane not in self._busy), None)
            except BackendError as error:
                self._loop.call_soon(self._deliver, self._batches.popleft(), error)
                continue
            if free is None:
                return
            self._send(self._batches.popleft(), free)

    def _send(self, batch: _Batch[Item, Result], lane: Lane) -> None:
        self._busy.add(lane)
        batch.lane, batch.sent = lane, time.perf_counter()
        done, room = functools.partial(self._deliver, batch), functools.partial(self._room, batch)
        lane.send(self._asking.request(batch.items), done, room)

    def _room(self, batch: _Batch[Item, Result]) -> None:
        """A batch is judged, if not yet answered: the next may go."""
        if batch.lane is not None:
            self._busy.discard(batch.lane)
            batch.lane = None
            self._hand_on()

    def _deliver(self, batch: _Batch[Item, Result], reply: Reply | BackendError) -> None:
        self._room(batch)
        results = self._asking.results(batch.items, reply, time.perf_counter() - batch.sent)
        if batch.expiry is not None:
            batch.expiry.cancel()
        self._settle(batch, results)

    def _expire(self, batch: _Batch[Item, Result]) -> None:
        """Nobody waits any longer: not for what is being judged, nor for what was not handed on."""
        if batch in self._batches:
            self._batches.remove(batch)
        self._room(batch)
        self._settle(batch, [self._asking.unknown(item, TIMEOUT) for item in batch.items])

    def _settle(self, batch: _Batch[Item, Result], results: Sequence[Result], start: int = 0) -> None:
        """Answer some callers in this turn of the loop, and the others in the next."""
        end = start + AT_ONCE
        found = zip(batch.items[start:end], batch.futures[start:end], results[start:end], strict=True)
        left = [(item, future, result) for item, future, result in found if not future.done()]
        for _, future, result in left:
            future.set_result(result)
        self._asking.told([item for item, _, _ in left], [result for _, _, result in left])
        if end < len(results):
            self._loop.call_soon(self._settle, batch, results, end)
