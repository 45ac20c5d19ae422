"""From an `ExportTraceServiceRequest` to rows and facts, in one pass over its spans."""

from __future__ import annotations

import json
from binascii import hexlify
from collections.abc import Sequence
from struct import Struct
from typing import Any, Final

from otel_sessions.content.read import Event
from otel_sessions.counting.contents import content_of_span, with_said
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.score import is_score, read_score
from otel_sessions.server.clickhouse.row_binary import array, mapping, raw_string, string, strings, times
from otel_sessions.server.clickhouse.times import LATEST, LATEST_PARTITION
from otel_sessions.server.otlp.attributes import Attributes, read_attributes
from otel_sessions.server.otlp.batch import SpanBatch
from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.memo import Memo
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected, RejectedError
from otel_sessions.server.otlp.resource_scope import Resource, Scope, each_scope
from otel_sessions.server.otlp.span_attributes import read_span_attributes
from otel_sessions.server.otlp.span_fields import SpanFields, read_span_fields
from otel_sessions.server.otlp.values import text_of

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
"""The columns of `otel_traces` in the order of a row: first those that all spans of a scope share."""

_NUMBERS: Final = Struct("<qQQQIIII")

_KINDS: Final = tuple(map(string, ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")))
_STATUS: Final = tuple(map(string, ("Unset", "Ok", "Error")))
_ERROR: Final = 2
_CONSUMER: Final = 5

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)

_NO_EVENTS: Final[tuple[Event, ...]] = ()
_NOTHING_ATTACHED: Final = bytes(10)
"""Nine arrays and a string, all empty."""


def read_spans(request: Any, budget: RecordBudget) -> tuple[SpanBatch, Rejected]:
    """The spans of a request that are taken, and how many are not.

    A span without valid ids, or that cannot be read, is left out; the others are taken.

    Args:
        request: a message of `messages().traces`.
        budget: how much of it is read.

    Raises:
        TooLargeError: the budget is spent.
    """
    batch = SpanBatch()
    rejected = Rejected()
    for resource, scope, spans in each_scope(request, messages().traces, budget, rejected):
        origin = _origin(resource, scope)
        for raw in spans:
            try:
                _read(batch, read_span_fields(raw), origin, resource, scope.name, budget)
            except (RejectedError, MalformedError) as error:
                rejected.add(error)
    return batch, rejected


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
    batch: SpanBatch, fields: SpanFields, origin: bytes, resource: Resource, scope_name: str, budget: RecordBudget
) -> None:
    """Add a span's row, trace id and facts.

    A span without a start is taken to start when it ended, and the other way round, as in `SessionExporter`; the
    `...UnixNano` columns hold the times that came.
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
    name, written_name = _NAMES[raw_name]
    attributes = read_span_attributes(raw_attributes, budget)
    dropped_attributes, dropped_events, dropped_links, flags, code, message, events, links = rest
    timestamp = min(start, LATEST_PARTITION)
    if events or links:
        attached, told_events = _attached(batch, trace_id, span_id, events, links, budget)
    else:
        attached, told_events = _NOTHING_ATTACHED, _NO_EVENTS
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
            string(text_of(trace_state)) if trace_state else b"\0",
            written_name,
            _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
            _STATUS[code] if 0 <= code < len(_STATUS) else _STATUS[0],
            string(text_of(message)) if message else b"\0",
            attributes.texts,
            attributes.types,
            attached,
        )
    )
    facts = span_facts(
        attributes.values,
        span_id=int.from_bytes(span_id),
        # A parent without a valid id cannot be found.
        parent_id=int.from_bytes(parent_id) if len(parent_id) == 8 else None,
        start=start,
        end=end,
        failed=code == _ERROR,
        scope=scope_name,
        name=name,
        service=resource.service,
        environment=resource.environment,
        session_id=resource.session_id,
        consumer=kind == _CONSUMER,
    )
    content = None
    if told_events or attributes.content:
        content = content_of_span(attributes.content or attributes.values, told_events, facts, resource.service)
        facts = with_said(facts, content)
    batch.add(row, timestamp, int.from_bytes(trace_id), facts, content)


def _read_name(raw: bytes) -> tuple[str, bytes]:
    """A span's name as text and as it is in a row; spans of one place in the code share it."""
    name = text_of(raw)
    return name, string(name)


_NAMES: Final = Memo(_read_name, longest=200)


def _attached(
    batch: SpanBatch,
    trace_id: bytes,
    span_id: bytes,
    raw_events: Sequence[bytes],
    raw_links: Sequence[bytes],
    budget: RecordBudget,
) -> tuple[bytes, Sequence[Event]]:
    """The columns of events and links, and the events; types only if there are any, and as JSON what has no column.

    Scores that events give are added to the batch.

    That JSON is `{"events": {"<place>": {...}}, "links": {...}}` with `droppedAttributesCount`, for a link `flags`, for
    an event `timeUnixNano` if the column cannot hold it.
    """
    known = messages()
    budget.spend_records(len(raw_events) + len(raw_links))
    events = [parse(known.event, raw) for raw in raw_events]
    links = [parse(known.link, raw) for raw in raw_links]
    event_attributes = [read_attributes(event.attributes, budget) for event in events]
    link_attributes = [read_attributes(link.attributes, budget) for link in links]
    names = [text_of(event.name) for event in events]
    for event, name, attributes in zip(events, names, event_attributes, strict=True):
        if is_score(name, attributes.values):
            score = read_score(
                attributes.values,
                time=min(event.time_unix_nano, LATEST),
                trace_id=int.from_bytes(trace_id),
                span_id=int.from_bytes(span_id),
            )
            if score is not None:
                batch.scores.append(score)
    extras = {"events": _numbered(map(_event_extras, events)), "links": _numbered(map(_link_extras, links))}
    extras = {name: found for name, found in extras.items() if found}
    columns = b"".join(
        (
            times([event.time_unix_nano for event in events]),
            strings(names),
            array([mapping(attributes.texts) for attributes in event_attributes]),
            strings(link.trace_id.hex() for link in links),
            strings(link.span_id.hex() for link in links),
            strings(text_of(link.trace_state) for link in links),
            array([mapping(attributes.texts) for attributes in link_attributes]),
            _types(event_attributes),
            _types(link_attributes),
            string(json.dumps(extras, separators=(",", ":")) if extras else ""),
        )
    )
    return columns, [(name, one.values) for name, one in zip(names, event_attributes, strict=True)]


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
