"""The hook: posts are judged as they arrive, rules change while they flow, and nothing of it stops the feed."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from moderation.authoring.surge import Surge, SurgeMonitor
from moderation.decision import FAILURE, TIMEOUT, Decision, undecided
from moderation.engine.engine import Engine
from moderation.errors import ModerationError
from moderation.post import Post, PostLike, attribute
from moderation.service.backends import Backend, BackendError, ProcessBackend, ThreadBackend
from moderation.service.batches import Batcher
from moderation.service.frames import Ready
from moderation.service.telemetry import telemetry
from moderation.service.watch import Watcher

Judged = Callable[[Post, Decision], object]
Observer = Callable[[Sequence[Decision], float], object]
_Function = TypeVar("_Function", bound=Callable[..., Any])

log = logging.getLogger("moderation")

_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of a reload: whether new rules judge now, which these are, and what was wrong if they don't."""

    ok: bool
    fingerprint: str
    problem: str = ""


class Moderator:
    """Judges posts for a service, from any thread or event loop.

    `rules` is an Engine, or a path to rules (a folder, a pack, a bundle; None: the bundled rules). Given a path, it
    judges in a process of its own (`isolated`), so that reloading and failing hold up nothing here; an Engine judges on
    a thread. `public_key` (PEM) must have signed the bundle. A post that is not judged within `timeout` seconds, or
    while `waiting` others wait, gets the policy's answer for what is unknown: no exception. Calls of `adecide` within
    `window` seconds are one batch, of `batch` posts at most. `watch` reloads when files of the rules change.

    Callbacks get (post, decision), or the surge; what they raise is logged. Raises ModerationError where rules do not
    load. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        rules: Engine | Path | str | None = None,
        *,
        isolated: bool | None = None,
        public_key: bytes | None = None,
        timeout: float = 2.0,
        window: float = 0.002,
        batch: int = 1024,
        waiting: int = 20_000,
        watch: bool = False,
        on_flagged: Judged | None = None,
        on_blocked: Judged | None = None,
        on_surge: Callable[[Surge], object] | None = None,
        log_text: bool = False,
    ) -> None:
        self._rules = None if isinstance(rules, Engine) or rules is None else str(rules)
        self._key, self._isolated = public_key, not isinstance(rules, Engine) if isolated is None else isolated
        self.timeout, self.window, self.batch, self.waiting_limit = timeout, window, batch, waiting
        self._callbacks = {"flagged": on_flagged, "blocked": on_blocked}
        self._surges = None if on_surge is None else SurgeMonitor(_guarded(on_surge))
        self._log_text = log_text
        self._observers: list[Observer] = []
        self._batchers: WeakKeyDictionary[asyncio.AbstractEventLoop, Batcher] = WeakKeyDictionary()
        self._lock, self._reloading = threading.Lock(), threading.Lock()
        self._helpers: list[threading.Thread] = []
        self._closed = False
        self.reloads = self.failed_reloads = self.restarts = 0
        self.problem = ""
        self._backend: Backend = self._started(rules if isinstance(rules, Engine) else None)
        if (traced := telemetry(lambda: self.fingerprint)) is not None:
            self.observe(traced)
        self._watcher = Watcher(self._rules, self.reload) if watch else None

    @property
    def info(self) -> Ready:
        """What judges now: fingerprint, rules, fields."""
        return self._backend.info

    @property
    def fingerprint(self) -> str:
        """That of the engine that judges now."""
        return self._backend.info.fingerprint

    @property
    def alive(self) -> bool:
        """Whether posts can be judged."""
        return not self._closed and self._backend.alive

    @property
    def waiting(self) -> int:
        """How many posts of event loops are on their way."""
        return sum(batcher.waiting for batcher in list(self._batchers.values()))

    def decide(self, post: PostLike) -> Decision:
        """Judge one post, and wait. Raises PostError where it cannot be read."""
        return self.decide_batch((post,))[0]

    def decide_batch(self, posts: Iterable[PostLike]) -> list[Decision]:
        """Judge posts in order, and wait. Raises PostError for the first that cannot be read."""
        return self.begin(posts)()

    def begin(self, posts: Iterable[PostLike]) -> Callable[[], list[Decision]]:
        """Have posts judged, and call what is returned to wait for the decisions. Raises PostError as above."""
        read = [Post.of(post, self.info.text_fields) for post in posts]
        return functools.partial(self._wait, read, self.submit(read)) if read else list

    def _wait(self, posts: list[Post], future: Future[list[Decision]]) -> list[Decision]:
        try:
            decisions = future.result(self.timeout)
        except TimeoutError:
            decisions = [self.unknown(post, TIMEOUT) for post in posts]
        except Exception as error:
            decisions = self._failed(posts, error)
        self.told(posts, decisions)
        return decisions

    async def adecide(self, post: PostLike) -> Decision:
        """Judge one post together with those that arrive at the same time. Raises PostError where it cannot be read."""
        read = Post.of(post, self.info.text_fields)
        loop = asyncio.get_running_loop()
        batcher = self._batchers.get(loop)
        if batcher is None:
            batcher = self._batchers[loop] = Batcher(self, loop)
        return await batcher.decide(read)

    async def adecide_batch(self, posts: Iterable[PostLike]) -> list[Decision]:
        """Judge posts in order, as one batch. Raises PostError for the first that cannot be read."""
        read = [Post.of(post, self.info.text_fields) for post in posts]
        if not read:
            return []
        try:
            decisions = await asyncio.wait_for(asyncio.wrap_future(self.submit(read)), self.timeout)
        except TimeoutError:
            decisions = [self.unknown(post, TIMEOUT) for post in read]
        except Exception as error:
            decisions = self._failed(read, error)
        self.told(read, decisions)
        return decisions

    async def aexplain(self, post: PostLike) -> bytes:
        """How a post is judged, as JSON. Raises PostError, and BackendError or TimeoutError where it cannot be had."""
        read = Post.of(post, self.info.text_fields)
        return await asyncio.wait_for(asyncio.wrap_future(self._backend.explain(read)), self.timeout)

    def submit(self, posts: Sequence[Post]) -> Future[list[Decision]]:
        """Hand posts to what judges now; the future may fail."""
        started, backend = time.perf_counter(), self._backend
        future = backend.submit(posts)
        if not backend.alive and not self._closed:
            self._restart(backend)
        future.add_done_callback(functools.partial(self._observe, started))
        return future

    def observe(self, observer: Observer) -> None:
        """Have a function told of every batch: its decisions, and the seconds that it took."""
        self._observers.append(observer)

    def unknown(self, post: Post, why: str) -> Decision:
        """The policy's answer for a post that could not be judged."""
        return undecided(post.id, why, self.fingerprint, self.info.unknown == "flag")

    def told(self, posts: Sequence[Post], decisions: Sequence[Decision]) -> None:
        """Call back for what was flagged or blocked, and watch for surges. Never raises."""
        for post, decision in zip(posts, decisions, strict=True):
            if decision.verdict == "allowed" and self._surges is None:
                continue
            try:
                if (callback := self._callbacks.get(decision.verdict)) is not None:
                    callback(post, decision)
                if self._surges is not None:
                    with self._lock:  # a monitor is one thread's
                        self._surges.add(decision, attribute(post.attributes, "created_at") or time.time())
            except Exception:
                log.exception("a callback failed for post %r%s", post.id, self._shown(post))

    def judged(self, text: str) -> Callable[[_Function], _Function]:
        """A decorator: the function, async or not, gets a keyword `decision`, for its argument of this name."""

        def decorate(function: _Function) -> _Function:
            signature = inspect.signature(function)

            def post_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> PostLike:
                found: PostLike = signature.bind_partial(*args, **kwargs).arguments[text]
                return found

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                return await function(*args, **kwargs, decision=await self.adecide(post_of(args, kwargs)))

            @functools.wraps(function)
            def called(*args: Any, **kwargs: Any) -> Any:
                return function(*args, **kwargs, decision=self.decide(post_of(args, kwargs)))

            return awaited if inspect.iscoroutinefunction(function) else called  # type: ignore[return-value]

        return decorate

    def reload(self, rules: Path | str | None = None) -> Reload:
        """Compile rules aside (those at a path, or again the same), run their examples, and let them judge from now on.

        What is in flight is judged by what it was handed to. Where anything is wrong, what judged before goes on, and
        the answer says why. Never raises.
        """
        with self._reloading:
            before = self._rules
            self._rules = before if rules is None else str(rules)
            try:
                backend = self._started(None)
            except Exception as error:
                self._rules, self.problem = before, str(error)
                self.failed_reloads += 1
                log.error("rules not reloaded, the last good ones go on: %s", error)
                return Reload(False, self.fingerprint, self.problem)
            old, self._backend = self._backend, backend
            self.reloads += 1
            self.problem = ""
            log.info("rules reloaded: %s", backend.info.fingerprint)
            self._aside(old.close)
            return Reload(True, backend.info.fingerprint)

    async def areload(self, rules: Path | str | None = None) -> Reload:
        """The same, from an event loop."""
        return await asyncio.to_thread(self.reload, rules)

    def close(self) -> None:
        """Let what was submitted be judged, and end."""
        if not self._closed:
            self._closed = True
            if self._watcher is not None:
                self._watcher.close()
            for thread in self._helpers:
                thread.join()
            self._backend.close()
            if self._surges is not None:
                self._surges.close()

    def __enter__(self) -> Moderator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _started(self, engine: Engine | None) -> Backend:
        if engine is not None and not self._isolated:
            return ThreadBackend(engine)
        if self._isolated:
            if engine is not None:
                raise ModerationError("an Engine judges on a thread: give the path of its rules for a process")
            return ProcessBackend(self._rules, self._key)
        from moderation.service.rules import load_checked

        return ThreadBackend(load_checked(self._rules, self._key))

    def _aside(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="moderation-aside", daemon=True)
        self._helpers = [*(each for each in self._helpers if each.is_alive()), thread]
        thread.start()

    def _restart(self, dead: Backend) -> None:
        """Put a new process in the place of one that ended; once, however many notice."""
        with self._lock:
            if self._backend is not dead or getattr(dead, "replaced", False):
                return
            dead.replaced = True  # type: ignore[attr-defined]
        log.error("the process that judges has ended; starting another")
        self._aside(functools.partial(self._replace, dead))

    def _replace(self, dead: Backend) -> None:
        while not self._closed:
            with self._reloading:
                if self._backend is not dead:
                    return
                with suppress(Exception):
                    self._backend = self._started(None)
                    self.restarts += 1
                    break
            time.sleep(_PAUSE)
        dead.close()

    def _failed(self, posts: Sequence[Post], error: Exception) -> list[Decision]:
        log.error("%d posts could not be judged: %s", len(posts), error)
        return [self.unknown(post, FAILURE) for post in posts]

    def failed(self, posts: Sequence[Post], error: BaseException) -> list[Decision]:
        """The policy's answers for posts whose judging failed."""
        if isinstance(error, BackendError) and not self._backend.alive:
            self._restart(self._backend)
        return self._failed(posts, error if isinstance(error, Exception) else RuntimeError(str(error)))

    def _observe(self, started: float, future: Future[list[Decision]]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        for observer in self._observers:
            try:
                observer(future.result(), time.perf_counter() - started)
            except Exception:
                log.exception("an observer failed")

    def _shown(self, post: Post) -> str:
        return f": {post.fields!r}" if self._log_text else ""


def _guarded(callback: Callable[[Surge], object]) -> Callable[[Surge], None]:
    def call(surge: Surge) -> None:
        try:
            callback(surge)
        except Exception:
            log.exception("a callback failed for a surge")

    return call
