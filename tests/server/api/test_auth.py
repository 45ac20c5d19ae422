"""A server with an API key rejects requests without it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.rpc import status_pb2  # type: ignore[import-untyped]
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend

KEY = "open sesame"


async def taken(request: Request) -> PlainTextResponse:
    """Answer with the path of a request that was accepted."""
    return PlainTextResponse(f"taken {request.url.path}")


@pytest.fixture(scope="module")
def client(backend: Backend) -> Iterator[TestClient]:
    """A client of a guarded app, with a receiver."""
    routes = [Route("/v1/traces", taken, methods=["POST"])]
    with TestClient(create_app(backend, api_key=KEY, extra_routes=routes)) as client:
        yield client


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", KEY])
def test_requests_with_the_key(client: TestClient, header: str) -> None:
    """The key is accepted as a bearer token, or by itself."""
    assert client.get("/v1/sessions", headers={"Authorization": header}).status_code == 200
    assert client.post("/v1/traces", headers={"Authorization": header}).text == "taken /v1/traces"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer open", f"Basic {KEY}", f"Bearer {KEY}x"])
@pytest.mark.parametrize(
    "path", ["/v1/sessions", "/v1/sessions/a", "/metrics", "/openapi.json", "/none", "/v1/live", "/healthz/"]
)
def test_requests_without_the_key(client: TestClient, header: str | None, path: str) -> None:
    """A request without the key gets a 401 at every path, also where there is nothing."""
    answer = client.get(path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert KEY not in answer.text


def test_otlp_clients_are_told_in_their_format(client: TestClient) -> None:
    """A rejected OTLP request gets a status in its own format, or in JSON if its format is unknown."""
    answer = client.post("/v1/traces", headers={"Content-Type": "application/x-protobuf"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/x-protobuf")
    assert status_pb2.Status.FromString(answer.content).code == 16
    for content_type in ("application/json", "text/html"):
        answer = client.post("/v1/logs", headers={"Content-Type": content_type})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json")
        assert answer.json()["code"] == 16


def test_probes_need_no_key(client: TestClient) -> None:
    """A health check without the key is answered, but without the counts."""
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    assert client.get("/healthz", headers={"Authorization": KEY}).json()["backlog_bytes"] == 0


def test_web_sockets_are_closed(client: TestClient) -> None:
    """A web socket without the key is closed."""
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/v1/live"):
        pass
    assert closed.value.code == 1008
