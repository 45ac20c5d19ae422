"""What is remembered of the sessions of open spans, and for how long."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.trace import Tracer

from otel_sessions import SessionExporter, SessionSpanProcessor, dropped_values
from otel_sessions.stamped_sessions import MOST_LOST, StampedSessions

SESSION = {"session.id": "a"}


@pytest.fixture
def stamped() -> StampedSessions:
    """Nothing is remembered yet."""
    stamped = StampedSessions()
    stamped.wanted = True
    return stamped


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    """A tracer without processors."""
    provider = TracerProvider()
    yield provider.get_tracer("tests")
    provider.shutdown()


def ended(span: Span, *, lost: bool) -> ReadableSpan:
    """The span after it has ended, with more attributes than it may have or not."""
    if lost:
        for number in range(200):
            span.set_attribute(f"a{number}", number)
    span.end()
    return span


def ids(span: Any) -> tuple[int, int]:
    """Trace id and span id."""
    context = span.get_span_context()
    return context.trace_id, context.span_id


@pytest.mark.allow_opentelemetry_logs
def test_only_lost_sessions_are_kept_after_the_end(stamped: StampedSessions, tracer: Tracer) -> None:
    """All that was stamped on a span is known after it has lost some of it, and forgotten if it has not."""
    for lost in (True, False):
        span: Any = tracer.start_span("span", attributes=SESSION)
        stamped.keep(span, SESSION)
        stamped.keep(span, {"session.name": "n"})
        assert stamped.lost(*ids(span)) is None
        stamped.end(ended(span, lost=lost))
        assert stamped.lost(*ids(span)) == ({**SESSION, "session.name": "n"} if lost else None)


@pytest.mark.parametrize(
    ("name", "kept"), [("session.id", True), ("session.key.ticket", True), ("session.name", False)]
)
def test_a_session_that_was_overwritten_is_kept(
    stamped: StampedSessions, tracer: Tracer, name: str, kept: bool
) -> None:
    """What an instrumentation wrote over the session is known; another name of the session may change."""
    session = {"session.id": "a", "session.key.ticket": "7", "session.name": "n"}
    span: Any = tracer.start_span("span", attributes=session)
    stamped.keep(span, session)
    span.set_attribute(name, "other")
    stamped.end(ended(span, lost=False))
    assert stamped.lost(*ids(span)) == (session if kept else None)


@pytest.mark.allow_opentelemetry_logs
def test_nothing_is_kept_unless_it_is_wanted(stamped: StampedSessions, tracer: Tracer) -> None:
    """Without an exporter that repairs nothing is remembered."""
    stamped.wanted = False
    span: Any = tracer.start_span("span")
    stamped.keep(span, SESSION)
    stamped.end(ended(span, lost=True))
    assert stamped.lost(*ids(span)) is None


def test_a_span_that_never_ends_is_forgotten(stamped: StampedSessions, tracer: Tracer) -> None:
    """What was stamped on a span is kept no longer than the span."""
    span: Any = tracer.start_span("span")
    stamped.keep(span, SESSION)
    assert len(stamped._open) == 1
    del span
    gc.collect()
    assert len(stamped._open) == 0


def test_lost_sessions_are_bounded(stamped: StampedSessions, tracer: Tracer) -> None:
    """Of more spans than are kept, the oldest are forgotten."""
    spans: list[Any] = []
    for _ in range(MOST_LOST + 1):
        span: Any = tracer.start_span("span")
        stamped.keep(span, SESSION)
        span._attributes.dropped = 1
        span.end()
        stamped.end(span)
        spans.append(span)
    assert [stamped.lost(*ids(span)) for span in spans[:2]] == [None, SESSION]


def test_a_span_without_a_context(stamped: StampedSessions) -> None:
    """A span that another tool made without ids is left alone."""
    stamped.end(ReadableSpan("span"))
    assert stamped._lost == {}


def test_a_span_that_cannot_be_read_is_counted() -> None:
    """An error while a lost session is remembered is counted and not raised."""
    SessionExporter(None, price=None, repair=True)

    class Broken(ReadableSpan):
        def get_span_context(self) -> Any:
            raise ValueError("broken")

    SessionSpanProcessor().on_end(Broken("span"))
    assert dropped_values() == {("span", "raised"): 1}
