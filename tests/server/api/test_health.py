"""The state of the server: health, readiness and metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from tests.server.api.sending import CALL, a_span, send
from tests.server.otlp.building import traces

from otel_sessions.drops import drops
from otel_sessions.server.api.app import create_app
from otel_sessions.server.api.health import Readiness
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import RequestError
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.timestamps import parse_time


@pytest.fixture(autouse=True, scope="module")
def traffic(backend: Backend) -> None:
    """Requests that are accepted, refused and repeated."""
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
    """Health has the counts since the server started."""
    health = client.get("/healthz").json()
    assert health.pop("version") == version("otel-sessions")
    started, now = (parse_time(health.pop(name)) or 0 for name in ("started", "time"))
    assert 0 < started <= now <= time.time_ns()
    sizes = health.pop("store")
    assert (sizes["bytes"] >= 0, sizes["free_bytes"] > 0) == (True, True)
    assert health == {
        "status": "ok",
        "metrics_requests": [],
        "retention": None,
        "problems": [],
        "backlog_bytes": 0,
        "received": {"traces": 3, "logs": 0},
        "stored": {"traces": 2, "logs": 0},
        "duplicate_spans": 1,
        "rejected": [{"signal": "traces", "reason": "invalid_trace_id", "count": 1}],
        "refused": [{"signal": "traces", "reason": "Malformed", "count": 1}],
        "commit_retries": 0,
        "requests_set_aside": 0,
        "segments_damaged": 0,
        "broken_parts": [],
        "retention_waits": None,
        "dropped_values": [{"field": "tags", "reason": "too_long", "count": 3}],
        "unpriced_calls": [{"model": 'new "model"\n', "count": 1}],
        "unassigned": [{"service": "shop", "span_count": 1, "log_record_count": 0}],
    }


def test_health_while_the_store_cannot_answer(
    client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health has its other counts while what is in no session cannot be counted, and metrics leave it out."""

    def away() -> object:
        raise StoreAwayError("away")

    monkeypatch.setattr(backend.reader, "unassigned_now", away)
    answer = client.get("/healthz").json()
    assert (answer["unassigned"], answer["received"]) == (None, {"traces": 3, "logs": 0})
    metrics = client.get("/metrics").text
    assert "otel_sessions_received_records_total" in metrics
    assert "otel_sessions_unassigned_records{" not in metrics


def test_metrics(client: TestClient) -> None:
    """Metrics are in the text format of Prometheus, with the values that the rules dropped."""
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


def test_readiness(client: TestClient, backend: Backend) -> None:
    """The server is ready if a row can be written."""
    assert client.get("/readyz").json() == {"status": "ok"}

    def away() -> None:
        raise StoreAwayError("gone")

    app = create_app(backend)
    app.state.readiness = Readiness(away)
    answer = TestClient(app).get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {
        "error": {"code": "not_ready", "message": "nothing can be committed now; /healthz says why"}
    }


def test_a_store_that_does_not_answer_in_time(backend: Backend) -> None:
    """A probe does not wait for the store longer than its timeout, and other requests are answered meanwhile."""
    answering = threading.Event()
    app = create_app(backend)
    app.state.readiness = Readiness(lambda: answering.wait(60), timeout=0.01)
    with TestClient(app) as client:
        try:
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").status_code == 200
        finally:
            answering.set()


def test_requests_that_were_set_aside(client: TestClient, backend: Backend) -> None:
    """The server is degraded once a request could not be stored, since a person has to look at it."""
    with backend.store.writing() as writer:
        writer.command("RENAME TABLE otel_logs TO elsewhere")
        backend.receive(LOGS, b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}', Format.JSON)
        backend.settle()
        writer.command("RENAME TABLE elsewhere TO otel_logs")
    health = client.get("/healthz").json()
    assert (health["status"], health["requests_set_aside"]) == ("degraded", 1)
    (problem,) = health["problems"]
    assert (problem["name"], problem["blocks"]) == ("requests_set_aside", False)
    assert "otel-sessions retry-refused" in problem["message"]
    assert client.get("/readyz").status_code == 200
