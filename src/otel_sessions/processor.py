"""`SessionSpanProcessor`: writes the session of its context on every span when the span starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_sessions.attributes import SESSION_CUT, SESSION_ID
from otel_sessions.dialects.write import Writer
from otel_sessions.drops import drops
from otel_sessions.resolve import ACCEPT_BAGGAGE, Resolver
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.scopes import SCOPE_KEY, without_ended
from otel_sessions.session import AttributeValue
from otel_sessions.stamped_sessions import stamped_sessions
from otel_sessions.stamping import missing, remember
from otel_sessions.value_limits import fitting, value_limit


class SessionSpanProcessor(SpanProcessor):
    """Writes `session.*` and `user.id` on every span that starts in a session. Register it before the exporting processor.

    The session comes from the first of these that has one, and only from that: the scope in the span's parent context,
    even an empty scope; the parent span; another SDK (OpenInference, Langfuse, Traceloop); the accepted baggage. An
    attribute that the span already has is not overwritten. An explicit empty `Context()` means no session. All is done
    at the start of a span, because the SDK does not let a processor change a span that ends.

    Args:
        dialects: backends whose own names get the same values too, such as `"langfuse"`;
            `otel_sessions.dialects.DIALECTS` lists them.
        accept_baggage: names of incoming baggage entries that are accepted, `*` at the end for any suffix; `()` for a
            service that the public can call.
        limits: lengths and numbers for values that do not come from a scope of this process.

    Raises:
        ValueError: for an unknown dialect.
        TypeError: for a string as `accept_baggage`.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from otel_sessions import SessionSpanProcessor, propagate_sessions
        >>> provider = TracerProvider()
        >>> provider.add_span_processor(SessionSpanProcessor())
        >>> with propagate_sessions("ticket-2611"):
        ...     span = provider.get_tracer("app").start_span("answer")
        >>> span.attributes["session.id"]
        'ticket-2611'
    """

    def __init__(
        self,
        *,
        dialects: Iterable[str] = (),
        accept_baggage: Iterable[str] = ACCEPT_BAGGAGE,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._elsewhere: Final = Resolver(accept_baggage=accept_baggage, limits=limits).elsewhere
        self._writer: Final = Writer(dialects) if dialects else None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Write the session on the span. Never raises."""
        # This runs for every span of the app: no call that the common case does not need.
        try:
            context = get_current() if parent_context is None else parent_context
            scope = context.get(SCOPE_KEY)
            if scope is not None and scope.ended:  # type: ignore[attr-defined]
                context = without_ended(context)
                scope = context.get(SCOPE_KEY)
            if scope is not None:
                attributes: Mapping[str, AttributeValue] = scope.attributes  # type: ignore[attr-defined]
            elif context:
                attributes = self._elsewhere(context)._attributes  # noqa: SLF001 - a call less per span
            else:
                return
            if not attributes:
                return
            limit = value_limit(span)
            if limit is not None:
                attributes = fitting(attributes, limit)
            if self._writer is not None:
                attributes = self._writer.extend(attributes)
            present: Any = span.attributes
            if present:
                # Membership tests and iteration of a span's attributes go through Python code; a copy of them does not.
                taken = present.copy() if type(present) is MappingProxyType else dict(present)
                if SESSION_CUT in attributes or not taken.keys().isdisjoint(attributes):
                    attributes = missing(attributes, taken)
            span.set_attributes(attributes)
            if stamped_sessions.wanted:
                stamped_sessions.keep(span, attributes)
            if SESSION_ID not in attributes:
                remember(span)
        except Exception as error:
            drops.count("span", "raised", f"stamping a span raised {type(error).__name__}")

    def on_end(self, span: ReadableSpan) -> None:
        """Change nothing: an ended span cannot be changed. Never raises."""
        if stamped_sessions.wanted:
            try:
                stamped_sessions.end(span)
            except Exception as error:
                drops.count("span", "raised", f"remembering a lost session raised {type(error).__name__}")

    def shutdown(self) -> None:
        """Do nothing: no span is kept."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return True: no span is kept."""
        return True
