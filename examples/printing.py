"""A tracer provider whose spans are printed with their session, for the small examples."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from otel_sessions import SessionSpanProcessor


class Print(SpanProcessor):
    """Prints the name and the session of every span that ends."""

    def on_end(self, span: ReadableSpan) -> None:
        """Print one span."""
        attributes = dict(span.attributes or {})
        session = {name: value for name, value in attributes.items() if name.startswith(("session.", "user."))}
        print(span.name, *([f"{name}={value}" for name, value in sorted(session.items())] or ["(no session)"]))


def printing_provider() -> TracerProvider:
    """A provider with sessions, which is not the global one."""
    provider = TracerProvider()
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(Print())
    return provider
