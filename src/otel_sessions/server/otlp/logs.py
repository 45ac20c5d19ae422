"""From an `ExportLogsServiceRequest` to rows."""

from __future__ import annotations

from typing import Any

from otel_sessions.server.clickhouse.times import LATEST
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.batch import LogBatch
from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.resource_scope import Resource, Scope, each_scope
from otel_sessions.server.otlp.values import decode, text_of, to_text


def read_logs(request: Any, budget: RecordBudget) -> tuple[LogBatch, Rejected]:
    """The log records of a request that are taken, and how many are not because they cannot be read.

    A record needs no ids; the ones it has are kept as they came.

    Args:
        request: a message of `messages().logs`.
        budget: how much of it is read.

    Raises:
        TooLargeError: the budget is spent.
    """
    batch = LogBatch()
    rejected = Rejected()
    record_class = messages().logs.record
    for resource, scope, records in each_scope(request, messages().logs, budget, rejected):
        rows: list[tuple[Any, ...]] = []
        for raw in records:
            try:
                rows.append(_read(parse(record_class, raw), budget))
            except MalformedError as error:
                rejected.add(error)
        batch.add(rows, _origin(resource, scope))
    return batch, rejected


def _origin(resource: Resource, scope: Scope) -> dict[str, Any]:
    """The columns that all records of a scope share."""
    return {
        "ServiceName": resource.service_name,
        "ResourceSchemaUrl": resource.schema_url,
        "ResourceAttributes": resource.attributes.texts,
        "ScopeSchemaUrl": scope.schema_url,
        "ScopeName": scope.name,
        "ScopeVersion": scope.version,
        "ScopeAttributes": scope.attributes.texts,
        "ResourceAttributeTypes": resource.attributes.types,
        "ScopeAttributeTypes": scope.attributes.types,
    }


def _read(record: Any, budget: RecordBudget) -> tuple[Any, ...]:
    """The columns that differ from record to record, in the order of the table.

    A record without a time of its own has the time when it was observed.
    """
    observed = record.observed_time_unix_nano
    severity = record.severity_number
    flags = record.flags
    body, body_type = to_text(decode(record.body, budget))
    attributes = read_attributes(record.attributes, budget)
    return (
        min(record.time_unix_nano or observed, LATEST),
        record.trace_id.hex() if any(record.trace_id) else "",
        record.span_id.hex() if any(record.span_id) else "",
        flags & 0xFF,
        text_of(record.severity_text),
        severity if 0 <= severity < 256 else 0,
        body,
        attributes.texts,
        text_of(record.event_name),
        observed,
        flags,
        record.dropped_attributes_count,
        body_type,
        attributes.types,
    )
