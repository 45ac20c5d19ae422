"""Every error has one shape, whatever went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.testclient import TestClient

from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.openapi import document
from otel_sessions.server.backend import Backend, UnsettledError
from otel_sessions.server.clickhouse.errors import StoreAwayError, StoreError

READS = [
    path.replace("{session_id}", "s") + ("?by=model" if path == "/v1/cohorts" else "")
    for path, operations in document()["paths"].items()
    if "get" in operations and path.startswith("/v1/") and path != "/v1/live"
]


def failing(error: Exception) -> Callable[..., NoReturn]:
    """What raises an error whatever it is called with."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise error

    return fail


def test_nothing_at_a_path(client: TestClient) -> None:
    """404."""
    answer = client.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "there is nothing at this path"}}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/sessions", "GET"),
        ("PUT", "/v1/sessions/a", "DELETE, GET"),
        ("DELETE", "/v1/sessions/a/traces", "GET"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
    ],
)
def test_another_method(client: TestClient, method: str, path: str, allowed: str) -> None:
    """405 that says which there are; deleting a part deletes no session that is named like it."""
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", READS)
def test_reads_wait_for_what_was_acknowledged(
    client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Where that takes too long they say so, and when to come again."""
    for settle in ("settle", "settle_groups"):
        monkeypatch.setattr(backend, settle, failing(UnsettledError("5 bytes are not committed")))
    answer = client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"error": {"code": "unsettled", "message": "5 bytes are not committed"}}
    assert client.delete("/v1/sessions/s").status_code == 503


@pytest.mark.parametrize("path", READS)
def test_the_store_is_away(client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """503, and when to come again."""
    monkeypatch.setattr(backend.store, "reading", failing(StoreAwayError("the disk is full" + "x" * 5000)))
    answer = client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"]["code"] == "store_away"
    assert len(answer.json()["error"]["message"]) == 1000


@pytest.mark.parametrize("error", [StoreError("secret"), ZeroDivisionError("secret")])
def test_faults_of_our_own(
    client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """500 that leaves the details to the log, with the headers of all others."""
    monkeypatch.setattr(backend.store, "reading", failing(error))
    answer = client.get("/v1/sessions")
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (500, "nosniff")
    assert answer.json() == {"error": {"code": "internal", "message": "the server could not answer; its log says why"}}


def test_faults_of_the_store_are_logged(
    client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the request and what the store said."""
    monkeypatch.setattr(backend.store, "reading", failing(StoreError("a table is missing")))
    client.get("/v1/sessions/a%2Fb")
    (record,) = [one for one in caplog.records if one.name == "otel_sessions.server"]
    assert record.getMessage() == "GET /v1/sessions/a/b failed"
    assert "a table is missing" in caplog.text


def test_errors_of_other_routes(backend: Backend) -> None:
    """They have the same shape."""
    routes = [Route("/teapot", failing(HTTPException(418, "short and stout", {"X-Spout": "1"})))]
    answer = TestClient(create_app(backend, extra_routes=routes)).get("/teapot")
    assert (answer.status_code, answer.headers["x-spout"]) == (418, "1")
    assert answer.json() == {"error": {"code": "refused", "message": "short and stout"}}


def test_headers(client: TestClient, app: FastAPI) -> None:
    """Browsers neither guess types nor keep what the API says."""
    answer = client.get("/v1/sessions")
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
    assert "cache-control" not in client.get("/healthz").headers
