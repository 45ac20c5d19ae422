"""Every error has one shape, whatever its cause."""

from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.server.api.doubles import backend_with

from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.openapi import document
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError
from otel_sessions.server.settling import UnsettledError

READS = [
    path.replace("{session_id}", "s").replace("{trace_id}", "1" * 32).replace("{span_id}", "1" * 16)
    + ("?by=model" if path == "/v1/cohorts" else "")
    for path, operations in document()["paths"].items()
    if "get" in operations and path.startswith("/v1/") and path != "/v1/live"
]


def failing(error: Exception) -> TestClient:
    """A client of an app whose backend raises this error for every question and deletion."""
    return TestClient(create_app(backend_with(error)), raise_server_exceptions=False)


def test_an_unknown_path(client: TestClient) -> None:
    """A path without a route answers 404."""
    answer = client.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "there is nothing at this path"}}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/sessions", "GET"),
        ("PUT", "/v1/sessions/a", "DELETE, GET, PATCH"),
        ("DELETE", "/v1/sessions/a/traces", "GET"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
    ],
)
def test_another_method(client: TestClient, method: str, path: str, allowed: str) -> None:
    """Another method answers 405 with the allowed ones; deleting a sub-resource deletes no session of that name."""
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", READS)
def test_reads_that_wait_too_long(path: str) -> None:
    """A read or deletion that waits too long for acknowledged requests answers 503, and when to try again."""
    client = failing(UnsettledError("5 bytes are not committed"))
    for answer in (client.get(path), client.delete("/v1/sessions/s")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json() == {"error": {"code": "unsettled", "message": "5 bytes are not committed"}}


@pytest.mark.parametrize("path", READS)
def test_the_store_is_away(path: str) -> None:
    """A store that is away answers 503, with the cause, cut if it is long, and when to try again."""
    answer = failing(StoreAwayError("the disk is full" + "x" * 5000)).get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "store_away"
    assert answer.json()["error"]["message"].startswith("the disk is full")
    assert len(answer.json()["error"]["message"]) == 1000


@pytest.mark.parametrize("error", [StoreError("secret"), ZeroDivisionError("secret")])
def test_faults_of_the_server(error: Exception) -> None:
    """A fault answers 500 without its details, with the headers of all answers."""
    answer = failing(error).get("/v1/sessions")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")
    assert answer.json() == {"error": {"code": "internal", "message": "the server could not answer; its log says why"}}


def test_faults_of_the_store_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the request and the message of the store."""
    failing(StoreError("a table is missing")).get("/v1/sessions/a%2Fb")
    (record,) = [one for one in caplog.records if one.name == "otel_sessions.server"]
    assert record.getMessage() == "GET /v1/sessions/a/b failed"
    assert "a table is missing" in caplog.text


def test_errors_of_extra_routes(backend: Backend) -> None:
    """An error of an extra route has the same shape."""

    async def teapot(_: Request) -> Response:
        raise HTTPException(418, "short and stout", {"X-Spout": "1"})

    answer = TestClient(create_app(backend, extra_routes=[Route("/teapot", teapot)])).get("/teapot")
    assert (answer.status_code, answer.headers["x-spout"]) == (418, "1")
    assert answer.json() == {"error": {"code": "refused", "message": "short and stout"}}


@pytest.mark.parametrize("path", ["/v1/sessions", "/healthz", "/none"])
def test_headers(client: TestClient, path: str) -> None:
    """Browsers neither guess content types nor store answers."""
    answer = client.get(path)
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
