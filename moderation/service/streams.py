"""Judging a stream: read a batch, judge it, write the decisions, acknowledge. A broker is a class of three methods."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import msgspec

from moderation.errors import ModerationError
from moderation.service.bodies import Body
from moderation.service.frames import Said, Unread
from moderation.service.moderator import Moderator

log = logging.getLogger("moderation.stream")

_PAUSE = 1.0
_RESTART = 150.0


class Message(msgspec.Struct, frozen=True, gc=False):
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

    def settle(self, judged: Sequence[tuple[Message, Said]], dead: Sequence[tuple[Message, str]]) -> None:
        """Write decisions (JSON, with the post's id) and what cannot be judged with the reason, and acknowledge both,
        all or nothing.
        """

    def lag(self) -> int:
        """How many messages nobody has read yet."""


@dataclass(frozen=True)
class _Batch:
    """Messages that are being judged, how to wait for what is said of them, and those that are not judged again."""

    messages: list[Message]
    answers: Callable[[], Sequence[Said | Unread] | None]
    dead: list[tuple[Message, str]]

    def holds(self, message: Message) -> bool:
        """Whether a message is among them."""
        return message.id in self._ids

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(message.id for message in (*self.messages, *(message for message, _ in self.dead)))


@dataclass(slots=True)
class Stream:
    """A consumer. `deliveries` is how often a message may be handed out before it is given up as one that cannot be
    judged; `counts` are messages by what became of them.
    """

    moderator: Moderator
    broker: Broker
    batch: int = 2000
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
        return [message for message in messages if before is None or not before.holds(message)]

    def _failed(self, error: BrokerError) -> None:
        self.counts["failures"] += 1
        log.error("%s; trying again", error)
        self._stop.wait(_PAUSE)

    def _begin(self, messages: Sequence[Message]) -> _Batch:
        found = [message for message in messages if message.deliveries <= self.deliveries]
        dead = [
            (each, f"P006: handed out {each.deliveries} times and never settled: it may end who judges it")
            for each in messages
            if each.deliveries > self.deliveries
        ]
        return _Batch(found, self._judged(found), dead)

    def _judged(self, messages: Sequence[Message]) -> Callable[[], Sequence[Said | Unread] | None]:
        return self.moderator.begin_json([Body(message.body, id=message.id) for message in messages])

    def _settle(self, batch: _Batch) -> None:
        answers = batch.answers()
        found = list(zip(batch.messages, answers, strict=True)) if answers is not None else self._one_by_one(batch)
        judged = [(message, answer) for message, answer in found if isinstance(answer, Said)]
        unread = [
            (message, f"{answer.code}: {answer.message}") for message, answer in found if isinstance(answer, Unread)
        ]
        dead = [*batch.dead, *unread]
        self.broker.settle(judged, dead)
        self.counts["judged"] += len(judged)
        self.counts["dead"] += len(dead)
        self.counts["again"] += len(batch.messages) - len(found)

    def _one_by_one(self, batch: _Batch) -> list[tuple[Message, Said | Unread]]:
        """What is handed out for the last time is judged by itself: whatever ends who judges it takes no other along.
        The rest comes again.
        """
        last = [message for message in batch.messages if message.deliveries >= self.deliveries]
        return [(message, self._alone(message)) for message in last]

    def _alone(self, message: Message) -> Said | Unread:
        deadline = time.monotonic() + _RESTART
        while not self.moderator.alive and time.monotonic() < deadline:
            self._stop.wait(_PAUSE / 10)
        answers = self._judged([message])()
        if answers is None:
            return Unread("P008", f"could not be judged {message.deliveries} times, the last time by itself")
        return answers[0]
