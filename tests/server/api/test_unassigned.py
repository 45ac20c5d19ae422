"""What is in no session, by service, and what would give it one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from prometheus_client import generate_latest
from starlette.testclient import TestClient
from tests.server.api.sending import START, a_span, send
from tests.server.otlp.building import AT

from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.projections.rebuild import rebuild
from otel_sessions.server.signals import LOGS

SHOP = {"service.name": "shop"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the module's server."""
    return tmp_path_factory.mktemp("server")


def opened(folder: Path) -> Backend:
    """A backend on the folder."""
    return Backend(Store(StoreSettings(f"chdb://{folder / 'store'}", readers=2)), folder / "requests")


@pytest.fixture
def backend(folder: Path) -> Iterator[Backend]:
    """A backend without any records."""
    backend = opened(folder)
    backend.drop_older(2**63 - 1)
    yield backend
    backend.close(timeout=60)


@pytest.fixture
def client(backend: Backend) -> Iterator[TestClient]:
    """A client of the backend's app."""
    with TestClient(create_app(backend)) as client:
        yield client


def send_log(backend: Backend, *, trace: int = 0, service: str = "shop", **attributes: str) -> None:
    """Send a log record."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value=service)))
    scope_group = group.scope_logs.add()
    scope_group.scope.name = "app.logging"
    record = scope_group.log_records.add(time_unix_nano=AT, trace_id=trace.to_bytes(16) if trace else b"")
    for name, value in attributes.items():
        record.attributes.append(KeyValue(key=name.replace("__", "."), value=AnyValue(string_value=value)))
    backend.receive(LOGS, request.SerializeToString())


def listed(client: TestClient) -> dict[str, tuple[int, int, int]]:
    """Spans, log records and traces without a session, by service."""
    found = client.get("/v1/unassigned").json()["data"]
    return {one["service"]: (one["span_count"], one["log_record_count"], one["trace_count"]) for one in found}


def test_nothing(client: TestClient, backend: Backend) -> None:
    """A store in which everything has a session lists nothing."""
    send(backend, a_span(1, session="s"), resource=SHOP)
    assert client.get("/v1/unassigned").json() == {
        "data": [],
        "pagination": {"total": 0, "limit": 100, "offset": 0, "next": None},
    }


def test_one_service(client: TestClient, backend: Backend) -> None:
    """A service comes with its counts, times, scopes and what would give its records a session."""
    send(backend, a_span(1), a_span(1, 2, parent_span_id=(1).to_bytes(8)), a_span(2), resource=SHOP)
    send_log(backend)
    send_log(backend, trace=1)
    (found,) = client.get("/v1/unassigned").json()["data"]
    hint = found.pop("hint")
    assert found == {
        "service": "shop",
        "span_count": 3,
        "log_record_count": 2,
        "trace_count": 2,
        "first_seen": START,
        "last_seen": "2026-11-18T11:06:40.000000005Z",
        "scopes": ["app", "app.logging"],
    }
    assert "session.id" in hint


def test_services_are_told_apart(client: TestClient, backend: Backend) -> None:
    """Each service has its own counts, also one without a name, the one with the most first, page by page."""
    send(backend, a_span(1), a_span(2), resource=SHOP)
    send(backend, a_span(3), resource={"service.name": "x" * 300})
    send(backend, a_span(4), resource={"host.name": "h"})
    send_log(backend, service="logs only")
    assert listed(client) == {"shop": (2, 0, 2), "": (1, 0, 1), "logs only": (0, 1, 0), "x" * 200: (1, 0, 1)}
    first = client.get("/v1/unassigned", params={"limit": 1}).json()
    assert first["data"][0]["service"] == "shop"
    rest = client.get("/v1/unassigned", params={"cursor": first["pagination"]["next"]}).json()
    assert len(rest["data"]) == 3


def test_a_late_parent_assigns(client: TestClient, backend: Backend) -> None:
    """Spans stop being unassigned when a span that comes later gives them a session, and their log records too."""
    send(backend, a_span(1, 2, parent_span_id=(1).to_bytes(8)), resource=SHOP)
    send_log(backend, trace=1)
    assert listed(client) == {"shop": (1, 1, 1)}
    send(backend, a_span(1, 1, session="s"), resource=SHOP)
    assert listed(client) == {}


def test_only_some_spans_of_a_trace(client: TestClient, backend: Backend) -> None:
    """Of a trace in which a span was cut from its session, that span is counted, and resending changes nothing."""
    cut = a_span(1, 2, parent_span_id=(1).to_bytes(8), attributes={"session.cut": ["*"]})
    for _ in range(2):
        send(backend, a_span(1, 1, session="s"), resource=SHOP)
        send(backend, cut, resource={"service.name": "jobs"})
        assert listed(client) == {"jobs": (1, 0, 1)}


def test_log_records_that_name_a_session(client: TestClient, backend: Backend) -> None:
    """A log record with a session of its own, under any name, is not counted."""
    send_log(backend, session__id="s")
    send_log(backend, session__key__ticket="t")
    send_log(backend, gen_ai__conversation__id="c")
    assert listed(client) == {}


def test_deletion_restart_and_rebuild(client: TestClient, backend: Backend, folder: Path) -> None:
    """The counts are those of what is stored after a deletion, a restart and a rebuild."""
    send(backend, a_span(1, 1, session="s"), a_span(1, 2, attributes={"session.cut": ["*"]}), a_span(2), resource=SHOP)
    backend.delete_session("s")
    assert listed(client) == {"shop": (2, 0, 2)}
    assert client.get("/v1/keys").json()["data"] == []
    backend.close(timeout=60)
    again = opened(folder)
    with TestClient(create_app(again)) as other:
        assert listed(other) == {"shop": (2, 0, 2)}
    again.close(timeout=60)
    store = Store(StoreSettings(f"chdb://{folder / 'store'}"))
    rebuild(store)
    store.close()
    again = opened(folder)
    with TestClient(create_app(again)) as other:
        assert listed(other) == {"shop": (2, 0, 2)}
        again.drop_older(2**63 - 1)
        assert listed(other) == {}
    again.close(timeout=60)


def test_no_session_of_the_empty_key(client: TestClient, backend: Backend) -> None:
    """What is in no session is in no list of sessions and no list of keys, and tells nobody of a change."""
    told: list[Any] = []
    stop = backend.listen(told.append)
    send(backend, a_span(1), resource=SHOP)
    assert listed(client) == {"shop": (1, 0, 1)}
    assert client.get("/v1/sessions").json()["data"] == []
    assert client.get("/v1/keys").json()["data"] == []
    assert client.get("/v1/sessions/shop", params={"key": ""}).status_code == 400
    assert told == []
    stop()


def test_health_and_metrics(client: TestClient, backend: Backend) -> None:
    """Health and metrics have the counts by service; many services are added up."""
    for number in range(3):
        send(backend, a_span(1 + number), resource={"service.name": f"s{number}"})
    send_log(backend, service="s0")
    assert len(listed(client)) == 3
    assert client.get("/healthz").json()["unassigned"][0] == {"service": "s0", "span_count": 1, "log_record_count": 1}
    metrics = client.get("/metrics").text
    assert 'otel_sessions_unassigned_records{service="s0",signal="traces"} 1.0' in metrics
    assert 'otel_sessions_unassigned_records{service="s0",signal="logs"} 1.0' in metrics


def test_many_services_are_one_in_metrics(backend: Backend) -> None:
    """After 200 services, metrics count the others together."""
    for number in range(203):
        send(backend, a_span(1 + number), resource={"service.name": f"s{number}"})
    backend.settle()
    metrics = generate_latest(backend.telemetry.registry).decode()
    assert 'otel_sessions_unassigned_records{service="(other services)",signal="traces"} 3.0' in metrics
    assert metrics.count("otel_sessions_unassigned_records{") == 402
