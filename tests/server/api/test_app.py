"""The app as a whole: routes of others, and its end."""

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
    """Also where the API has one; the document does not tell of them."""
    app = create_app(backend, extra_routes=[Route("/v1/keys", mine), Route("/extra", mine)])
    client = TestClient(app)
    assert client.get("/v1/keys").text == "mine"
    assert client.get("/extra").text == "mine"
    assert "/extra" not in client.get("/openapi.json").json()["paths"]


def test_streams_end_with_the_app(backend: Backend) -> None:
    """The end of the app ends them, if nothing did before; the backend stays open."""
    app = create_app(backend)
    with TestClient(app) as client:
        assert not app.state.live.full
        assert client.get("/v1/sessions").status_code == 200
    assert app.state.live.full
    backend.settle()
