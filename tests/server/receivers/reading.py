"""Spans that were sent and rows that are stored, in one form to compare."""

from __future__ import annotations

import json
from typing import Any

from tests.server.otlp.building import plain

from otel_sessions.server.otlp.values import attributes_from_text

_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUS = ("Unset", "Ok", "Error")


def sent_spans(request: Any) -> list[dict[str, Any]]:
    """The spans of an official request, by trace and span id."""
    spans = [
        {
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent_id": span.parent_span_id.hex(),
            "trace_state": span.trace_state,
            "name": span.name,
            "kind": _KINDS[span.kind],
            "start": span.start_time_unix_nano,
            "end": span.end_time_unix_nano,
            "status": (_STATUS[span.status.code], span.status.message),
            "attributes": plain(span.attributes),
            "flags": span.flags,
            "dropped": (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
            "events": [
                (event.time_unix_nano, event.name, plain(event.attributes), event.dropped_attributes_count)
                for event in span.events
            ],
            "links": [
                (
                    *(link.trace_id.hex(), link.span_id.hex(), link.trace_state),
                    *(plain(link.attributes), link.dropped_attributes_count, link.flags),
                )
                for link in span.links
            ],
            "resource": plain(resource_spans.resource.attributes),
            "resource_schema": resource_spans.schema_url,
            "scope": (scope_spans.scope.name, scope_spans.scope.version, scope_spans.schema_url),
            "scope_attributes": plain(scope_spans.scope.attributes),
        }
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    return sorted(spans, key=lambda span: (span["trace_id"], span["span_id"]))


def stored_span(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `otel_traces` in the form of `sent_spans`."""
    extras = json.loads(row["Extras"] or "{}")
    events = _attached(row, "Event", "Events.Attributes")
    links = _attached(row, "Link", "Links.Attributes")
    return {
        "trace_id": row["TraceId"],
        "span_id": row["SpanId"],
        "parent_id": row["ParentSpanId"],
        "trace_state": row["TraceState"],
        "name": row["SpanName"],
        "kind": row["SpanKind"],
        "start": row["StartTimeUnixNano"],
        "end": row["EndTimeUnixNano"],
        "status": (row["StatusCode"], row["StatusMessage"]),
        "attributes": restored(row, "SpanAttributes", "SpanAttributeTypes"),
        "flags": row["Flags"],
        "dropped": (row["DroppedAttributesCount"], row["DroppedEventsCount"], row["DroppedLinksCount"]),
        "events": [
            (at, name, attributes, extras.get("events", {}).get(str(place), {}).get("droppedAttributesCount", 0))
            for place, (at, name, attributes) in enumerate(
                zip(row["Events.Timestamp"], row["Events.Name"], events, strict=True)
            )
        ],
        "links": [
            (
                *found,
                extras.get("links", {}).get(str(place), {}).get("droppedAttributesCount", 0),
                extras.get("links", {}).get(str(place), {}).get("flags", 0),
            )
            for place, found in enumerate(
                zip(row["Links.TraceId"], row["Links.SpanId"], row["Links.TraceState"], links, strict=True)
            )
        ],
        "resource": restored(row, "ResourceAttributes", "ResourceAttributeTypes"),
        "resource_schema": row["ResourceSchemaUrl"],
        "scope": (row["ScopeName"], row["ScopeVersion"], row["ScopeSchemaUrl"]),
        "scope_attributes": restored(row, "ScopeAttributes", "ScopeAttributeTypes"),
    }


def restored(row: dict[str, Any], texts: str, types: str) -> dict[str, Any]:
    """Attributes with their types."""
    return attributes_from_text(row[texts].items(), row[types])


def _attached(row: dict[str, Any], kind: str, texts: str) -> list[dict[str, Any]]:
    types = row[f"{kind}AttributeTypes"] or [{}] * len(row[texts])
    return [attributes_from_text(each.items(), letters) for each, letters in zip(row[texts], types, strict=True)]
