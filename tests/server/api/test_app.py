"""The app as a whole: its extra routes and its shutdown."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend


async def mine(_: Request) -> PlainTextResponse:
    """Answer in place of the API."""
    return PlainTextResponse("mine")


def test_extra_routes_come_first(backend: Backend) -> None:
    """An extra route comes before a route of the API, and is not in the OpenAPI document."""
    app = create_app(backend, extra_routes=[Route("/v1/keys", mine), Route("/extra", mine)])
    client = TestClient(app)
    assert client.get("/v1/keys").text == "mine"
    assert client.get("/extra").text == "mine"
    assert "/extra" not in client.get("/openapi.json").json()["paths"]


def test_streams_end_with_the_app(backend: Backend) -> None:
    """The shutdown of the app ends all streams, and leaves the backend open."""
    app = create_app(backend)
    with TestClient(app) as client:
        assert not app.state.live.full
        assert client.get("/v1/sessions").status_code == 200
    assert app.state.live.full
    backend.settle()
