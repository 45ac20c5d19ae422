"""From rows of `otel_traces` and `otel_logs` back to OTLP/JSON, without loss: what was sent is what is written.

A row is a mapping by the names of its columns, times as integer nanoseconds UTC. A row that a Collector wrote lacks the columns of ours,
or has them empty; what only these hold, such as the types of attributes, is unknown then.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

from otel_sessions.server.otlp.values import attributes_from_text, from_text

Row = Mapping[str, Any]
Object = dict[str, Any]

_KINDS: Final = {
    name: number for number, name in enumerate(("unspecified", "internal", "server", "client", "producer", "consumer"))
}
_STATUS: Final = {"unset": 0, "ok": 1, "error": 2}
_NO_TYPES: Final[Mapping[str, str]] = {}


def span_object(row: Row) -> Object:
    """The span of a row of `otel_traces`; what is empty is left out."""
    extras = json.loads(row["Extras"]) if row.get("Extras") else {}
    start, end = row.get("StartTimeUnixNano", 0), row.get("EndTimeUnixNano", 0)
    if not start and not end:
        start, end = row["Timestamp"], row["Timestamp"] + row["Duration"]
    code = _STATUS.get(_word(row["StatusCode"], "STATUS_CODE_"), 0)
    status = _without_nothing({"message": row["StatusMessage"], "code": code})
    return {
        "traceId": row["TraceId"],
        "spanId": row["SpanId"],
        **_without_nothing(
            {
                "traceState": row["TraceState"],
                "parentSpanId": row["ParentSpanId"],
                "flags": row.get("Flags"),
                "name": row["SpanName"],
                "kind": _KINDS.get(_word(row["SpanKind"], "SPAN_KIND_"), 0),
                "startTimeUnixNano": start and str(start),
                "endTimeUnixNano": end and str(end),
                "attributes": key_values(row["SpanAttributes"], row.get("SpanAttributeTypes")),
                "droppedAttributesCount": row.get("DroppedAttributesCount"),
                "events": list(_events(row, extras.get("events", {}))),
                "droppedEventsCount": row.get("DroppedEventsCount"),
                "links": list(_links(row, extras.get("links", {}))),
                "droppedLinksCount": row.get("DroppedLinksCount"),
                "status": status,
            }
        ),
    }


def record_object(row: Row) -> Object:
    """The log record of a row of `otel_logs`; what is empty is left out."""
    time, observed = row.get("TimeUnixNano", row["Timestamp"]), row.get("ObservedTimestamp", 0)
    body_type = row.get("BodyType", "")
    body = {} if body_type == "n" else {"body": value_object(from_text(row["Body"], body_type))}
    return {
        **_without_nothing(
            {
                "timeUnixNano": time and str(time),
                "observedTimeUnixNano": observed and str(observed),
                "severityNumber": row["SeverityNumber"],
                "severityText": row["SeverityText"],
            }
        ),
        **body,
        **_without_nothing(
            {
                "attributes": key_values(row["LogAttributes"], row.get("LogAttributeTypes")),
                "droppedAttributesCount": row.get("DroppedAttributesCount"),
                "flags": row.get("Flags") or row["TraceFlags"],
                "traceId": row["TraceId"],
                "spanId": row["SpanId"],
                "eventName": row.get("EventName"),
            }
        ),
    }


def resource_object(row: Row) -> Object:
    """The resource of a row of either table."""
    return _without_nothing(
        {
            "attributes": key_values(row["ResourceAttributes"], row.get("ResourceAttributeTypes")),
            "droppedAttributesCount": row.get("ResourceDroppedAttributesCount"),
        }
    )


def scope_object(row: Row) -> Object:
    """The instrumentation scope of a row of either table."""
    return _without_nothing(
        {
            "name": row["ScopeName"],
            "version": row["ScopeVersion"],
            "attributes": key_values(row.get("ScopeAttributes", {}), row.get("ScopeAttributeTypes")),
            "droppedAttributesCount": row.get("ScopeDroppedAttributesCount"),
        }
    )


def key_values(texts: Mapping[str, str], types: Mapping[str, str] | None) -> list[Object]:
    """Attributes from their texts and type letters."""
    if not types:
        return [{"key": name, "value": {"stringValue": text}} for name, text in texts.items()]
    values = attributes_from_text(texts.items(), dict(types))
    return [{"key": name, "value": value_object(value)} for name, value in values.items()]


def value_object(value: Any) -> Object:
    """An attribute value, as `values.decode` returns it."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _spelled(value)}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [value_object(item) for item in value]}}
    if isinstance(value, dict):
        members = [{"key": name, "value": value_object(item)} for name, item in value.items()]
        return {"kvlistValue": {"values": members}}
    return {}


def _events(row: Row, extras: Mapping[str, Mapping[str, int]]) -> Iterator[Object]:
    columns = zip(
        row["Events.Timestamp"],
        row["Events.Name"],
        row["Events.Attributes"],
        _types(row.get("EventAttributeTypes")),
        strict=False,
    )
    for place, (time, name, texts, types) in enumerate(columns):
        extra = extras.get(str(place), _NO_EXTRAS)
        at = extra.get("timeUnixNano", time)
        yield _without_nothing(
            {
                "timeUnixNano": at and str(at),
                "name": name,
                "attributes": key_values(texts, types),
                "droppedAttributesCount": extra.get("droppedAttributesCount"),
            }
        )


def _links(row: Row, extras: Mapping[str, Mapping[str, int]]) -> Iterator[Object]:
    columns = zip(
        row["Links.TraceId"],
        row["Links.SpanId"],
        row["Links.TraceState"],
        row["Links.Attributes"],
        _types(row.get("LinkAttributeTypes")),
        strict=False,
    )
    for place, (trace_id, span_id, trace_state, texts, types) in enumerate(columns):
        extra = extras.get(str(place), _NO_EXTRAS)
        yield _without_nothing(
            {
                "traceId": trace_id,
                "spanId": span_id,
                "traceState": trace_state,
                "attributes": key_values(texts, types),
                "droppedAttributesCount": extra.get("droppedAttributesCount"),
                "flags": extra.get("flags"),
            }
        )


_NO_EXTRAS: Final[Mapping[str, int]] = {}


def _types(stored: Sequence[Mapping[str, str]] | None) -> Any:
    """The types of each event or link; a row stores none if all values are strings."""
    return stored or repeat(_NO_TYPES)


def _word(stored: str, prefix: str) -> str:
    """A kind or status; some versions of the Collector write the name of the enum."""
    return stored.removeprefix(prefix).lower()


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _without_nothing(members: Object) -> Object:
    """The members that are not empty, which is how protobuf's JSON mapping writes a message."""
    return {name: value for name, value in members.items() if value}
