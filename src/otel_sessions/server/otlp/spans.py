"""From an `ExportTraceServiceRequest` to rows and facts, in one pass over its spans."""

from __future__ import annotations

import json
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from otel_sessions.counting.facts import SpanFacts, span_facts
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError
from otel_sessions.server.otlp.limits import LATEST, Parts
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.origin import Resource, Scope, read_resource, read_scope, text
from otel_sessions.server.otlp.rejected import Rejected, RejectedError

_OWN: Final = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "TraceState",
    "SpanName",
    "SpanKind",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
    "EndTimeUnixNano",
    "StartTimeUnixNano",
    "Flags",
    "DroppedAttributesCount",
    "DroppedEventsCount",
    "DroppedLinksCount",
    "SpanAttributeTypes",
    "Events.Timestamp",
    "Events.Name",
    "Events.Attributes",
    "Links.TraceId",
    "Links.SpanId",
    "Links.TraceState",
    "Links.Attributes",
    "EventAttributeTypes",
    "LinkAttributeTypes",
    "Extras",
)
"""Columns that differ from span to span, in the order in which `_read` gives them."""

_KINDS: Final = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUS: Final = ("Unset", "Ok", "Error")
_ERROR: Final = 2

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)

_NOTHING_ATTACHED: Final = ((), (), (), (), (), (), (), (), (), "")


def read_spans(request: Any) -> tuple[SpanBatch, Rejected]:
    """The spans of a request that are taken, and how many are not.

    A span without valid ids, or that cannot be read, is left out; the others are taken.

    Args:
        request: a message of `messages().traces`.

    Raises:
        MalformedError: if a resource or a scope, or what is around them, is broken.
        TooLargeError: if it has more parts than `limits` allows.
    """
    batch = SpanBatch()
    rejected = Rejected()
    parts = Parts()
    known = messages()
    parts.records(request.resource_spans)
    for raw_resource_spans in request.resource_spans:
        resource_spans = parse(known.resource_spans, raw_resource_spans)
        resource = read_resource(resource_spans, parts)
        parts.records(resource_spans.scope_spans)
        for raw_scope_spans in resource_spans.scope_spans:
            scope_spans = parse(known.scope_spans, raw_scope_spans)
            parts.records(scope_spans.spans)
            _add(batch, rejected, parts, scope_spans.spans, resource, read_scope(scope_spans, parts))
    return batch, rejected


def _add(batch: SpanBatch, rejected: Rejected, parts: Parts, spans: Any, resource: Resource, scope: Scope) -> None:
    rows: list[tuple[Any, ...]] = []
    parsed = messages().span.FromString
    for raw in spans:
        try:
            row, trace_id, facts = _read(parsed(raw), resource, scope.name, parts)
        except RejectedError as error:
            rejected.counts[error.reason] += 1
        except NestedTooDeepError:
            rejected.counts["too_deep"] += 1
        except (MalformedError, DecodeError):
            rejected.counts["malformed"] += 1
        else:
            rows.append(row)
            batch.trace_ids.append(trace_id)
            batch.facts.append(facts)
    columns = batch.columns
    for name, values in zip(_OWN, zip(*rows, strict=True), strict=bool(rows)):
        columns[name].extend(values)
    for name, value in (
        ("ServiceName", resource.service_name),
        ("ResourceAttributes", resource.attributes.texts),
        ("ScopeName", scope.name),
        ("ScopeVersion", scope.version),
        ("ResourceSchemaUrl", resource.schema_url),
        ("ScopeSchemaUrl", scope.schema_url),
        ("ScopeAttributes", scope.attributes.texts),
        ("ResourceDroppedAttributesCount", resource.dropped_attributes),
        ("ScopeDroppedAttributesCount", scope.dropped_attributes),
        ("ResourceAttributeTypes", resource.attributes.types),
        ("ScopeAttributeTypes", scope.attributes.types),
    ):
        columns[name].extend([value] * len(rows))


def _read(span: Any, resource: Resource, scope_name: str, parts: Parts) -> tuple[tuple[Any, ...], int, SpanFacts]:
    """The span's own columns, its trace id and its facts.

    A span that does not say when it started did so when it ended, and the other way round, as `SessionExporter` has
    it; the `...UnixNano` columns say what came.
    """
    trace_id = span.trace_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise RejectedError("invalid_trace_id")
    span_id = span.span_id
    if len(span_id) != 8 or span_id == _NO_SPAN:
        raise RejectedError("invalid_span_id")
    parent_id = span.parent_span_id
    if parent_id == _NO_SPAN:
        parent_id = b""
    sent_start = span.start_time_unix_nano
    sent_end = span.end_time_unix_nano
    start = sent_start or sent_end
    end = max(start, sent_end)
    name = span.name.decode("utf-8", "replace")
    kind = span.kind
    code, message = 0, ""
    if span.HasField("status"):
        status = span.status
        code, message = status.code, text(status.message)
    raw_attributes = span.attributes
    parts.attributes(len(raw_attributes))
    attributes = read_attributes(raw_attributes)
    events = span.events
    links = span.links
    row = (
        min(start, LATEST),
        trace_id.hex(),
        span_id.hex(),
        parent_id.hex(),
        span.trace_state.decode("utf-8", "replace"),
        name,
        _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
        attributes.texts,
        end - start,
        _STATUS[code] if 0 <= code < len(_STATUS) else _STATUS[0],
        message,
        sent_end,
        sent_start,
        span.flags,
        span.dropped_attributes_count,
        span.dropped_events_count,
        span.dropped_links_count,
        attributes.types,
        *(_attached(events, links, parts) if events or links else _NOTHING_ATTACHED),
    )
    facts = span_facts(
        attributes.values,
        span_id=int.from_bytes(span_id),
        # A parent whose id is none cannot be found.
        parent_id=int.from_bytes(parent_id) if len(parent_id) == 8 else None,
        start=start,
        end=end,
        failed=code == _ERROR,
        scope=scope_name,
        name=name,
        service=resource.service,
        environment=resource.environment,
    )
    return row, int.from_bytes(trace_id), facts


def _attached(raw_events: Any, raw_links: Any, parts: Parts) -> tuple[Any, ...]:
    """The columns of events and links; their types only if there are any, and what has no column as JSON.

    That JSON is `{"events": {"<place>": {...}}, "links": {...}}` with `droppedAttributesCount`, for a link `flags`, for
    an event `timeUnixNano` where the column cannot hold it.
    """
    known = messages()
    parts.records(raw_events)
    parts.records(raw_links)
    events = [parse(known.event, raw) for raw in raw_events]
    links = [parse(known.link, raw) for raw in raw_links]
    parts.attributes(sum(len(one.attributes) for one in (*events, *links)))
    event_attributes = [read_attributes(event.attributes) for event in events]
    link_attributes = [read_attributes(link.attributes) for link in links]
    extras = {"events": _numbered(map(_event_extras, events)), "links": _numbered(map(_link_extras, links))}
    extras = {name: found for name, found in extras.items() if found}
    return (
        [min(event.time_unix_nano, LATEST) for event in events],
        [text(event.name) for event in events],
        [attributes.texts for attributes in event_attributes],
        [link.trace_id.hex() for link in links],
        [link.span_id.hex() for link in links],
        [text(link.trace_state) for link in links],
        [attributes.texts for attributes in link_attributes],
        _types(event_attributes),
        _types(link_attributes),
        json.dumps(extras, separators=(",", ":")) if extras else "",
    )


def _types(attributes: list[Any]) -> Any:
    return [one.types for one in attributes] if any(one.types for one in attributes) else ()


def _numbered(extras: Any) -> dict[str, dict[str, int]]:
    return {str(place): found for place, found in enumerate(extras) if found}


def _event_extras(event: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    if event.dropped_attributes_count:
        found["droppedAttributesCount"] = event.dropped_attributes_count
    if event.time_unix_nano > LATEST:
        found["timeUnixNano"] = event.time_unix_nano
    return found


def _link_extras(link: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    if link.dropped_attributes_count:
        found["droppedAttributesCount"] = link.dropped_attributes_count
    if link.flags:
        found["flags"] = link.flags
    return found
