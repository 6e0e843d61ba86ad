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

from moderation.authoring.surge import Surge, SurgeMonitor
from moderation.decision import FAILURE, TIMEOUT, Decision, undecided
from moderation.engine.engine import Engine
from moderation.errors import ModerationError, PostError
from moderation.post import Post, PostLike, attribute
from moderation.service import bodies, frames
from moderation.service.asking import Answer, AskingJson, AskingPosts, Posts, under_own_ids
from moderation.service.backends import ISOLATES, Backend, ProcessBackend, ThreadBackend, expect
from moderation.service.batches import Batcher
from moderation.service.bodies import Body
from moderation.service.frames import (
    Explain,
    Explained,
    Judge,
    Judged,
    JudgedJson,
    JudgeJson,
    Ready,
    Reply,
    Said,
    Unread,
)
from moderation.service.lanes import BackendError, Lane
from moderation.service.tally import Tally
from moderation.service.telemetry import telemetry
from moderation.service.watch import Watcher

Heard = Callable[[Post, Decision], object]
Observer = Callable[[Tally, float | None], object]
_Function = TypeVar("_Function", bound=Callable[..., Any])

log = logging.getLogger("moderation")

_PAUSE = 1.0
_Batchers = tuple[Batcher[Posts, Sequence[Decision]], Batcher[Body, Answer | PostError]]


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of a reload: whether new rules judge now, which these are, and what was wrong if they don't."""

    ok: bool
    fingerprint: str
    problem: str = ""


class Moderator:
    """Judges posts for a service, from any thread or event loop.

    `rules` is an Engine, or a path to rules (a folder, a pack, a bundle; None: the bundled rules). Given a path, it
    judges in a process of its own (`isolated`), so that reloading and failing hold up nothing here, or in several
    (`judges`), which share the memory of one; an Engine judges on a thread. `public_key` (PEM) must have signed the
    bundle. A post that is not judged within `timeout` seconds, or while `waiting` others wait, gets the policy's answer
    for what is unknown: no exception. Calls of `adecide` within `window` seconds are one batch, of `batch` posts at
    most. `watch` reloads when files of the rules change.

    Callbacks get (post, decision), or the surge; what they raise is logged. Raises ModerationError where rules do not
    load. Close it, or use it as a context manager.
    """

    def __init__(
        self,
        rules: Engine | Path | str | None = None,
        *,
        isolated: bool | None = None,
        public_key: bytes | None = None,
        judges: int = 1,
        timeout: float = 2.0,
        window: float = 0.002,
        batch: int = 2048,
        waiting: int = 20_000,
        watch: bool = False,
        on_flagged: Heard | None = None,
        on_blocked: Heard | None = None,
        on_surge: Callable[[Surge], object] | None = None,
        log_text: bool = False,
    ) -> None:
        self._rules = None if isinstance(rules, Engine) or rules is None else str(rules)
        self._key, self._isolated = (
            public_key,
            (ISOLATES and not isinstance(rules, Engine)) if isolated is None else isolated,
        )
        self._judges = judges
        self.timeout, self.window, self.batch, self.waiting_limit = timeout, window, batch, waiting
        self._callbacks = {"flagged": on_flagged, "blocked": on_blocked}
        self._surges = None if on_surge is None else SurgeMonitor(_guarded(on_surge))
        self._log_text = log_text
        self._observers: list[Observer] = []
        self._batchers: dict[asyncio.AbstractEventLoop, _Batchers] = {}
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
        return sum(posts.waiting + json.waiting for posts, json in list(self._batchers.values()))

    @property
    def listened_to(self) -> bool:
        """Whether anybody is called back for single posts."""
        return self._surges is not None or any(self._callbacks.values())

    def decide(self, post: PostLike) -> Decision:
        """Judge one post, and wait. Raises PostError where it cannot be read."""
        return self.decide_batch((post,))[0]

    def decide_batch(self, posts: Iterable[PostLike]) -> list[Decision]:
        """Judge posts in order, and wait. Raises PostError for the first that cannot be read."""
        read = [Post.of(post, self.info.text_fields) for post in posts]
        if not read:
            return []
        started = time.perf_counter()
        try:
            reply = self._ask(Judge(list(map(frames.named, read)))).result(self.timeout)
            decisions = [*under_own_ids(read, expect(reply, Judged).decisions)]
            self.count(lambda: Tally.of(decisions), time.perf_counter() - started)
        except TimeoutError:
            decisions = self._unjudged(read, TIMEOUT)
        except Exception as error:
            self.failed(len(read), error)
            decisions = self._unjudged(read, FAILURE)
        self.told(read, decisions)
        return decisions

    def begin_json(self, asked: Sequence[Body]) -> Callable[[], Sequence[Said | Unread] | None]:
        """Have posts judged that are JSON, one in each body, and call what is returned to wait for the answers; None
        where they are not judged.
        """
        if not asked:
            return list
        request = JudgeJson([body.json for body in asked], [body.id for body in asked])
        return functools.partial(self._wait_json, asked, self._ask(request), time.perf_counter())

    def _wait_json(
        self, asked: Sequence[Body], future: Future[Reply], started: float
    ) -> Sequence[Said | Unread] | None:
        try:
            judged: JudgedJson = expect(future.result(self.timeout), JudgedJson)
        except Exception as error:
            self.failed(len(asked), error)
            return None
        self.count(lambda: judged.tally, time.perf_counter() - started)
        if self.listened_to:
            for body, said in zip(asked, judged.answers, strict=True):
                if isinstance(said, Said):
                    self.told(*bodies.read_back(body, said.json, self.info.text_fields, False))
        return judged.answers

    async def adecide(self, post: PostLike) -> Decision:
        """Judge one post together with those that arrive at the same time. Raises PostError where it cannot be read."""
        read = Post.of(post, self.info.text_fields)
        return (await self._of_loop()[0].ask((read,)))[0]

    async def adecide_batch(self, posts: Iterable[PostLike]) -> list[Decision]:
        """Judge posts in order, and with them those that arrive at the same time. Raises PostError for the first that
        cannot be read.
        """
        read = [Post.of(post, self.info.text_fields) for post in posts]
        return [*await self._of_loop()[0].ask(read, len(read))] if read else []

    async def adecide_json(self, body: bytes, posts: int = 1) -> Answer:
        """Judge posts that are JSON: one, or {"posts": [...]}; the decision, or {"decisions": [...]}, is JSON as well.
        Neither is read here; `posts` is how many there are. Raises PostError where the body, or any post of it, cannot
        be read.
        """
        found = await self._of_loop()[1].ask(Body(body, posts), posts)
        if isinstance(found, PostError):
            raise found
        return found

    async def aexplain(self, post: PostLike) -> bytes:
        """How a post is judged, as JSON. Raises PostError, and BackendError or TimeoutError where it cannot be had."""
        asked = self._ask(Explain(frames.named(Post.of(post, self.info.text_fields))))
        reply = await asyncio.wait_for(asyncio.wrap_future(asked), self.timeout)
        explained: Explained = expect(reply, Explained)
        return explained.json

    def lanes(self, loop: asyncio.AbstractEventLoop) -> Sequence[Lane]:
        """An event loop's own ways to what judges now. Raises BackendError where that is gone."""
        return self._backend.lanes(loop)

    def _of_loop(self) -> _Batchers:
        loop = asyncio.get_running_loop()
        if (found := self._batchers.get(loop)) is None:
            for other in [each for each in list(self._batchers) if each.is_closed()]:
                self._batchers.pop(other, None)
            found = self._batchers[loop] = Batcher(AskingPosts(self), loop), Batcher(AskingJson(self), loop)
        return found

    def _ask(self, request: frames.Request) -> Future[Reply]:
        try:
            return self._backend.ask(request)
        except RuntimeError as error:  # a thread that was told to end
            refused: Future[Reply] = Future()
            refused.set_exception(BackendError(f"the moderator is closed: {error}"))
            return refused

    def observe(self, observer: Observer) -> None:
        """Have a function told what every batch came to, and the seconds that it took; None for posts not judged."""
        self._observers.append(observer)

    def count(self, tally: Callable[[], Tally], seconds: float | None) -> None:
        """Tell observers. Never raises."""
        found = tally() if self._observers else None
        for observer in self._observers:
            try:
                observer(found, seconds)  # type: ignore[arg-type]
            except Exception:
                log.exception("an observer failed")

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
            return ProcessBackend(self._rules, self._key, self._judges)
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

    def _unjudged(self, posts: Posts, why: str) -> list[Decision]:
        decisions = [self.unknown(post, why) for post in posts]
        self.count(lambda: Tally.of(decisions), None)
        return decisions

    def failed(self, posts: int, error: BaseException) -> None:
        """Say that posts could not be judged, and start another process where that is why."""
        log.error("%d posts could not be judged: %s", posts, error or type(error).__name__)
        if isinstance(error, BackendError) and not self._closed and not self._backend.alive:
            self._restart(self._backend)

    def _shown(self, post: Post) -> str:
        return f": {post.fields!r}" if self._log_text else ""


def _guarded(callback: Callable[[Surge], object]) -> Callable[[Surge], None]:
    def call(surge: Surge) -> None:
        try:
            callback(surge)
        except Exception:
            log.exception("a callback failed for a surge")

    return call
