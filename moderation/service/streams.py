"""Judging a stream: read a batch, judge it, write the decisions, acknowledge. A broker is a class of three methods."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from moderation.decision import FAILURE, OVERLOAD, TIMEOUT, Decision
from moderation.errors import ModerationError, PostError
from moderation.post import Post
from moderation.service.moderator import Moderator

log = logging.getLogger("moderation.stream")

_NOT_JUDGED = {FAILURE, OVERLOAD, TIMEOUT}
_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the broker's id of it, what it holds, and how often it was handed out (1: the first time)."""

    id: str
    body: bytes
    deliveries: int = 1


class BrokerError(ModerationError):
    """The broker cannot be reached, or refuses: what was not acknowledged comes again."""


class Broker(Protocol):
    """Where posts come from and decisions go. Every method raises BrokerError where it cannot do its work."""

    def read(self, count: int, wait: float) -> Sequence[Message]:
        """The next messages, those of consumers that died first; none after `wait` seconds without any (0: at once)."""

    def settle(self, judged: Sequence[tuple[Message, Decision]], dead: Sequence[tuple[Message, str]]) -> None:
        """Write decisions, and messages that cannot be judged with the reason, and acknowledge them: all or nothing."""

    def lag(self) -> int:
        """How many messages nobody has read yet."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages that are being judged, how to wait for their decisions, and those that are no posts."""

    messages: list[Message]
    decisions: Callable[[], list[Decision]]
    dead: list[tuple[Message, str]]
    ids: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        ids = [message.id for message in (*self.messages, *(message for message, _ in self.dead))]
        object.__setattr__(self, "ids", frozenset(ids))


@dataclass(slots=True)
class Stream:
    """A consumer. `deliveries` is how often a message may be handed out before it is given up as one that cannot be
    judged; `counts` are messages by what became of them.
    """

    moderator: Moderator
    broker: Broker
    batch: int = 1000
    deliveries: int = 3
    counts: dict[str, int] = field(default_factory=lambda: {"judged": 0, "dead": 0, "again": 0, "failures": 0})
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End when the batch at hand is settled."""
        self._stop.set()

    def run(self, wait: float = 1.0, until_empty: bool = False) -> None:
        """Judge what comes until told to stop, or until nothing comes. A broker that fails is asked again.

        While a batch is judged, the next is read and the one before is settled.
        """
        ahead: _Batch | None = None
        while ahead is not None or not self._stop.is_set():
            before, ahead = ahead, None
            try:
                messages = self._read(before, wait)
                if messages:
                    ahead = self._begin(messages)
                elif until_empty and before is None:
                    return
            except BrokerError as error:
                self._failed(error)
            try:
                if before is not None:
                    self._settle(before)
            except BrokerError as error:
                self._failed(error)

    def _read(self, before: _Batch | None, wait: float) -> list[Message]:
        """What comes next; not what is being judged, should the broker think that it was forgotten."""
        if self._stop.is_set():
            return []
        messages = self.broker.read(self.batch, wait if before is None else 0)
        return [message for message in messages if before is None or message.id not in before.ids]

    def _failed(self, error: BrokerError) -> None:
        self.counts["failures"] += 1
        log.error("%s; trying again", error)
        self._stop.wait(_PAUSE)

    def _begin(self, messages: Sequence[Message]) -> _Batch:
        found: list[tuple[Message, Post]] = []
        dead: list[tuple[Message, str]] = []
        for message in messages:
            try:
                found.append((message, self._post(message)))
            except PostError as error:
                dead.append((message, str(error)))
        posts = [post for _, post in found]
        return _Batch([message for message, _ in found], self.moderator.begin(posts), dead)

    def _settle(self, batch: _Batch) -> None:
        found = list(zip(batch.messages, batch.decisions(), strict=True))
        judged = [(message, decision) for message, decision in found if not _NOT_JUDGED.intersection(decision.unknown)]
        left = [message for message, decision in found if _NOT_JUDGED.intersection(decision.unknown)]
        given_up = [message for message in left if message.deliveries >= self.deliveries]
        dead = [*batch.dead, *((each, f"could not be judged {each.deliveries} times") for each in given_up)]
        self.broker.settle(judged, dead)
        self.counts["judged"] += len(judged)
        self.counts["dead"] += len(dead)
        self.counts["again"] += len(left) - len(given_up)

    def _post(self, message: Message) -> Post:
        if message.deliveries > self.deliveries:
            raise PostError(
                "P006", f"handed out {message.deliveries} times and never settled: it may end who judges it"
            )
        try:
            value: Any = msgspec.json.decode(message.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PostError("P005", f"no JSON: {error}") from error
        post = Post.of(value, self.moderator.info.text_fields)
        return post if post.id is not None else Post(message.id, post.fields, post.attributes)
