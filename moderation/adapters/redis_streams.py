"""Redis Streams: a consumer group reads posts, decisions go to a stream and a hash, what cannot be judged to a third.

A message is acknowledged by the script that writes its decision: after any crash it is either judged and written,
or comes again. Decisions are kept by post id, so that what is judged twice stands there once.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import chain
from typing import Any

from moderation.errors import ModerationError
from moderation.service.frames import Said
from moderation.service.streams import BrokerError, Message

IDLE = 30_000
"""Milliseconds after which a message that its reader has not acknowledged is another's: longer than any batch takes."""

_BODY = b"post"
_SETTLE = """
local keep = tonumber(ARGV[4])
local at = 5
local judged = at + 2 * tonumber(ARGV[2])
for first = at, judged - 1, 1000 do
  redis.call('HSET', KEYS[3], unpack(ARGV, first, math.min(first + 999, judged - 1)))
end
for _ = 1, tonumber(ARGV[2]) do
  local entry = redis.call('XADD', KEYS[2], '*', 'decision', ARGV[at + 1], 'id', ARGV[at])
  if keep > 0 then redis.call('HSET', KEYS[5], ARGV[at], entry) end
  at = at + 2
end
for _ = 1, tonumber(ARGV[3]) do
  redis.call('XADD', KEYS[4], '*', 'post', ARGV[at], 'reason', ARGV[at + 1], 'id', ARGV[at + 2])
  at = at + 3
end
for first = at, #ARGV, 1000 do
  redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
if keep > 0 then
  redis.call('XTRIM', KEYS[4], 'MAXLEN', '~', keep)
  local over = math.min(redis.call('XLEN', KEYS[2]) - keep, 5000)
  if over > 0 then
    for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', over)) do
      redis.call('XDEL', KEYS[2], entry[1])
      local id = entry[2][3] == 'id' and entry[2][4]
      -- A post that was judged again since keeps its decision.
      local newest = id and redis.call('HGET', KEYS[5], id)
      if id and (not newest or newest == entry[1]) then
        redis.call('HDEL', KEYS[3], id)
        redis.call('HDEL', KEYS[5], id)
      end
    end
  end
end
"""
_TRIM_EVERY = 1.0


class RedisStreams:
    """A consumer of the stream `source` in `group`. Decisions are written to the hash `source`:decisions by post id and
    appended to the stream `output`; what cannot be judged to `source`:dead, with the reason.

    With `keep`, about so many of the newest stay of each, and posts that all groups have judged are removed; else
    everything stays.

    Raises ModerationError where the package `redis` is missing, BrokerError where the server does not answer.
    """

    def __init__(
        self,
        url: str,
        source: str = "posts",
        output: str = "decisions",
        group: str = "moderation",
        idle: int = IDLE,
        keep: int = 0,
    ) -> None:
        try:
            self._module = import_module("redis")
        except ImportError as error:
            raise ModerationError("streams need the package redis: pip install 'moderation[redis]'") from error
        try:
            self._redis = self._module.Redis.from_url(url)
        except ValueError as error:
            raise ModerationError(f"not an address of Redis: {error}") from error
        self._settle = self._redis.register_script(_SETTLE)
        self._source, self._output, self._group, self._idle = source, output, group, idle
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
        self._made = False
        self._keep, self._trimmed = keep, float("-inf")

    def read(self, count: int, wait: float) -> Sequence[Message]:
        """The next messages: those that a dead consumer left, else new ones."""
        try:
            self._make_group()
            left = self._reclaimed(count)
            if left:
                return left
            block = max(int(wait * 1000), 1) if wait else None
            found = self._redis.xreadgroup(self._group, self._consumer, {self._source: ">"}, count=count, block=block)
        except self._module.RedisError as error:
            raise self._failed(error) from error
        return [_message(identity, fields) for _, entries in found or () for identity, fields in entries]

    def settle(self, judged: Sequence[tuple[Message, Said]], dead: Sequence[tuple[Message, str]]) -> None:
        """Write and acknowledge in one step: a script is run whole, and acknowledges only what it has written."""
        if not judged and not dead:
            return
        told = [self._group, len(written := {str(said.id): said.json for _, said in judged}), len(dead), self._keep]
        told += chain.from_iterable(written.items())
        told += chain.from_iterable((message.body, reason, message.id) for message, reason in dead)
        told += [message.id for message, _ in (*judged, *dead)]
        try:
            beside = (f"{self._source}:{name}" for name in ("decisions", "dead", "newest"))
            self._settle([self._source, self._output, *beside], told)
            if self._keep and time.monotonic() >= self._trimmed + _TRIM_EVERY:
                self._trim()
        except self._module.RedisError as error:
            raise self._failed(error) from error

    def lag(self) -> int:
        """Messages that nobody has read yet."""
        try:
            groups = self._redis.xinfo_groups(self._source)
        except self._module.RedisError as error:
            raise self._failed(error) from error
        return next((int(each.get("lag") or 0) for each in groups if each["name"] == self._group.encode()), 0)

    def fill(self, bodies: Iterable[bytes]) -> None:
        """Append messages to the stream of posts."""
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.ping()
                for body in bodies:
                    pipe.xadd(self._source, {_BODY: body})
                pipe.execute()
        except self._module.RedisError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Hang up."""
        self._redis.close()

    def _make_group(self) -> None:
        if self._made:
            return
        try:
            self._redis.xgroup_create(self._source, self._group, id="0", mkstream=True)
        except self._module.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._made = True

    def _reclaimed(self, count: int) -> list[Message]:
        """What others were handed and have not acknowledged for long, with how often it was handed out."""
        _, entries, *_ = self._redis.xautoclaim(
            self._source, self._group, self._consumer, min_idle_time=self._idle, count=count
        )
        if not entries:
            return []
        first, last = entries[0][0], entries[-1][0]
        pending = self._redis.xpending_range(self._source, self._group, first, last, len(entries), self._consumer)
        times = {each["message_id"]: int(each["times_delivered"]) for each in pending}
        return [_message(identity, fields, times.get(identity, 1)) for identity, fields in entries if fields]

    def _trim(self) -> None:
        """Remove the posts that every group has judged: all before the first that one has not acknowledged."""
        self._trimmed = time.monotonic()
        waiting = [self._first_waiting(each) for each in self._redis.xinfo_groups(self._source)]
        self._redis.xtrim(self._source, minid=min(waiting, key=_place), approximate=True)

    def _first_waiting(self, group: Mapping[str, Any]) -> bytes:
        """The first message that a group holds, or the last that it was handed."""
        first: bytes | None = self._redis.xpending(self._source, group["name"])["min"] if group["pending"] else None
        last: bytes = group["last-delivered-id"]
        return first or last

    def _failed(self, error: Exception) -> BrokerError:
        self._made = False
        return BrokerError(f"Redis: {error}")


def _place(identity: bytes) -> tuple[int, int]:
    """Where a message stands in its stream: `1700000000000-12`."""
    time_, _, number = identity.partition(b"-")
    return int(time_), int(number)


def _message(identity: bytes, fields: Mapping[Any, bytes], deliveries: int = 1) -> Message:
    return Message(identity.decode(), fields.get(_BODY, b""), deliveries)
