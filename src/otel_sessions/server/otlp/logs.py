"""From an `ExportLogsServiceRequest` to rows."""

from __future__ import annotations

from typing import Any, Final

from otel_sessions.server.clickhouse.times import LATEST
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.batch import LogBatch
from otel_sessions.server.otlp.errors import MalformedError, NestedTooDeepError
from otel_sessions.server.otlp.limits import Parts
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.resource_scope import Resource, Scope, text, walk
from otel_sessions.server.otlp.values import decode, store

_OWN: Final = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "TraceFlags",
    "SeverityText",
    "SeverityNumber",
    "Body",
    "LogAttributes",
    "EventName",
    "ObservedTimestamp",
    "Flags",
    "DroppedAttributesCount",
    "BodyType",
    "LogAttributeTypes",
)
"""Columns that differ from record to record, in the order in which `_read` gives them."""


def read_logs(request: Any) -> tuple[LogBatch, Rejected]:
    """The log records of a request that are taken, and how many are not because they cannot be read.

    A record needs no ids; the ones it has are kept as they came.

    Args:
        request: a message of `messages().logs`.

    Raises:
        MalformedError: if a resource or a scope, or what is around them, is broken.
        TooLargeError: if it has more parts than `limits` allows.
    """
    batch = LogBatch()
    rejected = Rejected()
    parts = Parts()
    known = messages()
    found = walk(request.resource_logs, known.resource_logs, "scope_logs", known.scope_logs, "log_records", parts)
    for resource, scope, records in found:
        _add(batch, rejected, parts, records, resource, scope)
    return batch, rejected


def _add(batch: LogBatch, rejected: Rejected, parts: Parts, records: Any, resource: Resource, scope: Scope) -> None:
    rows: list[tuple[Any, ...]] = []
    record_class = messages().log_record
    for raw in records:
        try:
            rows.append(_read(parse(record_class, raw), parts))
        except NestedTooDeepError:
            rejected.counts["too_deep"] += 1
        except MalformedError:
            rejected.counts["malformed"] += 1
    columns = batch.columns
    for name, values in zip(_OWN, zip(*rows, strict=True), strict=bool(rows)):
        columns[name].extend(values)
    for name, value in (
        ("ServiceName", resource.service_name),
        ("ResourceSchemaUrl", resource.schema_url),
        ("ResourceAttributes", resource.attributes.texts),
        ("ScopeSchemaUrl", scope.schema_url),
        ("ScopeName", scope.name),
        ("ScopeVersion", scope.version),
        ("ScopeAttributes", scope.attributes.texts),
        ("ResourceAttributeTypes", resource.attributes.types),
        ("ScopeAttributeTypes", scope.attributes.types),
    ):
        columns[name].extend([value] * len(rows))


def _read(record: Any, parts: Parts) -> tuple[Any, ...]:
    """The record's own columns; one that does not say when it happened did so when it was observed."""
    observed = record.observed_time_unix_nano
    severity = record.severity_number
    flags = record.flags
    body, body_type = store(decode(record.body))
    parts.attributes(len(record.attributes))
    attributes = read_attributes(record.attributes)
    return (
        min(record.time_unix_nano or observed, LATEST),
        record.trace_id.hex() if any(record.trace_id) else "",
        record.span_id.hex() if any(record.span_id) else "",
        flags & 0xFF,
        text(record.severity_text),
        severity if 0 <= severity < 256 else 0,
        body,
        attributes.texts,
        text(record.event_name),
        observed,
        flags,
        record.dropped_attributes_count,
        body_type,
        attributes.types,
    )
