"""`SessionLogExporter`: forwards log records and counts the calls that they tell of, beside spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    LogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from otel_sessions import SessionExporter, SessionLogExporter

EVENT = "gen_ai.client.inference.operation.details"
CALL: dict[str, Any] = {
    "session.id": "s",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.id": "chatcmpl-ABCDEFGHIJKLMNOPQRSTUVW",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
}


def logger(exporter: LogRecordExporter, scope: str = "app", **resource: Any) -> Any:
    """A logger whose records go to an exporter at once."""
    provider = LoggerProvider(resource=Resource(resource))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    return provider.get_logger(scope)


class Failing(LogRecordExporter):
    """An exporter whose every method raises."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Raise."""
        raise OSError("no")

    def shutdown(self) -> None:
        """Raise."""
        raise OSError("no")

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Raise."""
        raise OSError("no")


def test_records_are_forwarded_and_counted() -> None:
    """The inner exporter gets every record; a session of calls that only records tell of is there."""
    inner: Any = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    sessions = SessionExporter()
    exporter = SessionLogExporter(inner, sessions=sessions)
    log = logger(exporter, **{"service.name": "agent", "deployment.environment.name": "test"})
    log.emit(LogRecord(event_name=EVENT, attributes=CALL))
    log.emit(LogRecord(body="hello"))
    assert len(inner.get_finished_logs()) == 2
    session = sessions.session("s")
    assert session is not None
    assert (session.call_count, session.total_tokens, session.span_count) == (1, 15, 0)
    assert (session.services, session.environments) == (("agent",), ("test",))
    assert exporter.inner is inner
    assert exporter.sessions is sessions


def test_a_call_that_a_span_and_its_record_tell_of_is_one() -> None:
    """A record that is written inside a span, or names no trace, tells of the span's call."""
    sessions = SessionExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(sessions))
    log = logger(SessionLogExporter(sessions=sessions))
    with provider.get_tracer("app").start_as_current_span("chat gpt-4o", attributes=CALL):
        log.emit(LogRecord(event_name=EVENT, attributes=CALL))
    session = sessions.session("s")
    assert session is not None
    assert (session.call_count, session.input_tokens, session.span_count) == (1, 12, 1)
    assert [(one.counted, one.reason, one.evidence) for one in sessions.calls("s")] == [
        (True, None, ("span", "log")),
        (False, "duplicate", ("log",)),
    ]


def test_it_has_sessions_of_its_own() -> None:
    """Without an exporter of spans it makes one; nothing is forwarded without an inner exporter."""
    exporter = SessionLogExporter()
    logger(exporter).emit(LogRecord(event_name=EVENT, attributes=CALL))
    session = exporter.sessions.session("s")
    assert session is not None
    assert session.call_count == 1
    assert exporter.force_flush()
    exporter.shutdown()


def test_nothing_raises() -> None:
    """An inner exporter that raises is a failed export that is counted; so is a batch that is none."""
    exporter = SessionLogExporter(Failing())
    assert exporter.export([]) is LogRecordExportResult.FAILURE
    assert not exporter.force_flush()
    exporter.shutdown()
    assert exporter.sessions.dropped == {"export_errors": 3}
    for batch in (None, [None]):
        assert SessionLogExporter().export(batch) is LogRecordExportResult.SUCCESS  # type: ignore[arg-type]


@pytest.mark.parametrize("timestamp", [None, 1_795_000_000_000_000_000])
def test_times(timestamp: int | None) -> None:
    """A record without a time has the time when it was observed."""
    exporter = SessionLogExporter()
    record = LogRecord(event_name=EVENT, attributes=CALL, timestamp=timestamp, observed_timestamp=7_000_000_000)
    logger(exporter).emit(record)
    session = exporter.sessions.session("s")
    assert session is not None
    assert session.end == (timestamp or 7_000_000_000)


def test_records_have_the_words_of_a_session() -> None:
    """Messages of a record are read as those of a span."""
    exporter = SessionLogExporter()
    said = '[{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]'
    logger(exporter).emit(LogRecord(event_name=EVENT, attributes={**CALL, "gen_ai.input.messages": said}))
    session = exporter.sessions.session("s")
    assert session is not None
    assert (session.title, session.first_input, session.last_output) == ("Where is it?", "Where is it?", None)
