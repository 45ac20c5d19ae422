"""Which log records of a file are stored: as many of each as the file has, wherever the others came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests.server.otlp.building import log_requests

from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.otlp.errors import BusyError
from otel_sessions.server.signals import LOGS


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend for all tests of the module; its store is not emptied."""
    folder = tmp_path_factory.mktemp("server")
    backend = Backend(Store(StoreSettings(f"chdb://{folder / 'store'}", readers=2)), folder / "requests")
    yield backend
    assert backend.close(timeout=60)


def count(backend: Backend) -> int:
    """How many log records are stored."""
    with backend.reader.settled().reading() as client:
        return int(client.query("SELECT count() FROM otel_logs").result_rows[0][0])


def request(*bodies: str, time: int = 7) -> bytes:
    """A request of log records."""
    made = ExportLogsServiceRequest()
    records = made.resource_logs.add().scope_logs.add().log_records
    for body in bodies:
        records.add(time_unix_nano=time).body.string_value = body
    return bytes(made.SerializeToString())


def added(backend: Backend, body: bytes, copies: Any = None) -> int:
    """How many records a request adds."""
    before = count(backend)
    backend.receive(LOGS, body, copies=copies)
    return count(backend) - before


def test_copies_in_a_file_are_stored_and_no_more(backend: Backend) -> None:
    """A record is new as long as fewer that say the same are stored than came in the file."""
    assert added(backend, request("a", "b", "b"), {}) == 3
    assert added(backend, request("a", "b", "b"), {}) == 0
    assert added(backend, request("b", "c", "b"), {0: 2}) == 3
    assert added(backend, request("b", "c", "b"), {0: 2}) == 0
    assert added(backend, request("a"), None) == 1
    assert added(backend, request("a", "a"), {}) == 0
    assert added(backend, request("a", time=8), {}) == 1


def test_one_file_at_a_time(backend: Backend) -> None:
    """Another is told to come again."""
    backend._replaying.acquire()
    try:
        with pytest.raises(BusyError):
            backend.receive(LOGS, request("a"), copies={})
    finally:
        backend._replaying.release()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=log_requests(), again=st.booleans())
def test_any_record_is_recognised(backend: Backend, made: Any, again: bool) -> None:
    """Whatever a record holds, the engine computes the same of it as it is stored."""
    body = made.SerializeToString()
    added(backend, body, {} if again else None)
    assert added(backend, body, {}) == 0
