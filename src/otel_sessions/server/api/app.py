"""`create_app`: the API of a backend, as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from otel_sessions.server.api import openapi
from otel_sessions.server.api.auth import ApiKeyGuard
from otel_sessions.server.api.bodies import in_flight
from otel_sessions.server.api.browsers import HostGuard, OriginGuard
from otel_sessions.server.api.errors import HANDLERS
from otel_sessions.server.api.export import EXPORTS
from otel_sessions.server.api.headers import SafeHeaders
from otel_sessions.server.api.health import Readiness
from otel_sessions.server.api.large_answers import AnswersInParts
from otel_sessions.server.api.live import LiveFeed
from otel_sessions.server.api.mcp import McpEndpoint, mcp_route
from otel_sessions.server.api.query import QUERIES_AT_ONCE
from otel_sessions.server.api.sessions import SPAN_PAGES
from otel_sessions.server.backend import Backend
from otel_sessions.server.hosts import AllowedHosts


def create_app(
    backend: Backend,
    *,
    api_key: str | None = None,
    hosts: AllowedHosts | None = None,
    extra_routes: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The app of a server. It does not close the backend.

    When a shutdown begins, call `app.state.live.close()`, from any thread. It ends the streams of `/v1/live`, for which the
    server would otherwise wait before it tells the app of the shutdown.

    Args:
        backend: what the app works on.
        api_key: the key that requests must have; `None` accepts every request.
        hosts: the hosts that it answers to; `None` answers every host, which is for tests and for servers with a key.
        extra_routes: come before those of the API, and are not in the OpenAPI document.
    """
    mcp = McpEndpoint()
    app = FastAPI(
        routes=[*extra_routes, mcp_route(mcp), *openapi.ROUTES],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(AnswersInParts),
            Middleware(HostGuard, allowed=hosts),
            Middleware(OriginGuard, allowed=hosts),
            Middleware(ApiKeyGuard, api_key=api_key),
        ],
        exception_handlers=dict(HANDLERS),
        lifespan=_running,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend = backend
    app.state.mcp = mcp
    app.state.api_key = api_key
    app.state.live = LiveFeed(backend.listen)
    app.state.bodies = in_flight()
    app.state.span_pages = CapacityLimiter(SPAN_PAGES)
    app.state.queries = CapacityLimiter(QUERIES_AT_ONCE)
    app.state.exports = CapacityLimiter(EXPORTS)
    app.state.readiness = Readiness(backend.check_ready)
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    async with app.state.mcp.running():
        yield
    app.state.live.close()
