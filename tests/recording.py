"""The spans that a test recorded, by name, with their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, Tracer, set_span_in_context

from otel_sessions.attributes import SESSION_ID


class Spans:
    """The spans that ended so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        """Read from an exporter."""
        self._exporter = exporter

    def __call__(self) -> list[ReadableSpan]:
        """All of them, in the order in which they ended."""
        return list(self._exporter.get_finished_spans())

    def attributes(self, name: str) -> dict[str, Any]:
        """The attributes of the one span with this name."""
        (span,) = (span for span in self() if span.name == name)
        return attributes_of(span)

    def ids(self) -> dict[str, str | None]:
        """`session.id` by span name."""
        return {span.name: attributes_of(span).get(SESSION_ID) for span in self()}

    def clear(self) -> None:
        """Forget what ended so far."""
        self._exporter.clear()


def attributes_of(span: object) -> dict[str, Any]:
    """The attributes of a span of the SDK, as a dict; empty for other spans."""
    attributes: Mapping[str, Any] | None = getattr(span, "attributes", None)
    return dict(attributes or {})


def started(tracer: Tracer, **options: Any) -> dict[str, Any]:
    """The attributes that a span carries from its start here."""
    return attributes_of(tracer.start_span("span", **options))


def lent(tracer: Tracer, parent: Span) -> dict[str, Any]:
    """The attributes that a child gets from its explicit parent in a fresh context."""
    return started(tracer, context=set_span_in_context(parent, Context()))
