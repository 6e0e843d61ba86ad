"""The HTTP service: posts in, decisions out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

import moderation.service.openapi as described
from moderation.errors import ModerationError, PostError
from moderation.service.hot import Decide, body_of
from moderation.service.keys import Keys
from moderation.service.limits import HttpError, Limits
from moderation.service.metrics import Metrics
from moderation.service.moderator import Moderator

_JSON = "application/json"
Handler = Callable[[Request], Awaitable[Response]]


def make_app(moderator: Moderator, keys: Keys | None = None, limits: Limits | None = None) -> FastAPI:
    """The application. Without keys anybody may ask anything: then it must not be reachable from elsewhere.

    It does not close the moderator.
    """
    keys, limits, metrics = keys or Keys(()), limits or Limits(), Metrics(moderator)
    service = Service(moderator, keys, limits, metrics)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        service.draining = False
        yield
        service.draining = True

    app = FastAPI(title="moderation", version="1", lifespan=life, docs_url=None, redoc_url=None)
    app.openapi = lambda: described.document(app.version)  # type: ignore[method-assign]
    for path, method, handler in service.routes():
        app.add_route(path, service.answered(path, handler), methods=[method], include_in_schema=False)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_middleware(Decide, moderator=moderator, keys=keys, limits=limits, metrics=metrics)
    return app


class Service:
    """The routes that are read by the framework: all but the one that is asked most."""

    def __init__(self, moderator: Moderator, keys: Keys, limits: Limits, metrics: Metrics) -> None:
        self._moderator, self._keys, self._limits = moderator, keys, limits
        self._metrics = metrics
        self.draining = False

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Path, method and handler of each."""
        return [
            ("/v1/explain", "POST", self.explain),
            ("/v1/engine", "GET", self.engine),
            ("/v1/reload", "POST", self.reload),
            ("/healthz", "GET", self.health),
            ("/readyz", "GET", self.ready),
            ("/metrics", "GET", self.metrics),
        ]

    def answered(self, route: str, handler: Handler) -> Handler:
        """The handler, whose errors are answers, and whose answers are counted."""

        async def answer(request: Request) -> Response:
            try:
                response = await handler(request)
            except PostError as error:
                response = _problem(HttpError(422, error.code, error.message))
            except HttpError as error:
                response = _problem(error)
            except ConnectionAbortedError:
                response = Response(status_code=499)  # nobody waits for an answer
            self._metrics.request(route, response.status_code)
            return response

        return answer

    async def explain(self, request: Request) -> Response:
        """How a post is judged."""
        self._allow(request, "explain")
        asked = await self._asked(request)
        try:
            return Response(await self._moderator.aexplain(asked), media_type=_JSON, headers=self._engine())
        except (TimeoutError, ModerationError) as error:
            if isinstance(error, PostError):
                raise
            raise HttpError(503, "H503", f"it could not be explained: {error}", retry=1) from error

    async def engine(self, request: Request) -> Response:
        """What judges."""
        self._allow(request, "explain")
        info = self._moderator.info
        told = {
            "fingerprint": info.fingerprint,
            "policy": info.policy,
            "rules": info.rules,
            "text_fields": info.text_fields,
            "reloads": self._moderator.reloads,
            "failed_reloads": self._moderator.failed_reloads,
            "problem": self._moderator.problem,
        }
        return Response(msgspec.json.encode(told), media_type=_JSON)

    async def reload(self, request: Request) -> Response:
        """Compile the rules again, and let them judge if they are sound."""
        self._allow(request, "reload")
        done = await self._moderator.areload()
        body = {"ok": done.ok, "fingerprint": done.fingerprint, "problem": done.problem}
        return Response(msgspec.json.encode(body), 200 if done.ok else 409, media_type=_JSON)

    async def health(self, request: Request) -> Response:
        """The process runs."""
        return Response(b'{"status":"ok"}', media_type=_JSON)

    async def ready(self, request: Request) -> Response:
        """Posts are judged: not while it drains, nor while the judging process starts again."""
        ready = self._moderator.alive and not self.draining
        return Response(b'{"ready":true}' if ready else b'{"ready":false}', 200 if ready else 503, media_type=_JSON)

    async def metrics(self, request: Request) -> Response:
        """For Prometheus."""
        self._allow(request, "metrics")
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _asked(self, request: Request) -> dict[str, Any]:
        body = await body_of(dict(request.scope["headers"]), request.receive, self._limits)
        try:
            asked = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HttpError(400, "H400", f"the body is no JSON: {error}") from None
        if not isinstance(asked, dict):
            raise HttpError(422, "H422", "send one object: a post")
        return asked

    def _allow(self, request: Request, scope: str) -> None:
        self._keys.check(dict(request.scope["headers"]), scope)

    def _engine(self) -> dict[str, str]:
        return {"X-Engine": self._moderator.fingerprint}


def _problem(error: HttpError) -> Response:
    status, body, headers = error.answer()
    return Response(body, status, {name.decode(): value.decode() for name, value in headers}, _JSON)


async def _unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    response = _problem(HttpError(status, f"H{status}", "no such route" if status == 404 else "not so"))
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response
