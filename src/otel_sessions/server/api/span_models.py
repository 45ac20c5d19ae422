"""A span as it was sent, as the API answers with it.

Attribute values keep their types. A value that JSON cannot express is an object with one member, `{"bytesValue": "<base64>"}`
or `{"doubleValue": "NaN"}`; a map that looks like one of these is wrapped in `{"kvlistValue": {...}}`. What is too long is cut
(`shown_values`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from otel_sessions.long_texts import cut
from otel_sessions.server.api.models import Time, TraceId
from otel_sessions.server.api.shown_values import longest_value, shown_name, values_of_span
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.otlp.values import attributes_from_text, to_json_value
from otel_sessions.timestamps import format_time

Attributes = Annotated[
    dict[str, Any],
    Field(
        description=(
            'Attributes by name. Values keep their types; bytes are `{"bytesValue": "<base64>"}`, numbers that JSON does not '
            'have are `{"doubleValue": "NaN"}`, and a map that looks like one of these is in `{"kvlistValue": {...}}`.'
        )
    ),
]
DroppedAttributes = Annotated[
    int, Field(description="How many attributes the sender dropped, because there were too many.")
]
SchemaUrl = Annotated[str, Field(description="The URL of the schema of the attributes; empty if none was sent.")]
TraceState = Annotated[str, Field(description="The W3C trace state; empty if none was sent.")]
SpanId = Annotated[str, Field(description="The span id, 16 hexadecimal digits.", examples=["b7ad6b7169203331"])]
Flags = Annotated[int, Field(description="The flags of OTLP as a number; the lowest 8 bits are the W3C trace flags.")]


class Resource(BaseModel):
    """The resource that sent a span, such as a service."""

    service_name: str | None = Field(description="The name of the service; null if it is not known.")
    attributes: Attributes
    schema_url: SchemaUrl
    dropped_attributes_count: DroppedAttributes


class Scope(BaseModel):
    """The instrumentation scope that made a span."""

    name: str = Field(description="The name of the scope, usually of a library; empty if none was sent.")
    version: str = Field(description="The version of the scope; empty if none was sent.")
    attributes: Attributes
    schema_url: SchemaUrl
    dropped_attributes_count: DroppedAttributes


class Status(BaseModel):
    """The status of a span."""

    code: str = Field(description="`unset`, `ok` or `error`.", examples=["unset"])
    message: str = Field(description="What went wrong; empty if no message was sent.")


class Event(BaseModel):
    """An event within a span."""

    name: str = Field(description="The name of the event.", examples=["exception"])
    time: Time = Field(description="When the event happened.")
    attributes: Attributes
    dropped_attributes_count: DroppedAttributes


class Link(BaseModel):
    """A link from a span to another one."""

    trace_id: TraceId
    span_id: SpanId
    trace_state: TraceState
    attributes: Attributes
    flags: Flags
    dropped_attributes_count: DroppedAttributes


class Span(BaseModel):
    """A span as it was sent."""

    trace_id: TraceId
    span_id: SpanId
    parent_span_id: str | None = Field(
        description="The span id of the parent, 16 hexadecimal digits; null for a span without a parent."
    )
    trace_state: TraceState
    flags: Flags
    name: str = Field(description="The name of the span.")
    kind: str = Field(description="`internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.")
    start: Time = Field(description="When the span started.")
    end: Time = Field(description="When the span ended, as it was sent, even if that is before the start.")
    duration_ms: float = Field(description="Milliseconds from the start to the end, never below 0.")
    status: Status = Field(description="The status of the span.")
    attributes: Attributes
    dropped_attributes_count: DroppedAttributes
    events: list[Event] = Field(description="The events within the span, as they were sent.")
    dropped_events_count: int = Field(description="How many events the sender dropped, because there were too many.")
    links: list[Link] = Field(description="The links to other spans, as they were sent.")
    dropped_links_count: int = Field(description="How many links the sender dropped, because there were too many.")
    resource: Resource = Field(description="The resource that sent the span.")
    scope: Scope = Field(description="The instrumentation scope that made the span.")

    @classmethod
    def of(cls, row: Row) -> Self:
        """The span of a row of `otel_traces`, written by a server or by a Collector; long texts are cut."""
        longest = longest_value(values_of_span(row))
        start, end = _times(row)
        extras = json.loads(row["Extras"]) if row["Extras"] else {}
        return cls(
            trace_id=row["TraceId"],
            span_id=row["SpanId"],
            parent_span_id=row["ParentSpanId"] or None,
            trace_state=shown_name(row["TraceState"]),
            flags=row["Flags"],
            name=shown_name(row["SpanName"]),
            kind=_word(row["SpanKind"], "SPAN_KIND_"),
            start=format_time(start),
            end=format_time(end),
            duration_ms=row["Duration"] / 1e6,
            status=Status(code=_word(row["StatusCode"], "STATUS_CODE_"), message=cut(row["StatusMessage"], longest)),
            attributes=shown_attributes(row["SpanAttributes"], row["SpanAttributeTypes"], longest),
            dropped_attributes_count=row["DroppedAttributesCount"],
            events=_events(row, extras.get("events", {}), longest),
            dropped_events_count=row["DroppedEventsCount"],
            links=_links(row, extras.get("links", {}), longest),
            dropped_links_count=row["DroppedLinksCount"],
            resource=Resource(
                service_name=shown_name(row["ServiceName"]) or None,
                attributes=shown_attributes(row["ResourceAttributes"], row["ResourceAttributeTypes"], longest),
                schema_url=shown_name(row["ResourceSchemaUrl"]),
                dropped_attributes_count=row["ResourceDroppedAttributesCount"],
            ),
            scope=Scope(
                name=shown_name(row["ScopeName"]),
                version=shown_name(row["ScopeVersion"]),
                attributes=shown_attributes(row["ScopeAttributes"], row["ScopeAttributeTypes"], longest),
                schema_url=shown_name(row["ScopeSchemaUrl"]),
                dropped_attributes_count=row["ScopeDroppedAttributesCount"],
            ),
        )


def _times(row: Row) -> tuple[int, int]:
    """Start and end as they were sent; for a row that a Collector wrote, from the columns that it fills."""
    start, end = row["StartTimeUnixNano"], row["EndTimeUnixNano"]
    if not start and not end:
        return row["Timestamp"], row["Timestamp"] + row["Duration"]
    return start or end, end or start


def _word(stored: str, prefix: str) -> str:
    return stored.removeprefix(prefix).lower()


def shown_attributes(texts: Mapping[str, str], types: Mapping[str, str], longest: int) -> Attributes:
    """The attributes of these texts and types; a text that is too long is shown as a text, whatever its type."""
    short = [(name, text) for name, text in texts.items() if len(text) <= longest]
    values = attributes_from_text(short, dict(types))
    return {
        shown_name(name): to_json_value(values[name]) if name in values else cut(text, longest)
        for name, text in texts.items()
    }


def _events(row: Row, extras: Mapping[str, Mapping[str, int]], longest: int) -> list[Event]:
    columns = zip(
        row["Events.Timestamp"],
        row["Events.Name"],
        row["Events.Attributes"],
        _types(row["EventAttributeTypes"]),
        strict=False,
    )
    return [
        Event(
            name=shown_name(name),
            time=format_time(extras.get(str(place), {}).get("timeUnixNano", time)),
            attributes=shown_attributes(texts, types, longest),
            dropped_attributes_count=extras.get(str(place), {}).get("droppedAttributesCount", 0),
        )
        for place, (time, name, texts, types) in enumerate(columns)
    ]


def _links(row: Row, extras: Mapping[str, Mapping[str, int]], longest: int) -> list[Link]:
    columns = zip(
        row["Links.TraceId"],
        row["Links.SpanId"],
        row["Links.TraceState"],
        row["Links.Attributes"],
        _types(row["LinkAttributeTypes"]),
        strict=False,
    )
    return [
        Link(
            trace_id=trace_id,
            span_id=span_id,
            trace_state=shown_name(trace_state),
            attributes=shown_attributes(texts, types, longest),
            flags=extras.get(str(place), {}).get("flags", 0),
            dropped_attributes_count=extras.get(str(place), {}).get("droppedAttributesCount", 0),
        )
        for place, (trace_id, span_id, trace_state, texts, types) in enumerate(columns)
    ]


def _types(stored: Sequence[Mapping[str, str]]) -> Any:
    """The types of each event or link; a row stores none if all values are strings."""
    return stored or repeat({})
