"""From OTLP requests to sessions in a real ClickHouse: retries, kills and any order leave the numbers of the library."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import clickhouse_connect
import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode
from tests.server.otlp.decoding import decode_logs, decode_spans

from otel_sessions import SessionExporter, SessionSpanProcessor, default_pricer, propagate_sessions
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.ingest.commit_target import ClickHouseTarget
from otel_sessions.server.ingest.committer import Committer
from otel_sessions.server.otlp.decode import read_payload
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds
from otel_sessions.server.projections.trace_facts import last_version, seen_trace_ids
from otel_sessions.server.queries.sessions import get_session
from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.log import WriteAheadLog

PRICER = default_pricer()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running engine; a process can have only one."""
    folder = tmp_path_factory.mktemp("pipeline")
    client = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
    yield f"chdb://{folder}"
    client.close()


@pytest.fixture
def store(engine: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store."""
    store = Store(StoreSettings(engine, database=request.node.name, readers=1))
    yield store
    store.close()


class Ingest:
    """The write-ahead log and the committer of a server."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self._open()

    def restart(self) -> int:
        """Start again on what is on disk, as after `kill -9`; return the number of requests that were replayed."""
        self.log.release()
        self._open()
        return self.committer.replay(read_payload)

    def _open(self) -> None:
        self.log = WriteAheadLog(self.folder, backlog_bytes=1 << 24)
        self.committer = Committer(
            ClickHouseTarget(self.store),
            self.log,
            known=SeenTraceIds(seen_trace_ids(self.store)),
            pricer=PRICER,
            version=last_version(self.store),
        )

    def send(self, spans: list[ReadableSpan]) -> None:
        """Acknowledge one OTLP request."""
        body = encode_spans(spans).SerializeToString()
        batch, rejected = decode_spans(body)
        assert not rejected.counts
        self.log.append(TRACES, body, batch)

    def commit(self) -> None:
        """Commit the acknowledged requests, as a shutdown does, and start again."""
        self.committer.start()
        assert self.committer.stop(timeout=60)
        self.restart()


def conversation() -> list[ReadableSpan]:
    """A few sessions of instrumented spans, in the order in which they ended."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "support"}), shutdown_on_exit=False)
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("tests")
    for number in range(12):
        with (
            propagate_sessions(
                f"s{number % 3}", user_id=f"u{number % 2}", tags=["t"], run=number, metadata={"n": number}
            ),
            tracer.start_as_current_span("turn") as turn,
        ):
            for _ in range(2):
                with tracer.start_as_current_span("chat") as chat:
                    chat.set_attributes(
                        {
                            "gen_ai.operation.name": "chat",
                            "gen_ai.provider.name": "openai",
                            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                            "gen_ai.usage.input_tokens": 100 + number,
                            "gen_ai.usage.output_tokens": 7,
                        }
                    )
            turn.set_attribute("gen_ai.operation.name", "invoke_agent")
            turn.set_attribute("gen_ai.usage.input_tokens", 2 * (100 + number))
            if number == 5:
                turn.set_status(Status(StatusCode.ERROR))
    return list(memory.get_finished_spans())


def test_requests_in_any_form_give_the_librarys_numbers(store: Store, tmp_path: Path) -> None:
    """Every session equals that of `SessionExporter` when spans are shuffled, doubled and split, with commits and kills between requests."""
    spans = conversation()
    truth = SessionExporter(price=PRICER)
    truth.export(spans)
    sent = [*spans, *spans[::3]]
    random.Random(7).shuffle(sent)
    ingest = Ingest(store, tmp_path)
    while sent:
        request, sent = sent[:7], sent[7:]
        ingest.send(request)
        if len(sent) % 3 == 0:
            ingest.commit()
        elif len(sent) % 3 == 1:
            assert ingest.restart() > 0
    ingest.commit()
    for key, name in (*(("id", f"s{number}") for number in range(3)), ("run", "5")):
        stored, told = get_session(store, name, key=key), truth.session(name, key=key)
        assert stored is not None
        assert told is not None
        # The exporter reads no clock.
        assert replace(stored, status=told.status) == told
    with store.reading() as client:
        assert client.query("SELECT count(), uniqExact(TraceId, SpanId) FROM otel_traces").result_rows == [
            (len(spans), len(spans))
        ]


def test_logs_are_stored(store: Store, tmp_path: Path) -> None:
    """A request of log records is stored after a restart."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "hello"
    body = request.SerializeToString()
    ingest = Ingest(store, tmp_path)
    ingest.log.append(LOGS, body, decode_logs(body)[0])
    assert ingest.restart() == 1
    with store.reading() as client:
        assert client.query("SELECT Body FROM otel_logs").result_rows == [("hello",)]
