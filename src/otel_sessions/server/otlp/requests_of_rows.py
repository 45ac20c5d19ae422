"""`RequestsOfRows`: rows gathered to OTLP requests of a bounded size, as JSON or as protobuf."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from otel_sessions.server.otlp.json import message_of
from otel_sessions.server.otlp.messages import messages
from otel_sessions.server.otlp.objects import Object, Row, record_object, resource_object, scope_object, span_object
from otel_sessions.server.signals import TRACES

RECORDS: Final = 1_000
BYTES: Final = 4 << 20
"""What a request has at most, and more only if one record is larger."""

_RESOURCE: Final = (
    "ResourceAttributes",
    "ResourceAttributeTypes",
    "ResourceSchemaUrl",
    "ResourceDroppedAttributesCount",
)
_SCOPE: Final = (
    "ScopeName",
    "ScopeVersion",
    "ScopeAttributes",
    "ScopeAttributeTypes",
    "ScopeSchemaUrl",
    "ScopeDroppedAttributesCount",
)

_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Change = Callable[[Object], Object]
"""What is done with a record, a resource or a scope before it is written, such as redaction."""


class _Names(NamedTuple):
    """Names of OTLP/JSON for a signal."""

    groups: str
    scopes: str
    records: str


_NAMES: Final = {
    True: _Names("resourceSpans", "scopeSpans", "spans"),
    False: _Names("resourceLogs", "scopeLogs", "logRecords"),
}


def json_requests(
    signal: str, rows: Iterable[Row], *, records: int = RECORDS, size: int = BYTES, change: Change | None = None
) -> Iterator[bytes]:
    """The rows as OTLP/JSON, one request after the other, each without a line break."""
    return _gathered(signal, rows, _JsonWriter(_NAMES[signal == TRACES]), records, size, change)


def protobuf_requests(
    signal: str, rows: Iterable[Row], *, records: int = RECORDS, size: int = BYTES, change: Change | None = None
) -> Iterator[bytes]:
    """The rows as serialized requests of the signal."""
    return _gathered(signal, rows, _ProtobufWriter(signal), records, size, change)


class _JsonWriter:
    """Writes each part as JSON once, and puts the texts together."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self.record = self.resource = self.scope = _to_json

    def request(self, groups: Iterable[_Group]) -> bytes:
        names = self._names
        written = (
            f'{{"resource":{group.resource},"{names.scopes}":[{",".join(self._scopes(group))}]{_schema(group.url)}}}'
            for group in groups
        )
        return f'{{"{names.groups}":[{",".join(written)}]}}'.encode()

    def _scopes(self, group: _Group) -> Iterator[str]:
        for scope, url, records in group.scopes.values():
            yield f'{{"scope":{scope},"{self._names.records}":[{",".join(records)}]{_schema(url)}}}'


class _ProtobufWriter:
    """Writes each part as a message once, and puts the bytes together."""

    def __init__(self, signal: str) -> None:
        is_traces = signal == TRACES
        self._known = messages().traces if is_traces else messages().logs
        service: Any = trace_service_pb2 if is_traces else logs_service_pb2
        request = service.ExportTraceServiceRequest if is_traces else service.ExportLogsServiceRequest
        group = request.DESCRIPTOR.fields_by_name[self._known.resource_groups].message_type
        scope_group = group.fields_by_name[self._known.scope_groups].message_type
        self.resource = _serializer(group.fields_by_name["resource"].message_type)
        self.scope = _serializer(scope_group.fields_by_name["scope"].message_type)
        self.record = _serializer(scope_group.fields_by_name[self._known.records].message_type)

    def request(self, groups: Iterable[_Group]) -> bytes:
        known = self._known
        return bytes(
            known.request(
                **{
                    known.resource_groups: [
                        known.resource_group(
                            resource=group.resource,
                            schema_url=group.url.encode(),
                            **{
                                known.scope_groups: [
                                    known.scope_group(
                                        scope=scope, schema_url=url.encode(), **{known.records: records}
                                    ).SerializeToString()
                                    for scope, url, records in group.scopes.values()
                                ]
                            },
                        ).SerializeToString()
                        for group in groups
                    ]
                }
            ).SerializeToString()
        )


class _Group:
    """The records of one resource: by scope, what is written of it, its schema, and its records."""

    __slots__ = ("resource", "scopes", "url")

    def __init__(self, resource: Any, url: str) -> None:
        self.resource = resource
        self.url = url
        self.scopes: dict[Any, tuple[Any, str, list[Any]]] = {}


def _gathered(
    signal: str, rows: Iterable[Row], writer: Any, most: int, most_bytes: int, change: Change | None
) -> Iterator[bytes]:
    make = span_object if signal == TRACES else record_object
    same = change or (lambda part: part)
    groups: dict[Any, _Group] = {}
    count = size = 0
    for row in rows:
        resource_key = _key(row, _RESOURCE)
        group = groups.get(resource_key)
        if group is None:
            resource = writer.resource(same(resource_object(row)))
            group = groups[resource_key] = _Group(resource, row.get("ResourceSchemaUrl", ""))
            size += len(resource)
        scope_key = _key(row, _SCOPE)
        scope = group.scopes.get(scope_key)
        if scope is None:
            scope = group.scopes[scope_key] = (writer.scope(same(scope_object(row))), row.get("ScopeSchemaUrl", ""), [])
            size += len(scope[0])
        record = writer.record(same(make(row)))
        scope[2].append(record)
        count += 1
        size += len(record)
        if count >= most or size >= most_bytes:
            yield writer.request(groups.values())
            groups, count, size = {}, 0, 0
    if groups:
        yield writer.request(groups.values())


def _key(row: Row, names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(tuple(value.items()) if isinstance(value := row.get(name), dict) else value for name in names)


def _schema(url: str) -> str:
    return f',"schemaUrl":{_to_json(url)}' if url else ""


def _serializer(descriptor: Any) -> Callable[[Object], bytes]:
    return lambda part: bytes(message_of(descriptor, part, 0).SerializeToString())
