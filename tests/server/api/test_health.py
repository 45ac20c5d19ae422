"""How the server is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, a_span, send
from tests.server.otlp.building import traces

from otel_sessions.drops import drops
from otel_sessions.server.api import health as module
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.otlp.errors import RequestError
from otel_sessions.server.signals import TRACES


@pytest.fixture(autouse=True, scope="module")
def traffic(backend: Backend) -> None:
    """A few things that happen to a server."""
    call = a_span(1, session="s", attributes={**CALL, "gen_ai.response.model": 'new "model"\n'})
    for _ in range(2):
        send(backend, call)
        backend.settle()
    with pytest.raises(RequestError):
        backend.receive(TRACES, b"\x07")
    backend.receive(TRACES, traces({"trace_id": b"short"}, {}).SerializeToString())
    backend.settle()


@pytest.fixture(autouse=True)
def dropped() -> Iterator[None]:
    """Values that the rules refused."""
    drops.count("tags", "too_long", "dropped", amount=3)
    yield
    drops.reset()


def test_health(client: TestClient) -> None:
    """What was counted since the start."""
    assert client.get("/healthz").json() == {
        "status": "ok",
        "backlog_bytes": 0,
        "received": {"traces": 3, "logs": 0},
        "stored": {"traces": 2, "logs": 0},
        "duplicate_spans": 1,
        "rejected": [{"signal": "traces", "reason": "invalid_trace_id", "count": 1}],
        "refused": [{"signal": "traces", "reason": "Malformed", "count": 1}],
        "commit_retries": 0,
        "requests_set_aside": 0,
        "dropped_values": [{"field": "tags", "reason": "too_long", "count": 3}],
        "unpriced_calls": [{"model": 'new "model"\n', "count": 1}],
    }


def test_requests_that_were_set_aside(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone has to look at them."""
    monkeypatch.setattr(module, "_value", lambda _, name: name == "requests_set_aside")
    assert client.get("/healthz").json()["status"] == "degraded"


def test_metrics(client: TestClient) -> None:
    """In the text format of Prometheus, with the values that were dropped."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["otel_sessions_received_records_total", "traces"] == 3
    assert samples["otel_sessions_dropped_values_total", "tags", "too_long"] == 3
    assert samples["otel_sessions_unpriced_calls_total", 'new "model"\n'] == 1
    assert samples["otel_sessions_backlog_bytes",] == 0


def test_readiness(client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store answers, or is away."""
    assert client.get("/readyz").json() == {"status": "ok"}

    def away() -> Any:
        raise StoreAwayError("gone")

    monkeypatch.setattr(backend.store, "reading", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"error": {"code": "not_ready", "message": "the store does not answer"}}


def test_a_store_that_does_not_answer_in_time(
    client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is not waited for; other requests are answered meanwhile."""
    answering = threading.Event()

    @contextmanager
    def stuck() -> Iterator[Any]:
        answering.wait(60)
        yield

    monkeypatch.setattr(module, "READY_SECONDS", 0.01)
    monkeypatch.setattr(backend.store, "reading", stuck)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    answering.set()
