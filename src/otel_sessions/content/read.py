"""`read_span` and `read_record`: the messages that a span or a log record holds, whatever its dialect."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from otel_sessions.content.content import Content
from otel_sessions.content.semconv import INPUT, INSTRUCTIONS, OUTPUT, messages_of
from otel_sessions.dialects.emitters import ANY, Emitter
from otel_sessions.dialects.events import Told

NAMES: Final = frozenset({INPUT, OUTPUT, INSTRUCTIONS})
"""The names of attributes that hold messages."""

Event = tuple[str, Mapping[str, Any]]
"""The name of a span event, and its attributes."""


def may_hold_content(names: Collection[str]) -> bool:
    """False if no attribute of these names holds messages: a cheap check before `read_span`."""
    return not NAMES.isdisjoint(names)


def read_span(
    attributes: Mapping[str, Any], *, events: Sequence[Event] = (), kind: str = "", emitter: Emitter = ANY
) -> Content | None:
    """The messages in the attributes and events of a span; `None` without any.

    Never raises for any value of an attribute.

    Args:
        attributes: of the span.
        events: of the span, in their order.
        kind: of the span, one of `otel_sessions.dialects.kinds`.
        emitter: the program that made the span.
    """
    del events, kind, emitter
    found = Content(
        messages_of(attributes.get(INPUT), instructions=attributes.get(INSTRUCTIONS)),
        messages_of(attributes.get(OUTPUT)),
    )
    return found if found.input or found.output else None


def read_record(attributes: Mapping[str, Any], *, event_name: str, body: Any, told: Told | None) -> Content | None:
    """The messages in a log record; `None` without any.

    Never raises for any value of an attribute or of the body.

    Args:
        attributes: of the record.
        event_name: of the record; empty if it has none.
        body: a text, a number, a mapping, a list or nothing.
        told: the event that it tells of, as `otel_sessions.dialects.events.told_by` says.
    """
    del event_name, body, told
    return read_span(attributes) if may_hold_content(attributes) else None
