"""`score_session`: a log event, else a span event, else a counted drop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.context import attach
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context
from tests.recording import Spans

from otel_sessions import (
    SessionLogRecordProcessor,
    SessionValueError,
    dropped_values,
    propagate_sessions,
    score_session,
)

OTHER = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(1))
PROVIDER = "otel_sessions.scores.get_logger_provider"


class Logs:
    """The records that a provider exported."""

    def __init__(self, exporter: InMemoryLogRecordExporter) -> None:
        self._exporter = exporter

    def one(self) -> ReadableLogRecord:
        """The only one."""
        (log,) = self._exporter.get_finished_logs()
        return log

    def attributes(self) -> dict[str, Any]:
        """Its attributes."""
        return dict(self.one().log_record.attributes or {})


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    """A provider of the SDK in the place of the global one."""
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SessionLogRecordProcessor())
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    monkeypatch.setattr(PROVIDER, lambda: provider)
    yield Logs(exporter)
    provider.shutdown()


def test_a_score_is_a_log_event(logs: Logs, tracer: Tracer, spans: Spans) -> None:
    """A score is a log event with the names of the semantic convention, the session in force and the current span."""
    with propagate_sessions("a", user_id="u", run=1, tags=["t"]), tracer.start_as_current_span("span") as span:
        assert score_session("helpful", 0.8, label="good", comment="because\nof this")
    record = logs.one().log_record
    assert record.event_name == "gen_ai.evaluation.result"
    assert record.timestamp
    assert record.timestamp > 1_600_000_000 * 10**9
    assert logs.attributes() == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 0.8,
        "gen_ai.evaluation.score.label": "good",
        "gen_ai.evaluation.explanation": "because\nof this",
        "session.id": "a",
        "session.key.run": "1",
        "user.id": "u",
        "session.tags": ("t",),
    }
    assert (record.trace_id, record.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)
    assert spans()[0].events == ()


def test_another_span_can_be_scored(logs: Logs, tracer: Tracer) -> None:
    """A span can be scored by its context, later and from anywhere."""
    with propagate_sessions("a"), tracer.start_as_current_span("span"):
        assert score_session("helpful", 1, span_context=OTHER)
    record = logs.one().log_record
    assert (record.trace_id, record.span_id) == (OTHER.trace_id, OTHER.span_id)
    assert logs.attributes()["session.id"] == "a"


def test_another_session_can_be_scored(logs: Logs) -> None:
    """A session can be scored by its id, and nothing of the session in force is added."""
    assert score_session("helpful", 1, session_id=7)
    assert logs.attributes() == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 1.0,
        "session.id": "7",
    }


def test_another_key_can_be_scored(logs: Logs) -> None:
    """A session of another key can be scored by its value."""
    assert score_session("helpful", label="yes", session_id="c", key="conversation_id")
    assert logs.attributes() == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.label": "yes",
        "session.key.conversation_id": "c",
    }


@pytest.mark.parametrize(("value", "stored"), [(1, 1.0), (0, 0.0), (True, 1.0), (False, 0.0), (-2.5, -2.5)])
def test_values_are_floats(logs: Logs, value: float, stored: float) -> None:
    """A value is stored as a float, 0 is a score, and a bool counts as 1 or 0."""
    assert score_session("helpful", value)
    found = logs.attributes()["gen_ai.evaluation.score.value"]
    assert (found, type(found)) == (stored, float)


def test_a_comment_that_utf8_cannot_carry_is_mended(logs: Logs) -> None:
    """A lone surrogate in a comment, which may be long, is replaced so that its batch can be exported."""
    assert score_session("helpful", 1, comment="x" * 10_000 + "\ud800")
    assert logs.attributes()["gen_ai.evaluation.explanation"] == "x" * 10_000 + "?"


def test_without_a_logger_provider_a_score_is_a_span_event(tracer: Tracer, spans: Spans) -> None:
    """A score is an event on the current span, also if that is named explicitly."""
    with propagate_sessions("a"), tracer.start_as_current_span("span") as span:
        assert score_session("helpful", 1)
        assert score_session("polite", label="yes", span_context=span.get_span_context())
    events = spans()[0].events
    assert [event.name for event in events] == ["gen_ai.evaluation.result"] * 2
    assert dict(events[0].attributes or {}) == {
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 1.0,
        "session.id": "a",
    }


def test_the_placeholder_of_the_api_is_no_logger_provider(
    monkeypatch: pytest.MonkeyPatch, tracer: Tracer, spans: Spans
) -> None:
    """A score does not go to a provider of the API, which would drop it."""
    monkeypatch.setattr(PROVIDER, NoOpLoggerProvider)
    with tracer.start_as_current_span("span"):
        assert score_session("helpful", 1)
    assert len(spans()[0].events) == 1


def test_a_score_without_a_destination_is_counted(tracer: Tracer) -> None:
    """A score for no span, an ended one or a remote one is dropped and counted, or raises in strict mode."""
    assert not score_session("helpful", 1)
    with tracer.start_as_current_span("span"):
        assert not score_session("helpful", 1, span_context=OTHER)
    attach(set_span_in_context(NonRecordingSpan(OTHER)))
    assert not score_session("helpful", 1)
    assert dropped_values() == {("score", "no_destination"): 3}
    with pytest.raises(SessionValueError):
        score_session("helpful", 1, strict=True)


@pytest.mark.parametrize(
    ("arguments", "field", "reason"),
    [
        ({"name": "helpful"}, "score", "empty"),
        ({"name": "", "value": 1}, "score_name", "empty"),
        ({"name": " ", "value": 1}, "score_name", "empty"),
        ({"name": 7, "value": 1}, "score_name", "type"),
        ({"name": "x" * 201, "value": 1}, "score_name", "too_long"),
        ({"name": "h", "value": float("nan")}, "score", "value"),
        ({"name": "h", "value": float("inf")}, "score", "value"),
        ({"name": "h", "value": "1"}, "score", "value"),
        ({"name": "h", "value": 1j}, "score", "value"),
        ({"name": "h", "label": 7}, "score_label", "type"),
        ({"name": "h", "label": "\x00"}, "score_label", "characters"),
        ({"name": "h", "value": 1, "comment": b"b"}, "score_comment", "type"),
        ({"name": "h", "value": 1, "session_id": "é"}, "session_id", "characters"),
        ({"name": "h", "value": 1, "session_id": "a", "key": "a b"}, "session_keys", "key_characters"),
        ({"name": "h", "value": 1, "session_id": [], "key": "run"}, "session_keys", "type"),
        pytest.param({"name": "h", "value": 10**400}, "score", "value", id="an int that no float holds"),
    ],
)
def test_a_refused_score(logs: Logs, arguments: dict[str, Any], field: str, reason: str) -> None:
    """A refused score is not emitted, and is counted, or raises in strict mode."""
    assert not score_session(**arguments)
    assert dropped_values() == {(field, reason): 1}
    with pytest.raises(SessionValueError):
        score_session(**arguments, strict=True)
    with pytest.raises(ValueError, match="unpack"):
        logs.one()


def test_a_provider_that_raises_costs_the_score_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that raises is counted, also in strict mode, which is for the app's values."""

    def broken() -> None:
        raise RuntimeError

    monkeypatch.setattr(PROVIDER, broken)
    assert not score_session("helpful", 1, strict=True)
    assert dropped_values() == {("score", "raised"): 1}
