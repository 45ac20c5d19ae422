"""Spans of the Python SDK with everything that a span can have."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

EVERY_TYPE: dict[str, Any] = {
    "text": "plain",
    "unicode": "Grüße 😀 \u0000 '; DROP TABLE otel_traces; --<script>alert(1)</script>",
    "no text": "",
    "looks like a number": "7",
    "looks like nothing": "null",
    "true": True,
    "false": False,
    "zero": 0,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "double": 0.1,
    "whole double": 2.0,
    "huge": 1.7976931348623157e308,
    "negative zero": -0.0,
    "infinite": float("inf"),
    "texts": ("a", "", "ü"),
    "numbers": (1, -2),
    "doubles": (1.0, 2.5),
    "bools": (True, False),
    "none": (),
}
"""Every type that Python's API takes everywhere."""

_REMOTE = SpanContext(0x1234, 0x56, True, TraceFlags(1), TraceState([("vendor", "state")]))


def everything(session: str) -> list[ReadableSpan]:
    """A few spans with every attribute type, events, links, flags, dropped counts, and attributes on a scope."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({"service.name": "shop", "texts": ("a", "b"), "n": 1}, "https://example.com/resource"),
        span_limits=SpanLimits(max_span_attributes=24, max_events=3, max_links=2, max_event_attributes=2),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("scope", "1.2", "https://example.com/scope", {"on": "scope", "number": 7})
    parent = set_span_in_context(NonRecordingSpan(_REMOTE))
    links = [Link(_REMOTE, {"link": 1, "ratio": 0.5}), Link(_REMOTE), Link(_REMOTE)]
    with tracer.start_as_current_span(
        "everything", parent, SpanKind.PRODUCER, {f"too many {number}": number for number in range(6)}, links
    ) as span:
        span.set_attributes({**EVERY_TYPE, "session.id": session})
        for number in range(5):
            span.add_event(f"event {number}", {"a": number, "b": 0.5, "c": True}, timestamp=10**18 + number)
        span.set_status(Status(StatusCode.ERROR, "went wrong"))
        with tracer.start_as_current_span("little", attributes={"session.id": session}, kind=SpanKind.CLIENT):
            pass
    return list(memory.get_finished_spans())


def conversation(session: str) -> list[ReadableSpan]:
    """A trace of two small spans."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("tests")
    with (
        tracer.start_as_current_span("turn", attributes={"session.id": session}),
        tracer.start_as_current_span("chat", attributes={"session.id": session}),
    ):
        pass
    return list(memory.get_finished_spans())
