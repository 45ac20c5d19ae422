"""OTLP requests for tests, made with the official classes, and their contents in plain Python."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from tests.server.otlp.decoding import decode_spans
from tests.server.otlp.rows import read_row

from otel_sessions.server.otlp.batch import LogBatch, SpanBatch

AT = 1_795_000_000_000_000_000
"""A moment in November 2026."""

TRACE_ID = bytes(range(1, 17))
SPAN_ID = bytes(range(1, 9))

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def any_value(value: Any) -> AnyValue:
    """An attribute value of the type that the Python value has; `None` is an empty one."""
    if value is None:
        return AnyValue()
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
    return AnyValue(**{kinds[type(value)]: value})


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes as OTLP has them."""
    return [KeyValue(key=name, value=any_value(value)) for name, value in attributes.items()]


def plain_value(value: Any) -> Any:
    """The value of an official `AnyValue`."""
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [plain_value(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return {member.key: plain_value(member.value) for member in value.kvlist_value.values}
    return getattr(value, which)


def plain(attributes: Any) -> dict[str, Any]:
    """The attributes in a list of official `KeyValue`."""
    return {member.key: plain_value(member.value) for member in attributes}


def traces(*spans: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> Any:
    """A request of one resource with one scope; fields that a span does not give are valid ones."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(
        key_values({"service.name": "shop"} if attributes is None else attributes)
    )
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "app"
    for number, given in enumerate(spans):
        fields = {
            "trace_id": TRACE_ID,
            "span_id": (number + 1).to_bytes(8),
            "name": f"span {number}",
            "start_time_unix_nano": AT,
            "end_time_unix_nano": AT + 5,
            **given,
        }
        fields["attributes"] = key_values(fields.get("attributes", {}))
        scope_spans.spans.add(**fields)
    return request


def logs(*records: Mapping[str, Any], attributes: Mapping[str, Any] | None = None) -> Any:
    """A request with these log records, given by the fields of `LogRecord`; `attributes` are those of the resource."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(key_values(attributes or {}))
    scope = group.scope_logs.add()
    for record in records:
        scope.log_records.add(**{**record, "attributes": key_values(record.get("attributes", {}))})
    return request


def decoded(request: Any) -> SpanBatch:
    """The batch of a request whose spans are all taken."""
    batch, rejected = decode_spans(request.SerializeToString())
    assert rejected.message == ""
    return batch


def field(number: int, raw: bytes) -> bytes:
    """A field of bytes as it is on the wire."""
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])


BROKEN = b"\x07"
"""A byte that no message begins with."""


def nested(levels: int, *, maps: bool = False) -> bytes:
    """A serialized `AnyValue` of this many levels; the official classes cannot hold as many."""
    raw = field(1, b"leaf")
    for _ in range(levels - 1):
        raw = field(6, field(1, field(1, b"k") + field(2, raw))) if maps else field(5, field(1, raw))
    return raw


def row(batch: SpanBatch | LogBatch, index: int = 0) -> dict[str, Any]:
    """One row by column name."""
    if isinstance(batch, SpanBatch):
        return read_row(batch.rows[index])
    return {name: values[index] for name, values in batch.columns.items()}


def as_json(request: Any) -> bytes:
    """A request in OTLP/JSON: ids in hexadecimal, in upper case to be different."""
    return json.dumps(_with_hex(MessageToDict(request))).encode()


def _with_hex(said: Any) -> Any:
    if isinstance(said, list):
        return [_with_hex(item) for item in said]
    if not isinstance(said, dict):
        return said
    return {
        name: base64.b64decode(value).hex().upper() if name in _IDS else _with_hex(value)
        for name, value in said.items()
    }


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
integers = st.integers(-(2**63), 2**63 - 1)
doubles = st.floats() | st.sampled_from([-0.0, 1.0, 1e21, 1e-7, 123456789012345680000.0])
any_values = st.recursive(
    st.none() | st.booleans() | texts | integers | doubles | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts | st.sampled_from(["bytesValue", "doubleValue", "kvlistValue"]), inner, max_size=3)
    ),
    max_leaves=8,
)
attributes = st.dictionaries(texts | st.sampled_from(["session.id", "gen_ai.request.model"]), any_values, max_size=6)
small: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"service.name": "shop", "deployment.environment": "test"},
        {"service.name": 7, "list": [1.0, b"x", None], "empty": None},
        {"": {"nested": [True, -1]}},
    ]
)
ids = st.sampled_from([TRACE_ID, bytes(16), bytes(15), b""]) | st.binary(min_size=16, max_size=16)
span_ids = st.sampled_from([SPAN_ID, bytes(8), bytes(7), b""]) | st.binary(min_size=8, max_size=8)
u32 = st.sampled_from([0, 1, 257, 2**32 - 1])
u64 = st.sampled_from([0, 1, AT, AT + 9, 2**63 - 1, 2**63, 2**64 - 1])
words = st.sampled_from(["", "word", "é😀", "\0'; DROP TABLE otel_traces; --<script>"])


@st.composite
def span_requests(draw: st.DrawFn) -> Any:
    """Requests of any shape that the official classes can hold."""
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.sampled_from([1, 1, 2, 0]))):
        resource_spans = request.resource_spans.add(schema_url=draw(words))
        _fill_resource(draw, resource_spans.resource)
        for _ in range(draw(st.sampled_from([1, 1, 2, 0]))):
            scope_spans = resource_spans.scope_spans.add(schema_url=draw(words))
            _fill_scope(draw, scope_spans.scope)
            for _ in range(draw(st.sampled_from([1, 1, 3, 0]))):
                _fill_span(draw, scope_spans.spans.add())
    return request


@st.composite
def log_requests(draw: st.DrawFn) -> Any:
    """Requests of any shape that the official classes can hold."""
    request = ExportLogsServiceRequest()
    for _ in range(draw(st.sampled_from([1, 1, 2, 0]))):
        resource_logs = request.resource_logs.add(schema_url=draw(words))
        _fill_resource(draw, resource_logs.resource)
        for _ in range(draw(st.sampled_from([1, 1, 2, 0]))):
            scope_logs = resource_logs.scope_logs.add(schema_url=draw(words))
            _fill_scope(draw, scope_logs.scope)
            for _ in range(draw(st.sampled_from([1, 1, 3, 0]))):
                scope_logs.log_records.add(
                    time_unix_nano=draw(u64),
                    observed_time_unix_nano=draw(u64),
                    severity_number=draw(st.integers(0, 24)),
                    severity_text=draw(words),
                    body=any_value(draw(any_values)),
                    attributes=key_values(draw(attributes)),
                    dropped_attributes_count=draw(u32),
                    flags=draw(u32),
                    trace_id=draw(ids),
                    span_id=draw(span_ids),
                    event_name=draw(words),
                )
    return request


def _fill_resource(draw: st.DrawFn, resource: Any) -> None:
    resource.attributes.extend(key_values(draw(small)))
    resource.dropped_attributes_count = draw(u32)


def _fill_scope(draw: st.DrawFn, scope: Any) -> None:
    scope.name = draw(words)
    scope.version = draw(words)
    scope.attributes.extend(key_values(draw(small)))
    scope.dropped_attributes_count = draw(u32)


def _fill_span(draw: st.DrawFn, span: Any) -> None:
    span.trace_id = draw(ids)
    span.span_id = draw(span_ids)
    span.parent_span_id = draw(span_ids)
    span.trace_state = draw(words)
    span.name = draw(words)
    span.kind = draw(st.integers(0, 5))
    span.start_time_unix_nano = draw(u64)
    span.end_time_unix_nano = draw(u64)
    span.flags = draw(u32)
    span.dropped_attributes_count = draw(u32)
    span.dropped_events_count = draw(u32)
    span.dropped_links_count = draw(u32)
    span.attributes.extend(key_values(draw(attributes)))
    if draw(st.booleans()):
        span.status.code = draw(st.integers(0, 2))
        span.status.message = draw(words)
    for _ in range(draw(st.integers(0, 2))):
        span.events.add(
            time_unix_nano=draw(u64),
            name=draw(words),
            attributes=key_values(draw(small)),
            dropped_attributes_count=draw(st.integers(0, 2)),
        )
    for _ in range(draw(st.integers(0, 2))):
        span.links.add(
            trace_id=draw(ids),
            span_id=draw(span_ids),
            trace_state=draw(words),
            attributes=key_values(draw(small)),
            dropped_attributes_count=draw(st.integers(0, 2)),
            flags=draw(st.integers(0, 2)),
        )
