"""Where in a FastAPI app a session can be entered, and what is then in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.testclient import TestClient
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, use_span
from starlette.responses import Response, StreamingResponse
from tests.recording import Spans

from otel_sessions import current_session, propagate_sessions

ALL = {"endpoint", "sync endpoint", "chunk 0", "chunk 1", "async chunk", "background"}
Build = Callable[[FastAPI], list[Any]]


class Middleware:
    """A scope around the whole request, as pure ASGI middleware."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Enter and go on."""
        with propagate_sessions("a"):
            await self.app(scope, receive, send)


def in_asgi_middleware(app: FastAPI) -> list[Any]:
    """Pure ASGI middleware."""
    app.add_middleware(Middleware)
    return []


def in_http_middleware(app: FastAPI) -> list[Any]:
    """The middleware decorator, which runs the rest of the app in a task of its own."""

    @app.middleware("http")
    async def enter(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        async with propagate_sessions("a"):
            return await call_next(request)

    return []


def in_http_middleware_below_a_span(app: FastAPI) -> list[Any]:
    """The same below a server span, as the instrumentation of the framework starts one."""

    class Server:
        def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            with use_span(NonRecordingSpan(SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1)))):
                await self.app(scope, receive, send)

    in_http_middleware(app)
    app.add_middleware(Server)
    return []


async def async_dependency() -> AsyncIterator[None]:
    """A dependency that yields, in the task of the request."""
    async with propagate_sessions("a"):
        yield


def sync_dependency() -> Iterator[None]:
    """A dependency that yields, stepped in a copy of the context in a pool thread."""
    with propagate_sessions("a"):
        yield


def in_async_dependency(app: FastAPI) -> list[Any]:
    """A dependency of the endpoint, as async generator."""
    return [Depends(async_dependency)]


def in_sync_dependency(app: FastAPI) -> list[Any]:
    """A dependency of the endpoint, as generator."""
    return [Depends(sync_dependency)]


def nowhere(app: FastAPI) -> list[Any]:
    """The control."""
    return []


@pytest.mark.parametrize(
    ("build", "kept"),
    [
        (in_asgi_middleware, ALL),
        (in_http_middleware, ALL - {"chunk 0", "chunk 1", "background"}),
        (in_http_middleware_below_a_span, ALL),
        (in_async_dependency, ALL),
        (in_sync_dependency, set()),
        (nowhere, set()),
    ],
)
def test_places_to_enter_a_session(tracer: Tracer, spans: Spans, build: Build, kept: set[str]) -> None:
    """Middleware and async dependencies hold the session for endpoints, streamed bodies and background tasks; a sync one cannot.

    A middleware function ends when the response starts. What follows is then in the session below a server span only.
    """
    app = FastAPI()
    dependencies = build(app)

    def mark(name: str) -> None:
        tracer.start_span(name).end()

    def chunks() -> Iterator[str]:
        for number in range(2):
            mark(f"chunk {number}")
            yield "x"

    async def async_chunks() -> AsyncIterator[str]:
        mark("async chunk")
        yield "x"

    @app.get("/async", dependencies=dependencies)
    async def endpoint(tasks: BackgroundTasks) -> StreamingResponse:
        mark("endpoint")
        tasks.add_task(mark, "background")
        return StreamingResponse(chunks(), background=tasks)

    @app.get("/sync", dependencies=dependencies)
    def sync_endpoint() -> StreamingResponse:
        mark("sync endpoint")
        return StreamingResponse(async_chunks())

    with TestClient(app) as client:
        assert client.get("/async").text == "xx"
        assert client.get("/sync").text == "x"
    assert {name for name, id_ in spans.ids().items() if id_ == "a"} == kept
    assert spans.ids().keys() == ALL


def test_a_decorated_endpoint(tracer: Tracer, spans: Spans) -> None:
    """The decorator keeps the signature that FastAPI reads, and callables get the parameters by name."""
    app = FastAPI()

    @app.get("/tickets/{ticket}")
    @propagate_sessions(lambda *, ticket, **_: ticket, user_id=lambda *, user, **_: user)
    async def endpoint(ticket: str, user: Annotated[str, Depends(lambda: "ann")], verbose: bool = False) -> list[Any]:
        tracer.start_span(ticket).end()
        return [ticket, user, verbose, current_session().user_id]

    with TestClient(app) as client:
        assert client.get("/tickets/t-1?verbose=true").json() == ["t-1", "ann", True, "ann"]
        assert client.get("/tickets/t-2").json() == ["t-2", "ann", False, "ann"]
    assert spans.ids() == {"t-1": "t-1", "t-2": "t-2"}
