"""What spans and log records hold of a conversation, from their attributes.

A log record that holds words and is not counted, such as an event with one message, is known by the span that it was written in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from otel_sessions.content.content import Content
from otel_sessions.content.read import Event, may_hold_content, read_record, read_span
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.units import unit_of
from otel_sessions.dialects.events import EVENT_NAME, told_by
from otel_sessions.dialects.read import Plan, is_read
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.limits import RecordBudget

_REMEMBERED: Final = 4_096
_LONGEST: Final = 256

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
    return known or (bool(events) and may_hold_content([name for name, _ in events]))


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
    return read_span(attributes, events=events, kind=kind, emitter=plan.emitter)


class HeldContent(NamedTuple):
    """What a span or log record holds.

    Attributes:
        unit: the trace or cell that it is in.
        facts: of the record; those of a log record that is not counted say whose it is, when it was made, and in which span.
        content: its messages.
        is_counted: false for a log record that is not counted.
    """

    unit: int
    facts: SpanFacts
    content: Content
    is_counted: bool = True


def record_content(
    facts: SpanFacts | None,
    attributes: Mapping[str, Any],
    *,
    event_name: str,
    body: Any,
    at: int,
    trace_id: int,
    span_id: int,
    scope: str,
    service: str | None,
    session_id: str | None,
) -> HeldContent | None:
    """What a log record holds; `None` for one without messages, and for one that is neither counted nor in a span.

    Args:
        facts: of the record; `None` if it is not counted.
        attributes: of the record.
        event_name: of the record.
        body: of the record.
        at: when it was made, nanoseconds UTC.
        trace_id: the trace that it names; 0 for none.
        span_id: the span that it names in this trace; 0 for none.
        scope: the name of its instrumentation scope.
        service: of its resource.
        session_id: of its resource.
    """
    if facts is not None:
        told = told_by(scope, service, event_name, attributes, body)
        content = read_record(attributes, event_name=event_name, body=body, told=told)
        return None if content is None else HeldContent(trace_id or unit_of(facts), facts, content)
    named = attributes.get(EVENT_NAME)
    if not (
        trace_id and span_id and may_hold_content((event_name, named if isinstance(named, str) else "", *attributes))
    ):
        return None
    content = read_record(attributes, event_name=event_name, body=body, told=None)
    if content is None:
        return None
    facts = span_facts(
        attributes,
        span_id=_identity(event_name, at, span_id, attributes, body),
        parent_id=span_id,
        start=at,
        end=at,
        failed=False,
        scope=scope,
        name=event_name,
        service=service,
        session_id=session_id,
    )
    return HeldContent(trace_id, facts._replace(event=event_name or _RECORD), content, is_counted=False)


_RECORD: Final = "record"
"""The event of a record that names none."""


def _identity(*told: Any) -> int:
    """64 bits of what a record says, so that a copy has the same."""
    written = json.dumps(told, sort_keys=True, default=repr).encode()
    return int.from_bytes(hashlib.blake2b(written, digest_size=8).digest()) or 1
