"""The backend: what is acknowledged is stored, seen by the next read, deleted when asked, and told to listeners."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from tests.server.otlp.building import AT, traces

from otel_sessions.server import backend as module
from otel_sessions.server.backend import Backend, UnsettledError
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import BusyError, MalformedError, UnavailableError
from otel_sessions.server.queries.sessions import get_session, list_sessions
from otel_sessions.server.signals import LOGS, TRACES

_numbers = count()

Open = Callable[..., Backend]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have one."""
    folder = tmp_path_factory.mktemp("backend")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def start(engine: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the backend of this test, again after it was closed; closes it at the end."""
    database = f"backend_{next(_numbers)}"
    opened: list[Backend] = []

    def open_(**options: Any) -> Backend:
        backend = Backend(Store(StoreSettings(engine, database=database, readers=2)), tmp_path, **options)
        opened.append(backend)
        return backend

    yield open_
    opened[-1].close()


def metric(backend: Backend, name: str, **labels: str) -> float | None:
    """The value of a metric."""
    return backend.telemetry.registry.get_sample_value(f"otel_sessions_{name}", labels)


def request(session: str, number: int = 1, **span: Any) -> bytes:
    """A request of one span."""
    return bytes(
        traces(
            {
                "trace_id": bytes([number] * 16),
                "attributes": {"session.id": session, **span.pop("attributes", {})},
                **span,
            }
        ).SerializeToString()
    )


def test_what_was_acknowledged_is_read(start: Open) -> None:
    """Also after a restart; a repetition changes nothing."""
    backend = start()
    assert backend.receive(TRACES, request("s")).total == 0
    backend.receive(TRACES, request("s"))
    backend.settle()
    session = get_session(backend.store, "s")
    assert session is not None
    assert (session.trace_count, session.span_count) == (1, 1)
    assert metric(backend, "received_records_total", signal=TRACES) == 2
    assert metric(backend, "stored_records_total", signal=TRACES) == 1
    assert metric(backend, "duplicate_spans_total") == 1
    assert backend.close()
    again = start()
    again.receive(TRACES, request("s"))
    again.settle()
    assert get_session(again.store, "s") == session


def test_json_and_logs(start: Open) -> None:
    """Both signals, and the other format, are kept as protobuf."""
    backend = start()
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}'
    backend.receive(LOGS, body, Format.JSON)
    backend.settle()
    with backend.store.reading() as client:
        assert client.query("SELECT Body FROM otel_logs").result_rows == [("hello",)]


def test_an_empty_request_is_taken(start: Open) -> None:
    """It changes nothing, and there is nothing to wait for."""
    backend = start()
    backend.receive(TRACES, b"")
    backend.settle(timeout=0)
    assert backend.backlog_bytes == 0


def test_refused_and_rejected_are_counted(start: Open) -> None:
    """A broken request, and a span without a valid id in one that is taken."""
    backend = start()
    with pytest.raises(MalformedError):
        backend.receive(TRACES, b"\x07")
    rejected = backend.receive(TRACES, request("s", span_id=bytes(8)))
    assert rejected.counts == {"invalid_span_id": 1}
    assert metric(backend, "refused_requests_total", signal=TRACES, reason="Malformed") == 1
    assert metric(backend, "rejected_records_total", signal=TRACES, reason="invalid_span_id") == 1


def test_too_much_is_waiting(start: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then requests are to come again; a reader that cannot wait is told so."""
    backend = start(backlog_bytes=1)
    entered, go_on = threading.Event(), threading.Event()
    insert = backend._committer._store.insert_spans

    def held(batch: Any, token: str | None) -> None:
        entered.set()
        go_on.wait(30)
        insert(batch, token)

    monkeypatch.setattr(backend._committer._store, "insert_spans", held)
    backend.receive(TRACES, request("s"))
    assert entered.wait(30)
    with pytest.raises(BusyError) as busy:
        backend.receive(TRACES, request("s", 2))
    assert busy.value.retry_after == 1
    with pytest.raises(UnsettledError, match="not committed within 0 s"):
        backend.settle(timeout=0)
    assert metric(backend, "backlog_bytes") == backend.backlog_bytes > 0
    go_on.set()
    backend.settle()


def test_what_cannot_be_kept_is_not_acknowledged(start: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is the server's fault, and the request may come again."""
    backend = start()

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(backend._log, "append", full)
    with pytest.raises(UnavailableError, match="No space left") as failed:
        backend.receive(TRACES, request("s"))
    assert failed.value.retry_after is not None


def test_after_closing_nothing_is_taken(start: Open) -> None:
    """A request that comes too late is told that it may come again."""
    backend = start()
    backend._log.close()
    with pytest.raises(UnavailableError, match="shutting down"):
        backend.receive(TRACES, request("s"))


def test_a_session_is_deleted(start: Open) -> None:
    """With what was acknowledged just before; what comes after is counted alone; again it is no error."""
    backend = start()
    changes: list[Any] = []
    stop = backend.listen(changes.append)
    backend.receive(TRACES, request("s"))
    backend.receive(TRACES, request("s", 2))
    assert backend.delete_session("s").spans == 2
    assert get_session(backend.store, "s") is None
    assert backend.delete_session("s").spans == 0
    backend.receive(TRACES, request("s", 2, span_id=b"12345678"))
    backend.settle()
    session = get_session(backend.store, "s")
    assert session is not None
    assert session.span_count == 1
    assert set(changes) == {frozenset({("id", "s")})}
    stop()
    seen = len(changes)
    backend.delete_session("s")
    assert len(changes) == seen


def test_old_traces_are_dropped(start: Open) -> None:
    """And counted anew when they come again, since they are forgotten everywhere."""
    backend = start()
    assert backend.drop_older(AT + 10**18) == 0
    backend.receive(TRACES, request("s"))
    backend.settle()
    assert backend.drop_older(AT + 10**18) == 1
    assert get_session(backend.store, "s") is None
    backend.receive(TRACES, request("s"))
    backend.settle()
    assert get_session(backend.store, "s") is not None
    assert backend.drop_to_size(1 << 30) == 0
    assert backend.drop_to_size(1) == 1
    assert get_session(backend.store, "s") is None


def test_what_a_dead_process_acknowledged_is_stored(start: Open, caplog: pytest.LogCaptureFixture) -> None:
    """Its requests are committed before anything else."""
    first = start()
    first._log.append = lambda *_: 0  # type: ignore[method-assign]
    first.close()
    from otel_sessions.server.wal.log import RequestLog

    log = RequestLog(first._log.folder, backlog_bytes=1000)
    log.append(TRACES, request("s"), [])
    log.release()
    with caplog.at_level(logging.INFO):
        second = start()
    assert get_session(second.store, "s") is not None
    assert "committed 1 requests" in caplog.text


def test_parts_are_merged(start: Open) -> None:
    """When there are many; commits are counted so that a quiet spell can be told."""
    backend = start()
    for number in range(1, 7):
        backend.receive(TRACES, request("s", number))
        backend.settle()
    assert backend.commits == 6
    backend.compact()
    assert not backend.compact()


def test_unpriced_models_are_counted(start: Open) -> None:
    """By name; after many names together."""
    backend = start()
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "own", "gen_ai.usage.input_tokens": 1}
    backend.receive(TRACES, request("s", attributes=attributes))
    backend.settle()
    assert metric(backend, "unpriced_calls_total", model="own") == 1
    backend.telemetry.count_unpriced("own", 1)
    for number in range(300):
        backend.telemetry.count_unpriced(f"model {number}", 1)
    assert metric(backend, "unpriced_calls_total", model="(other models)") == 101


def test_a_listener_that_fails_harms_nobody(start: Open, caplog: pytest.LogCaptureFixture) -> None:
    """The commit is done and the next listener told."""
    backend = start()
    told: list[Any] = []

    def failing(_: object) -> None:
        raise ValueError("listener")

    backend.listen(failing)
    backend.listen(told.append)
    backend.receive(TRACES, request("s"))
    backend.settle()
    assert told == [frozenset({("id", "s")})]
    assert "a listener to changes failed" in caplog.text


def test_rows_of_many_sessions_are_written_unasked(
    start: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a list has few to wait for; what cannot be written then is written for the list."""
    monkeypatch.setattr(module, "EAGER", 2)
    backend = start()
    backend.receive(TRACES, request("a", 1))
    backend.settle()
    assert list_sessions(backend.store).total == 0
    backend.receive(TRACES, request("b", 2))
    backend.settle()
    assert list_sessions(backend.store).total == 2
    with backend.store.writing() as client:
        client.command("RENAME TABLE sessions TO elsewhere")
        backend.receive(TRACES, request("c", 3))
        backend.receive(TRACES, request("d", 4))
        with caplog.at_level(logging.WARNING):
            backend.settle()
        assert "rows of sessions are written later" in caplog.text
        client.command("RENAME TABLE elsewhere TO sessions")
    backend.settle_lists()
    assert list_sessions(backend.store).total == 4
