"""A span as it was sent, as the API answers with it.

Attribute values keep their types. What JSON has no word for is a map of one entry, `{"bytesValue": "<base64>"}` or
`{"doubleValue": "NaN"}`; a map that looks like one of these is wrapped in `{"kvlistValue": {...}}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, Self

from pydantic import BaseModel, Field

from otel_sessions.counting.session import shown_time
from otel_sessions.server.api.models import Time
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.otlp.values import attributes_from_text, to_json_value

Attributes = dict[str, Any]


class Resource(BaseModel):
    """What sent a span."""

    service_name: str | None
    attributes: Attributes
    schema_url: str
    dropped_attributes_count: int


class Scope(BaseModel):
    """The instrumentation that made a span."""

    name: str
    version: str
    attributes: Attributes
    schema_url: str
    dropped_attributes_count: int


class Status(BaseModel):
    """How a span ended."""

    code: str = Field(description="`unset`, `ok` or `error`.", examples=["unset"])
    message: str


class Event(BaseModel):
    """Something that happened within a span."""

    name: str
    time: Time
    attributes: Attributes
    dropped_attributes_count: int


class Link(BaseModel):
    """Another span that a span points to."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: Attributes
    flags: int
    dropped_attributes_count: int


class Span(BaseModel):
    """A span as it was sent."""

    trace_id: str = Field(description="32 hexadecimal digits.")
    span_id: str = Field(description="16 hexadecimal digits.")
    parent_span_id: str | None
    trace_state: str
    flags: int
    name: str
    kind: str = Field(description="`internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.")
    start: Time
    end: Time = Field(description="As it was sent, also where it is before the start.")
    duration_ms: float = Field(description="Never below 0.")
    status: Status
    attributes: Attributes = Field(
        description='Values with their types; bytes as `{"bytesValue": "<base64>"}`, NaN as `{"doubleValue": "NaN"}`.'
    )
    dropped_attributes_count: int
    events: list[Event]
    dropped_events_count: int
    links: list[Link]
    dropped_links_count: int
    resource: Resource
    scope: Scope

    @classmethod
    def of(cls, row: Row) -> Self:
        """The span of a row of `otel_traces`, whoever wrote it."""
        start, end = _times(row)
        extras = json.loads(row["Extras"]) if row["Extras"] else {}
        return cls(
            trace_id=row["TraceId"],
            span_id=row["SpanId"],
            parent_span_id=row["ParentSpanId"] or None,
            trace_state=row["TraceState"],
            flags=row["Flags"],
            name=row["SpanName"],
            kind=_word(row["SpanKind"], "SPAN_KIND_"),
            start=shown_time(start),
            end=shown_time(end),
            duration_ms=row["Duration"] / 1e6,
            status=Status(code=_word(row["StatusCode"], "STATUS_CODE_"), message=row["StatusMessage"]),
            attributes=_attributes(row["SpanAttributes"], row["SpanAttributeTypes"]),
            dropped_attributes_count=row["DroppedAttributesCount"],
            events=_events(row, extras.get("events", {})),
            dropped_events_count=row["DroppedEventsCount"],
            links=_links(row, extras.get("links", {})),
            dropped_links_count=row["DroppedLinksCount"],
            resource=Resource(
                service_name=row["ServiceName"] or None,
                attributes=_attributes(row["ResourceAttributes"], row["ResourceAttributeTypes"]),
                schema_url=row["ResourceSchemaUrl"],
                dropped_attributes_count=row["ResourceDroppedAttributesCount"],
            ),
            scope=Scope(
                name=row["ScopeName"],
                version=row["ScopeVersion"],
                attributes=_attributes(row["ScopeAttributes"], row["ScopeAttributeTypes"]),
                schema_url=row["ScopeSchemaUrl"],
                dropped_attributes_count=row["ScopeDroppedAttributesCount"],
            ),
        )


def _times(row: Row) -> tuple[int, int]:
    """Start and end as they were sent; of a row that a Collector wrote, from its own columns."""
    start, end = row["StartTimeUnixNano"], row["EndTimeUnixNano"]
    if not start and not end:
        return row["Timestamp"], row["Timestamp"] + row["Duration"]
    return start or end, end or start


def _word(stored: str, prefix: str) -> str:
    return stored.removeprefix(prefix).lower()


def _attributes(texts: Mapping[str, str], types: Mapping[str, str]) -> Attributes:
    return {name: to_json_value(value) for name, value in attributes_from_text(texts.items(), dict(types)).items()}


def _events(row: Row, extras: Mapping[str, Mapping[str, int]]) -> list[Event]:
    columns = zip(
        row["Events.Timestamp"],
        row["Events.Name"],
        row["Events.Attributes"],
        _types(row["EventAttributeTypes"]),
        strict=False,
    )
    return [
        Event(
            name=name,
            time=shown_time(extras.get(str(place), {}).get("timeUnixNano", time)),
            attributes=_attributes(texts, types),
            dropped_attributes_count=extras.get(str(place), {}).get("droppedAttributesCount", 0),
        )
        for place, (time, name, texts, types) in enumerate(columns)
    ]


def _links(row: Row, extras: Mapping[str, Mapping[str, int]]) -> list[Link]:
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
            trace_state=trace_state,
            attributes=_attributes(texts, types),
            flags=extras.get(str(place), {}).get("flags", 0),
            dropped_attributes_count=extras.get(str(place), {}).get("droppedAttributesCount", 0),
        )
        for place, (trace_id, span_id, trace_state, texts, types) in enumerate(columns)
    ]


def _types(stored: Sequence[Mapping[str, str]]) -> Any:
    """The types of each event or link; a row has none where all are strings."""
    return stored or repeat({})
