"""Ids that the SDK's limit of the length of values would cut."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace import Tracer
from tests.recording import attributes_of, started

from otel_sessions import (
    SessionExporter,
    SessionLogRecordProcessor,
    SessionSpanProcessor,
    dropped_values,
    propagate_sessions,
    score_session,
    update_session,
)

LIMIT = 16
LONG = "customer-0123456789-"


def tracer_of(limits: SpanLimits | None = None, **options: Any) -> Tracer:
    """A tracer of a provider with these limits."""
    provider = TracerProvider(span_limits=limits)
    provider.add_span_processor(SessionSpanProcessor(**options))
    return provider.get_tracer("tests")


@pytest.mark.allow_opentelemetry_logs
@pytest.mark.parametrize(
    "variable", ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", ""]
)
def test_two_long_ids_do_not_become_one(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids that would be equal after the cut are left out and counted, with each way to set the limit."""
    if variable:
        monkeypatch.setenv(variable, str(LIMIT))
    tracer = tracer_of(None if variable else SpanLimits(max_span_attribute_length=LIMIT), dialects=["langfuse"])
    for end in "ab":
        with propagate_sessions(LONG + end, user_id=LONG + end, ticket=LONG + end, run=1, session_name=LONG):
            assert started(tracer) == {
                "session.key.run": "1",
                "session.name": LONG[:LIMIT],
                "session.cut": ("id", "ticket"),
            }
    assert dropped_values() == {
        ("session_id", "sdk_limit"): 2,
        ("user_id", "sdk_limit"): 2,
        ("session_keys", "sdk_limit"): 2,
    }


def test_ids_within_the_limit_are_stamped() -> None:
    """An id as long as the limit is whole, and nothing is counted."""
    with propagate_sessions(LONG[:LIMIT], user_id="u"):
        assert started(tracer_of(SpanLimits(max_span_attribute_length=LIMIT))) == {
            "session.id": LONG[:LIMIT],
            "user.id": "u",
        }
    assert dropped_values() == {}


def test_the_warning_names_what_to_raise(caplog: pytest.LogCaptureFixture) -> None:
    """The message has the length, the limit and the variables, once, and not the id."""
    tracer = tracer_of(SpanLimits(max_span_attribute_length=LIMIT))
    with propagate_sessions(LONG):
        started(tracer)
        started(tracer)
    (line,) = caplog.messages
    assert "would cut 20 characters to 16" in line
    assert "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT" in line
    assert LONG not in line


@pytest.mark.allow_opentelemetry_logs
def test_a_long_id_does_not_fall_back_to_an_ancestors() -> None:
    """A span whose id was left out is not counted in the session of the span above it."""
    exporter = SessionExporter(None, price=None)
    provider = TracerProvider(span_limits=SpanLimits(max_span_attribute_length=LIMIT))
    provider.add_span_processor(SessionSpanProcessor())
    tracer = provider.get_tracer("tests")
    with propagate_sessions("outer"), tracer.start_as_current_span("request") as request, propagate_sessions(LONG):
        child = tracer.start_span("child")
    for span in (child, request):
        span.end()
        exporter.export([span])  # type: ignore[list-item]
    session = exporter.session("outer")
    assert session is not None
    assert session.span_count == 1


def test_a_key_whose_name_is_over_the_limit_is_cut_with_all_others() -> None:
    """`session.cut` is a value too: a name that does not fit in is written as `*`."""
    tracer = tracer_of(SpanLimits(max_span_attribute_length=4))
    with propagate_sessions(keys={"conversation_id": None}):
        assert started(tracer) == {"session.cut": ("*",)}
    with propagate_sessions(conversation_id="12345"):
        assert started(tracer) == {"session.cut": ("*",)}


def test_late_sessions_and_updates_keep_to_the_limit() -> None:
    """A span that is open when its scope is entered or updated gets no half of an id, and leaves its session for it."""
    tracer = tracer_of(SpanLimits(max_span_attribute_length=LIMIT))
    with tracer.start_as_current_span("late") as late, propagate_sessions(LONG, run=1):
        assert attributes_of(late) == {"session.key.run": "1"}
    with propagate_sessions("a"), tracer.start_as_current_span("updated") as updated:
        update_session(LONG)
        assert attributes_of(updated) == {"session.id": "a", "session.cut": ("id",)}


def test_log_records_keep_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log record gets no half of an id either."""
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", str(LIMIT))
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider()
    provider.add_log_record_processor(SessionLogRecordProcessor())
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    with propagate_sessions(LONG, user_id="u"):
        provider.get_logger("tests").emit(body="hello", attributes={})
    (found,) = exporter.get_finished_logs()
    assert dict(found.log_record.attributes or {}) == {"user.id": "u", "session.cut": ("id",)}
    provider.shutdown()


def test_scores_keep_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A score gets no half of an id either; it is still a score of its span."""
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", str(LIMIT))
    with propagate_sessions(LONG), tracer_of().start_as_current_span("judge") as span:
        assert score_session("helpful", 1)
    attributes: Any = span.events[0].attributes  # type: ignore[attr-defined]
    assert "session.id" not in attributes
