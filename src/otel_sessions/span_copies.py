"""Copies of finished spans: redacted, or with attributes added. The span itself is never changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from otel_sessions.attributes import is_session_name

Redact = Callable[[str, Any], Any]
"""A function from the name and the value of an attribute to the value to send; `None` leaves the attribute out.

The span's name, an event's name and the status description are passed as `span.name`, `event.name` and
`status.description`.
"""

FAILED: Final = "[redaction failed]"


_PARTS: Final = (
    "name",
    "context",
    "parent",
    "resource",
    "attributes",
    "events",
    "links",
    "kind",
    "status",
    "start_time",
    "end_time",
    "instrumentation_scope",
)


class _SpanCopy(ReadableSpan):
    """A finished span with the numbers of dropped events and links of its original."""

    def __init__(self, original: ReadableSpan, **parts: Any) -> None:
        # A part that is given is not read from the original, where reading it may raise.
        super().__init__(**{name: parts[name] if name in parts else getattr(original, name) for name in _PARTS})
        self._original = original

    @property
    def dropped_events(self) -> int:
        return self._original.dropped_events

    @property
    def dropped_links(self) -> int:
        return self._original.dropped_links


def with_attributes(span: ReadableSpan, attributes: Mapping[str, Any]) -> ReadableSpan:
    """A copy of the span with these attributes added; the span's own attributes win, but for its session."""
    session = {name: value for name, value in attributes.items() if is_session_name(name)}
    together = {**attributes, **dict(span.attributes or {}), **session}
    return _SpanCopy(span, attributes=_bounded(together, span.dropped_attributes))


def emptied(span: ReadableSpan) -> ReadableSpan:
    """A copy with only ids, times, kind, status code and resource, for a span that could not be redacted."""
    try:
        status = Status(span.status.status_code)
    except Exception:  # the status may be the part that cannot be read
        status = Status()
    return _SpanCopy(span, name=FAILED, attributes={}, events=(), links=(), status=status)


def redacted(span: ReadableSpan, redact: Redact, failed: Callable[[Exception], None]) -> ReadableSpan:
    """A copy of the span with every name, description and attribute passed through `redact`.

    Where `redact` raises, the value is replaced by a fixed text and `failed` is called: a raw value is never sent, and a
    span is never lost.
    """

    def clean(name: str, value: Any) -> Any:
        try:
            return redact(name, value)
        except Exception as error:
            failed(error)
            return FAILED

    def clean_text(name: str, value: str) -> str:
        cleaned = clean(name, value)
        return cleaned if isinstance(cleaned, str) else FAILED

    def clean_all(attributes: Mapping[str, Any] | None, dropped: int) -> BoundedAttributes:
        cleaned = {name: clean(name, value) for name, value in (attributes or {}).items()}
        return _bounded({name: value for name, value in cleaned.items() if value is not None}, dropped)

    status = span.status
    if status.description is not None:
        status = Status(status.status_code, clean_text("status.description", status.description))
    return _SpanCopy(
        span,
        name=clean_text("span.name", span.name),
        attributes=clean_all(span.attributes, span.dropped_attributes),
        events=tuple(
            Event(
                clean_text("event.name", event.name),
                clean_all(event.attributes, event.dropped_attributes),
                event.timestamp,
            )
            for event in span.events
        ),
        links=tuple(Link(link.context, clean_all(link.attributes, link.dropped_attributes)) for link in span.links),
        status=status,
    )


def _bounded(attributes: dict[str, Any], dropped: int) -> BoundedAttributes:
    bounded = BoundedAttributes(attributes=attributes, immutable=True)
    bounded.dropped = dropped
    return bounded
