"""`span_of_row`: the facts of a span and its messages from its row in `otel_traces`, equal to those that were read from its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.content.content import Content
from otel_sessions.content.read import Event
from otel_sessions.counting.contents import content_of_span, holds_content, with_said
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.reading import span_facts
from otel_sessions.dialects.read import plan_of
from otel_sessions.resource import NAMES, read_resource
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.otlp.values import attributes_from_text, from_text

_FAILED: Final = frozenset({"Error", "STATUS_CODE_ERROR"})
"""Status codes of a failed span. Collectors before 2024 wrote the second one."""

_CONSUMERS: Final = frozenset({"Consumer", "SPAN_KIND_CONSUMER"})
_EMPTY: Final = "n"
_SPAN_ID_DIGITS: Final = 16


class ReadSpan(NamedTuple):
    """The facts of a span, and its messages; `None` without any."""

    facts: SpanFacts
    content: Content | None


def facts_of_row(row: Row) -> SpanFacts:
    """The facts of a span."""
    return span_of_row(row).facts


def span_of_row(row: Row) -> ReadSpan:
    """The facts of a span and its messages. In a row that a Collector wrote all attributes are strings, so some facts may be missing."""
    start, end = _times(row)
    parent = row["ParentSpanId"]
    resource = read_resource(resource_of(row["ResourceAttributes"], row["ResourceAttributeTypes"]))
    attributes = _typed(row["SpanAttributes"], row["SpanAttributeTypes"])
    plan = plan_of(attributes, row["ScopeName"], resource.service)
    facts = span_facts(
        attributes,
        span_id=int(row["SpanId"], 16),
        # A parent without a valid id cannot be found.
        parent_id=(int(parent, 16) or None) if len(parent) == _SPAN_ID_DIGITS else None,
        start=start,
        end=end,
        failed=row["StatusCode"] in _FAILED,
        scope=row["ScopeName"],
        name=row["SpanName"],
        service=resource.service,
        environment=resource.environment,
        session_id=resource.session_id,
        consumer=row["SpanKind"] in _CONSUMERS,
        plan=plan,
    )
    events = _events(row)
    if not events and not holds_content(plan):
        return ReadSpan(facts, None)
    content = content_of_span(attributes, events, facts, resource.service)
    return ReadSpan(with_said(facts, content), content)


def _typed(texts: Mapping[str, str], types: dict[str, str]) -> dict[str, Any]:
    """Attributes as values; empty ones are left out."""
    values = attributes_from_text(texts.items(), types)
    return {name: value for name, value in values.items() if value is not None}


def _events(row: Row) -> list[Event]:
    """The events of the span with their attributes as typed values; the columns of types are empty where all are strings."""
    texts = row["Events.Attributes"]
    types: Sequence[dict[str, str]] = row["EventAttributeTypes"] or [{}] * len(texts)
    return [(name, _typed(of, by)) for name, of, by in zip(row["Events.Name"], texts, types, strict=True)]


def _times(row: Row) -> tuple[int, int]:
    """Start and end; from the columns of the Collector only where ours are empty, since those cannot hold all times."""
    sent_start, sent_end = row["StartTimeUnixNano"], row["EndTimeUnixNano"]
    start = sent_start or sent_end
    if not start:
        return row["Timestamp"], row["Timestamp"] + row["Duration"]
    return start, max(start, sent_end)


def resource_of(texts: Mapping[str, str], types: Mapping[str, str]) -> dict[str, object]:
    """The attributes of a resource that facts are read from, as typed values; empty values are left out."""
    return {
        name: from_text(texts[name], types.get(name, ""))
        for name in NAMES
        if name in texts and types.get(name) != _EMPTY
    }
