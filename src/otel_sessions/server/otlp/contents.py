"""What log records hold of a conversation.

A log record that holds words and is not counted, such as an event with one message, is known by the span that it was written in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from otel_sessions.content.content import Content
from otel_sessions.content.read import may_hold_content, read_record
from otel_sessions.counting.contents import content_of_record, with_said
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.units import unit_of
from otel_sessions.dialects.events import EVENT_NAME


class HeldContent(NamedTuple):
    """What a log record holds.

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
        content = content_of_record(attributes, event_name=event_name, body=body, scope=scope, service=service)
        if content is None:
            return None
        return HeldContent(trace_id or unit_of(facts), with_said(facts, content), content)
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
