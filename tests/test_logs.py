"""Sessions on log records: OpenTelemetry's and the standard library's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry._logs import LogRecord
from opentelemetry.context import Context, attach, set_value
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, Tracer, set_span_in_context

from otel_sessions import (
    SessionLogFilter,
    SessionLogRecordProcessor,
    dropped_values,
    no_session,
    propagate_sessions,
)

Emit = Callable[..., dict[str, Any]]
REMOTE = NonRecordingSpan(SpanContext(0x1, 0x1, is_remote=True))


@pytest.fixture
def emit() -> Iterator[Emit]:
    """Emit a record through a real provider and return the attributes that were exported."""
    providers: list[LoggerProvider] = []

    def emit(attributes: dict[str, Any] | None = None, *, context: Context | None = None, **options: Any) -> Any:
        exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        provider = LoggerProvider(shutdown_on_exit=False)
        providers.append(provider)
        provider.add_log_record_processor(SessionLogRecordProcessor(**options))
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        record = LogRecord(body="hello", context=context, attributes=attributes)
        if context is not None:
            record.context = context  # the constructor takes an empty one for none
        provider.get_logger("tests").emit(record)
        (log,) = exporter.get_finished_logs()
        return dict(log.log_record.attributes or {})

    yield emit
    for provider in providers:
        provider.shutdown()


def test_a_record_carries_the_session(emit: Emit) -> None:
    """A record gets the attributes that a span gets, beside its own."""
    with propagate_sessions("a", user_id="u", tags=["t"], run=1):
        assert emit({"own": 1}) == {
            "own": 1,
            "session.id": "a",
            "session.key.run": "1",
            "user.id": "u",
            "session.tags": ("t",),
        }
        assert emit()["session.id"] == "a"
    assert emit({"own": 1}) == {"own": 1}


def test_a_record_keeps_what_it_has(emit: Emit) -> None:
    """No attribute of a record is overwritten."""
    with propagate_sessions("a", user_id="u"):
        assert emit({"session.id": "own"}) == {"session.id": "own", "user.id": "u"}


def test_the_context_of_the_record_decides(emit: Emit, tracer: Tracer) -> None:
    """An explicit empty context means no session, and a parent span lends its own, as for spans."""
    with propagate_sessions("a"):
        span = tracer.start_span("span")
        assert emit(context=Context()) == {}
    assert emit(context=set_span_in_context(span, Context())) == {"session.id": "a"}
    with propagate_sessions("b"):
        with no_session():
            assert emit() == {"session.cut": ("*",)}
        assert emit() == {"session.id": "b"}


def test_options_of_the_record_processor(emit: Emit) -> None:
    """Dialects and the allow-list are those of the span processor."""
    context = baggage.set_baggage("session.id", "a", set_span_in_context(REMOTE, Context()))
    assert emit(context=context, dialects=["gen_ai"]) == {"session.id": "a", "gen_ai.conversation.id": "a"}
    assert emit(context=context, accept_baggage=()) == {}
    with pytest.raises(ValueError, match="not known"):
        SessionLogRecordProcessor(dialects=["unknown"])


@pytest.mark.parametrize("record", [None, object(), 7])
def test_a_hostile_record_never_makes_the_processor_raise(record: Any) -> None:
    """A record that raises is counted as a fault."""
    SessionLogRecordProcessor().on_emit(record)
    assert dropped_values() == {("log_record", "raised"): 1}


def test_the_record_processor_holds_nothing() -> None:
    """The processor can be shut down twice and flushed afterwards."""
    processor = SessionLogRecordProcessor()
    processor.shutdown()
    processor.shutdown()
    assert processor.force_flush()


@pytest.fixture
def logger() -> Iterator[tuple[logging.Logger, list[logging.LogRecord]]]:
    """A logger of the standard library with the filter on its handler, and what it handled."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keep()
    handler.addFilter(SessionLogFilter())
    logger = logging.getLogger("tests.sessions")
    logger.addHandler(handler)
    yield logger, records
    logger.removeHandler(handler)


def test_the_filter_makes_fields_to_format(logger: tuple[logging.Logger, list[logging.LogRecord]]) -> None:
    """A format with our fields works for every record, inside a session and outside."""
    log, records = logger
    formatter = logging.Formatter("%(session_id)s %(session_name)s %(user_id)s %(session_keys)s %(message)s")
    with propagate_sessions("a", session_name="n", user_id="u", run=1):
        log.warning("inside %d", 1)
    log.warning("outside")
    assert [formatter.format(record) for record in records] == ["a n u {'run': '1'} inside 1", "- - - - outside"]


def test_the_filter_finds_what_spans_find(
    tracer: Tracer, logger: tuple[logging.Logger, list[logging.LogRecord]]
) -> None:
    """The filter finds the session of the current span, of another SDK and of received baggage."""
    log, records = logger
    with propagate_sessions("a"):
        span = tracer.start_span("span")
    contexts = [
        set_span_in_context(span),
        set_value("session.id", "b", set_span_in_context(REMOTE)),
        baggage.set_baggage("session.id", "c", set_span_in_context(REMOTE)),
    ]
    for context in contexts:
        attach(context)
        log.warning("found")
    assert [getattr(record, "session_id", None) for record in records] == ["a", "b", "c"]


def test_the_filter_keeps_fields_that_the_record_has(
    logger: tuple[logging.Logger, list[logging.LogRecord]],
) -> None:
    """Fields given with `extra=` stay."""
    log, records = logger
    with propagate_sessions("a"):
        log.warning("own", extra={"session_id": "own"})
    assert records[0].__dict__["session_id"] == "own"


def test_the_default_text_can_be_chosen() -> None:
    """Records without a session get the default text."""
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "m", (), None)
    assert SessionLogFilter(default="none").filter(record)
    assert record.__dict__["session_id"] == "none"
    assert record.__dict__["session_keys"] == "none"


def test_a_fault_while_the_session_is_looked_for_loses_no_record() -> None:
    """A record gets the fields although the look-up raises, and the fault is counted."""

    class Hostile(NonRecordingSpan):
        @property
        def attributes(self) -> Any:
            raise RuntimeError

    attach(set_span_in_context(Hostile(REMOTE.get_span_context())))
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "m", (), None)
    assert SessionLogFilter().filter(record)
    assert record.__dict__["session_id"] == "-"
    assert dropped_values() == {("log_record", "raised"): 1}
