"""From an `ExportLogsServiceRequest` to rows."""

from __future__ import annotations

from typing import Any, Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.record_reading import record_facts
from otel_sessions.counting.score import Score, is_score, read_score
from otel_sessions.counting.units import unit_of
from otel_sessions.server.clickhouse.times import LATEST, LATEST_PARTITION
from otel_sessions.server.otlp.attributes import read_attributes
from otel_sessions.server.otlp.batch import LogBatch
from otel_sessions.server.otlp.contents import HeldContent, record_content
from otel_sessions.server.otlp.errors import MalformedError
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.resource_scope import Resource, Scope, each_scope
from otel_sessions.server.otlp.values import decode, text_of, to_text

_TRACE_ID_BYTES: Final = 16


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
        counted: dict[int, SpanFacts] = {}
        contents: dict[int, HeldContent] = {}
        for raw in records:
            try:
                row, facts, held, score = _read(parse(record_class, raw), resource, scope, budget)
            except MalformedError as error:
                rejected.add(error)
            else:
                if score is not None:
                    batch.scores.append(score)
                if facts is not None:
                    counted[len(rows)] = facts
                if held is not None:
                    contents[len(rows)] = held
                rows.append(row)
        batch.add(rows, _origin(resource, scope), counted, contents)
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
        "ResourceDroppedAttributesCount": resource.dropped_attributes,
        "ScopeDroppedAttributesCount": scope.dropped_attributes,
    }


def _read(
    record: Any, resource: Resource, scope: Scope, budget: RecordBudget
) -> tuple[tuple[Any, ...], SpanFacts | None, HeldContent | None, Score | None]:
    """The columns that differ from record to record, in the order of the table; the facts, messages and score of a record that has any.

    A record without a time of its own has the time when it was observed.
    """
    observed = record.observed_time_unix_nano
    severity = record.severity_number
    flags = record.flags
    body = decode(record.body, budget)
    body_text, body_type = to_text(body)
    attributes = read_attributes(record.attributes, budget)
    event_name = text_of(record.event_name)
    time = record.time_unix_nano
    sent_trace_id, sent_span_id = record.trace_id, record.span_id
    trace_id = int.from_bytes(sent_trace_id) if len(sent_trace_id) == _TRACE_ID_BYTES else 0
    span_id = int.from_bytes(sent_span_id) if trace_id else 0
    facts = record_facts(
        attributes.values,
        event_name=event_name,
        body=body,
        time=time,
        observed=observed,
        trace_id=trace_id,
        span_id=span_id,
        scope=scope.name,
        service=resource.service,
        environment=resource.environment,
        session_id=resource.session_id,
    )
    at = min(facts.end if facts is not None else time or observed, LATEST)
    held = None
    if facts is not None or span_id:
        held = record_content(
            facts,
            attributes.values,
            event_name=event_name,
            body=body,
            at=at,
            trace_id=trace_id,
            span_id=span_id,
            scope=scope.name,
            service=resource.service,
            session_id=resource.session_id,
        )
        if facts is not None and held is not None:
            facts = held.facts
    score = None
    if is_score(event_name, attributes.values):
        score = read_score(
            attributes.values,
            # As the table holds it, so that a rebuild finds the same score.
            time=min(at, LATEST_PARTITION),
            trace_id=trace_id,
            span_id=int.from_bytes(sent_span_id),
            session_id=resource.session_id,
        )
    row = (
        at,
        sent_trace_id.hex() if any(sent_trace_id) else "",
        sent_span_id.hex() if any(sent_span_id) else "",
        flags & 0xFF,
        text_of(record.severity_text),
        severity if 0 <= severity < 256 else 0,
        body_text,
        attributes.texts,
        event_name,
        observed,
        flags,
        record.dropped_attributes_count,
        body_type,
        attributes.types,
        0 if facts is None else trace_id or unit_of(facts),
        0 if facts is None else facts.span_id,
        record.time_unix_nano,
    )
    return row, facts, held, score
