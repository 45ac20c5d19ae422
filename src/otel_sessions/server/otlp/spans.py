"""From an `ExportTraceServiceRequest` to rows and facts, in one pass over its spans."""

from __future__ import annotations

import json
from binascii import hexlify
from struct import Struct
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from otel_sessions.counting.reading import span_facts
from otel_sessions.server.clickhouse.row_binary import array, mapping, raw_string, string, strings, times
from otel_sessions.server.clickhouse.times import LATEST, LATEST_PARTITION
from otel_sessions.server.otlp.attributes import Attributes, read_attributes
from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError
from otel_sessions.server.otlp.limits import Parts
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected, RejectedError
from otel_sessions.server.otlp.resource_scope import Resource, Scope, text, walk
from otel_sessions.server.otlp.span_attributes import read_span_attributes
from otel_sessions.server.otlp.span_fields import SpanFields, read_span_fields

ROW: Final = (
    *("ServiceName", "ResourceAttributes", "ScopeName", "ScopeVersion", "ResourceSchemaUrl", "ScopeSchemaUrl"),
    *("ScopeAttributes", "ResourceDroppedAttributesCount", "ScopeDroppedAttributesCount"),
    *("ResourceAttributeTypes", "ScopeAttributeTypes"),
    *("Timestamp", "Duration", "EndTimeUnixNano", "StartTimeUnixNano"),
    *("Flags", "DroppedAttributesCount", "DroppedEventsCount", "DroppedLinksCount"),
    *("TraceId", "SpanId", "ParentSpanId", "TraceState", "SpanName", "SpanKind", "StatusCode", "StatusMessage"),
    *("SpanAttributes", "SpanAttributeTypes"),
    *("Events.Timestamp", "Events.Name", "Events.Attributes"),
    *("Links.TraceId", "Links.SpanId", "Links.TraceState", "Links.Attributes"),
    *("EventAttributeTypes", "LinkAttributeTypes", "Extras"),
)
"""The columns of `otel_traces` in the order of a row: what all spans of a scope share comes first."""

_NUMBERS: Final = Struct("<qQQQIIII")

_KINDS: Final = tuple(map(string, ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")))
_STATUS: Final = tuple(map(string, ("Unset", "Ok", "Error")))
_ERROR: Final = 2

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)

_NOTHING_ATTACHED: Final = bytes(10)
"""Nine arrays and a string, all empty."""


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
    found = walk(request.resource_spans, known.resource_spans, "scope_spans", known.scope_spans, "spans", parts)
    for resource, scope, spans in found:
        _add(batch, rejected, parts, spans, resource, scope)
    return batch, rejected


def _add(batch: SpanBatch, rejected: Rejected, parts: Parts, spans: Any, resource: Resource, scope: Scope) -> None:
    origin = _origin(resource, scope)
    for raw in spans:
        try:
            _read(batch, read_span_fields(raw), origin, resource, scope.name, parts)
        except RejectedError as error:
            rejected.counts[error.reason] += 1
        except NestedTooDeepError:
            rejected.counts["too_deep"] += 1
        except (MalformedError, DecodeError):
            rejected.counts["malformed"] += 1


def _origin(resource: Resource, scope: Scope) -> bytes:
    """The columns that all spans of a scope share."""
    return b"".join(
        (
            string(resource.service_name),
            mapping(resource.attributes.texts),
            string(scope.name),
            string(scope.version),
            string(resource.schema_url),
            string(scope.schema_url),
            mapping(scope.attributes.texts),
            resource.dropped_attributes.to_bytes(4, "little"),
            scope.dropped_attributes.to_bytes(4, "little"),
            mapping(resource.attributes.types),
            mapping(scope.attributes.types),
        )
    )


def _read(
    batch: SpanBatch, fields: SpanFields, origin: bytes, resource: Resource, scope_name: str, parts: Parts
) -> None:
    """Add a span's row, trace id and facts.

    A span that does not say when it started did so when it ended, and the other way round, as `SessionExporter` has
    it; the `...UnixNano` columns say what came.
    """
    trace_id, span_id, trace_state, parent_id, raw_name, kind, sent_start, sent_end, raw_attributes, rest = fields
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        raise RejectedError("invalid_trace_id")
    if len(span_id) != 8 or span_id == _NO_SPAN:
        raise RejectedError("invalid_span_id")
    if parent_id == _NO_SPAN:
        parent_id = b""
    start = sent_start or sent_end
    end = max(start, sent_end)
    name, written_name = _NAMES.get(raw_name) or _name(raw_name)
    parts.attributes(len(raw_attributes))
    attributes = read_span_attributes(raw_attributes)
    dropped_attributes, dropped_events, dropped_links, flags, code, message, events, links = rest
    timestamp = min(start, LATEST_PARTITION)
    row = b"".join(
        (
            origin,
            _NUMBERS.pack(
                timestamp,
                end - start,
                sent_end,
                sent_start,
                flags,
                dropped_attributes,
                dropped_events,
                dropped_links,
            ),
            b"\x20%b\x10%b" % (hexlify(trace_id), hexlify(span_id)),
            raw_string(hexlify(parent_id)) if parent_id else b"\0",
            string(text(trace_state)) if trace_state else b"\0",
            written_name,
            _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
            _STATUS[code] if 0 <= code < len(_STATUS) else _STATUS[0],
            string(text(message)) if message else b"\0",
            attributes.texts,
            attributes.types,
            _attached(events, links, parts) if events or links else _NOTHING_ATTACHED,
        )
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
    batch.add(row, timestamp, int.from_bytes(trace_id), facts)


_NAMES: Final[dict[bytes, tuple[str, bytes]]] = {}
_REMEMBERED: Final = 4_096
_SHORT: Final = 200


def _name(raw: bytes) -> tuple[str, bytes]:
    """A span's name as text and as it is in a row; spans of one place in the code share it."""
    name = text(raw)
    both = name, string(name)
    if len(raw) < _SHORT:
        if len(_NAMES) >= _REMEMBERED:
            _NAMES.clear()
        _NAMES[raw] = both
    return both


def _attached(raw_events: Any, raw_links: Any, parts: Parts) -> bytes:
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
    return b"".join(
        (
            times([event.time_unix_nano for event in events]),
            strings(text(event.name) for event in events),
            array([mapping(attributes.texts) for attributes in event_attributes]),
            strings(link.trace_id.hex() for link in links),
            strings(link.span_id.hex() for link in links),
            strings(text(link.trace_state) for link in links),
            array([mapping(attributes.texts) for attributes in link_attributes]),
            _types(event_attributes),
            _types(link_attributes),
            string(json.dumps(extras, separators=(",", ":")) if extras else ""),
        )
    )


def _types(attributes: list[Attributes]) -> bytes:
    return array([mapping(one.types) for one in attributes] if any(one.types for one in attributes) else [])


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
