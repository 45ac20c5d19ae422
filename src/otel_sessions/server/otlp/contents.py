"""What a span or a log record holds of a conversation, from its attributes as they came."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from otel_sessions.content.content import Content
from otel_sessions.content.read import Event, may_hold_content, read_record, read_span
from otel_sessions.dialects.events import told_by
from otel_sessions.dialects.read import Plan, is_read
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.limits import RecordBudget

_REMEMBERED: Final = 4_096
_LONGEST: Final = 256
_EVENTS: Final = "gen_ai."
"""What the names of events with messages begin with."""

_holding: Final[dict[Plan, bool]] = {}
"""Whether spans of a plan may hold messages; plans that are kept only, so it has as many entries as there are of these."""


def is_wanted(name: str) -> bool:
    """Return True if counting reads attributes of this name, or if they may hold messages."""
    return is_read(name) or (_may_hold(name) if len(name) <= _LONGEST else may_hold_content((name,)))


@lru_cache(maxsize=_REMEMBERED)
def _may_hold(name: str) -> bool:
    return may_hold_content((name,))


def may_hold(plan: Plan, names: Collection[str], events: Collection[Event]) -> bool:
    """Return True if a span may hold messages in attributes of these names, or in events; `plan` is the one for these names."""
    known = _holding.get(plan)
    if known is None:
        known = may_hold_content(names)
        if plan.is_kept:
            _holding[plan] = known
    return known or any(map(_is_of_messages, events))


def _is_of_messages(event: Event) -> bool:
    name, attributes = event
    return name.startswith(_EVENTS) or may_hold_content(attributes)


def span_content(raw_attributes: Sequence[bytes], events: Sequence[Event], *, kind: str, plan: Plan) -> Content | None:
    """The messages of a span of which `may_hold` is true; `None` without any.

    Args:
        raw_attributes: serialized; they were read before, so they are valid and within the limits.
        events: names and attributes.
        kind: of the span.
        plan: by which its facts are read.
    """
    values = read_attributes(raw_attributes, RecordBudget(None)).values
    return read_span(values, events=events, kind=kind, emitter=plan.emitter)


def content_of(attributes: Mapping[str, Any], events: Sequence[Event], *, kind: str, plan: Plan) -> Content | None:
    """The messages of a span with these attributes, all of them; `None` without any."""
    if not (may_hold_content(attributes) or any(map(_is_of_messages, events))):
        return None
    return read_span(attributes, events=events, kind=kind, emitter=plan.emitter)


def record_content(
    attributes: Mapping[str, Any], *, event_name: str, body: Any, scope: str, service: str | None
) -> Content | None:
    """The messages of a log record; `None` without any. `scope` and `service` are the names of where it comes from."""
    told = told_by(scope, service, event_name, attributes, body)
    return read_record(attributes, event_name=event_name, body=body, told=told)
