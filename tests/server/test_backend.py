"""The backend stores what it acknowledged, shows it to the next read, deletes it on request, and tells listeners."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import clickhouse_connect
import pytest
from tests.server.dying_store import dying_at
from tests.server.otlp.building import AT, traces

from otel_sessions.server import backend as backend_module
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.broken_parts import broken_parts, put_aside
from otel_sessions.server.clickhouse.client import WRITERS, Store
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.clickhouse.lease import Lease
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.ingest.commit_target import ClickHouseTarget
from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import BusyError, MalformedError, UnavailableError
from otel_sessions.server.projections.sessions import FLUSH_AT
from otel_sessions.server.queries.sessions import get_session, list_sessions
from otel_sessions.server.settling import UnsettledError
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.log import WriteAheadLog

_numbers = count()

Open = Callable[..., Backend]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("backend")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def start(engine: str, tmp_path: Path) -> Iterator[Open]:
    """A function that opens the backend of this test, also again after it was closed; the last one is closed at the end."""
    database = f"backend_{next(_numbers)}"
    opened: list[Backend] = []

    def open_(wrapped: Callable[[Store], Store] = lambda store: store, **options: Any) -> Backend:
        store = wrapped(Store(StoreSettings(engine, database=database, readers=2)))
        backend = Backend(store, tmp_path, **options)
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


def request_of_sessions(first: int, end: int) -> bytes:
    """A request of one span for each session from one number to another."""
    spans = (
        {"trace_id": bytes([9]) + n.to_bytes(15), "attributes": {"session.id": f"s{n}"}} for n in range(first, end)
    )
    return bytes(traces(*spans).SerializeToString())


def test_what_was_acknowledged_is_read(start: Open) -> None:
    """Acknowledged spans are seen by the next read, and a repeated request changes nothing, also after a restart."""
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
    """Log records in JSON are stored."""
    backend = start()
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}'
    backend.receive(LOGS, body, Format.JSON)
    backend.settle()
    with backend.store.reading() as client:
        assert client.query("SELECT Body FROM otel_logs").result_rows == [("hello",)]


def test_an_empty_request_is_taken(start: Open) -> None:
    """An empty request changes nothing, and no reader waits for it."""
    backend = start()
    backend.receive(TRACES, b"")
    backend.settle(timeout=0)
    assert backend.backlog_bytes == 0


def test_refused_and_rejected_are_counted(start: Open) -> None:
    """A broken request is refused, and a span without a valid id is rejected in a request that is taken."""
    backend = start()
    with pytest.raises(MalformedError):
        backend.receive(TRACES, b"\x07")
    rejected = backend.receive(TRACES, request("s", span_id=bytes(8)))
    assert rejected.counts == {"invalid_span_id": 1}
    assert metric(backend, "refused_requests_total", signal=TRACES, reason="Malformed") == 1
    assert metric(backend, "rejected_records_total", signal=TRACES, reason="invalid_span_id") == 1


def test_too_much_is_waiting(start: Open) -> None:
    """While too much waits for its commit, requests are refused with a delay, and a reader that cannot wait gets an error."""
    backend = start(backlog_bytes=1)
    with ExitStack() as writers:
        for _ in range(WRITERS):
            # Commits wait while the test holds all clients that write.
            writers.enter_context(backend.store.writing())
        backend.receive(TRACES, request("s"))
        with pytest.raises(BusyError) as busy:
            backend.receive(TRACES, request("s", 2))
        assert busy.value.retry_after == 1
        with pytest.raises(UnsettledError, match="not committed within 0 s"):
            backend.settle(timeout=0)
        assert metric(backend, "backlog_bytes") == backend.backlog_bytes > 0
    backend.settle()


def test_a_request_that_cannot_be_written_is_not_acknowledged(start: Open, tmp_path: Path) -> None:
    """A request that cannot be written to disk raises `UnavailableError` with the delay before clients send it again."""
    backend = start()
    shutil.rmtree(tmp_path)
    with pytest.raises(UnavailableError, match="No such file") as failed:
        backend.receive(TRACES, request("s"))
    assert failed.value.retry_after == 5


def test_after_closing_nothing_is_taken(start: Open) -> None:
    """A closed backend refuses requests with an error that lets clients send them again."""
    backend = start()
    backend.close()
    with pytest.raises(UnavailableError, match="shutting down"):
        backend.receive(TRACES, request("s"))


def test_a_session_is_deleted(start: Open) -> None:
    """A deletion includes spans that were acknowledged just before, and later spans start a new count; a second deletion finds nothing."""
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


def test_after_a_deletion_that_failed_only_what_is_stored_counts(start: Open) -> None:
    """A span of a trace whose deletion failed half way is counted alone, since the other spans are gone."""
    backend = start(wrapped=partial(dying_at, pattern=r"DELETE FROM session_traces\b"))
    backend.receive(TRACES, request("s"))
    backend.settle()
    with pytest.raises(KeyboardInterrupt):
        backend.delete_session("s")
    backend.receive(TRACES, request("s", span_id=b"12345678"))
    (session,) = backend.reader.sessions().sessions
    assert (session.span_count, backend.reader.spans("s").total) == (1, 1)


def test_old_traces_are_dropped(start: Open) -> None:
    """Traces that retention dropped are counted again when they are sent again."""
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


def test_requests_of_a_dead_process_are_stored(start: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Requests that an earlier process acknowledged are committed before all others."""
    log = WriteAheadLog(tmp_path, backlog_bytes=1000)
    log.append(TRACES, request("s"), [])
    log.release()
    with caplog.at_level(logging.INFO):
        backend = start()
    assert get_session(backend.store, "s") is not None
    assert "committed 1 requests" in caplog.text


def test_a_read_waits_for_a_long_replay(start: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier process acknowledged is read by every question to a server that started before it was committed."""
    go_on = threading.Event()

    class HeldTarget(ClickHouseTarget):
        def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
            assert go_on.wait(60)
            super().insert_spans(batch, token)

    monkeypatch.setattr(backend_module, "ClickHouseTarget", HeldTarget)
    monkeypatch.setattr(backend_module, "REPLAY_SECONDS", 0)
    for number in (1, 2):
        log = WriteAheadLog(tmp_path, backlog_bytes=1000)
        log.append(TRACES, request("s", number), [])
        log.release()
    backend = start()
    questions = [
        lambda: backend.reader.sessions().sessions[0].span_count,
        lambda: backend.reader.keys()[0].sessions,
        lambda: backend.reader.traces("s").total,
        lambda: backend.reader.spans("s").total,
    ]
    with ThreadPoolExecutor(len(questions)) as readers, ExitStack() as stack:
        stack.callback(go_on.set)
        answers = [readers.submit(question) for question in questions]
        with pytest.raises(UnsettledError):
            backend.settle(0)
        assert not any(answer.done() for answer in answers)
        go_on.set()
        assert [answer.result() for answer in answers] == [2, 1, 2, 2]


def test_parts_are_merged(start: Open) -> None:
    """Parts are merged once there are many of them, and the backend counts its commits."""
    backend = start()
    with backend.store.writing() as client:
        client.command("SYSTEM STOP MERGES sessions")
    for number in range(1, 7):
        backend.receive(TRACES, request("s", number))
        assert backend.reader.sessions().total == 1
    assert backend.commits == 6
    with backend.store.writing() as client:
        client.command("SYSTEM START MERGES sessions")
    backend.compact()
    with backend.store.reading() as client:
        ((parts,),) = client.query(
            "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'sessions'"
        ).result_rows
    assert parts < 6
    assert not backend.compact()


def test_unpriced_models_are_counted(start: Open) -> None:
    """Calls without a price are counted by model, and together once there are too many models."""
    backend = start()
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "own", "gen_ai.usage.input_tokens": 1}
    backend.receive(TRACES, request("s", attributes=attributes))
    backend.settle()
    assert metric(backend, "unpriced_calls_total", model="own") == 1
    backend.telemetry.count_unpriced("own", 1)
    for number in range(300):
        backend.telemetry.count_unpriced(f"model {number}", 1)
    assert metric(backend, "unpriced_calls_total", model="(other models)") == 101


def test_services_with_metrics_are_counted(start: Open) -> None:
    """Requests with metrics are counted by service, and together once there are too many services."""
    backend = start()
    for _ in range(2):
        backend.telemetry.count_metrics("own")
    for number in range(300):
        backend.telemetry.count_metrics(f"service {number}")
    assert metric(backend, "metrics_requests_total", service="own") == 2
    assert metric(backend, "metrics_requests_total", service="(other services)") == 101


def test_a_listener_that_fails_does_no_harm(start: Open, caplog: pytest.LogCaptureFixture) -> None:
    """A listener that raises an error does not stop the commit or the next listener."""
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


def test_rows_of_many_sessions_are_written_before_a_list(start: Open, caplog: pytest.LogCaptureFixture) -> None:
    """Rows are written before a list once many sessions changed; rows that could not be written are written for the next list."""
    backend = start()
    backend.receive(TRACES, request_of_sessions(0, FLUSH_AT - 1))
    backend.settle()
    assert list_sessions(backend.store).total == 0
    backend.receive(TRACES, request("last", 250))
    backend.settle()
    assert list_sessions(backend.store).total == FLUSH_AT
    with backend.store.writing() as client:
        client.command("RENAME TABLE sessions TO elsewhere")
        with caplog.at_level(logging.WARNING):
            backend.receive(TRACES, request_of_sessions(FLUSH_AT, 2 * FLUSH_AT))
            backend.settle()
        assert "rows of sessions are written later" in caplog.text
        client.command("RENAME TABLE elsewhere TO sessions")
    assert backend.reader.sessions().total == 2 * FLUSH_AT


def test_rows_that_a_power_failure_took_are_stored_when_they_are_sent_again(start: Open) -> None:
    """A span that an earlier process counted, and whose row is gone, gets its row back and is counted once."""
    backend = start()
    backend.receive(TRACES, request("s"))
    backend.close()
    backend = start()
    with backend.store.writing() as client:
        client.command("TRUNCATE TABLE otel_traces")
    for _ in range(2):
        backend.receive(TRACES, request("s"))
        (session,) = backend.reader.sessions().sessions
        assert (session.span_count, backend.reader.spans("s").total) == (1, 1)
        with backend.store.reading() as client:
            assert client.query("SELECT count() FROM otel_traces").result_rows == [(1,)]


def part_put_aside(backend: Backend, table: str) -> Path:
    """A part of a table that the engine put aside at its start, made by hand."""
    with backend.store.reading() as client:
        ((path,),) = client.query(
            "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND active LIMIT 1",
            parameters={"table": table},
        ).result_rows
    part = Path(path)
    broken = part.parent / "detached" / f"broken-on-start_{part.name}"
    shutil.copytree(part, broken)
    return broken


@pytest.mark.parametrize(("table", "is_kept"), [("otel_traces", True), ("session_traces", False)])
def test_broken_parts_are_a_problem_until_they_are_put_aside(
    start: Open, table: str, is_kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A start names the table in the log and the problems; putting aside keeps what was sent, and drops what is computed."""
    backend = start()
    backend.receive(TRACES, request("s"))
    backend.settle()
    broken = part_put_aside(backend, table)
    backend.close()
    backend = start()
    assert backend.broken_parts == {table: 1}
    (problem,) = backend.problems.current()
    assert (problem.name, problem.blocks) == ("broken_parts", False)
    assert table in problem.message
    assert table in caplog.text
    assert put_aside(backend.store) == 1
    assert broken.with_name(f"kept_{broken.name}").exists() is is_kept
    assert not broken.exists()
    assert broken_parts(backend.store) == {}


def test_broken_parts_of_a_server_stay_where_they_are() -> None:
    """The files of a ClickHouse server are its own: parts of spans and logs there are left alone."""
    store = create_autospec(Store, instance=True, is_embedded=False)
    client = store.writing.return_value.__enter__.return_value
    client.query.return_value.result_rows = [("otel_traces", "all_1_1_0", "/elsewhere/all_1_1_0")]
    assert put_aside(store) == 0
    client.command.assert_not_called()


def test_without_the_lease_the_server_is_not_ready(start: Open) -> None:
    """A server that may not write now says so before it tries."""
    lease = create_autospec(Lease, instance=True)
    backend = start(lease=lease)
    lease.check.side_effect = StoreAwayError("another server has the lease")
    with pytest.raises(StoreAwayError, match="lease"):
        backend.check_ready()
    lease.check.side_effect = None
    backend.check_ready()
