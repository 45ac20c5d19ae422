"""`read_log_row`: the facts and messages of a log record from its row in `otel_logs`, equal to those that were read from its request."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.record_reading import record_facts
from otel_sessions.counting.units import unit_of
from otel_sessions.resource import read_resource
from otel_sessions.server.otlp.contents import HeldContent, record_content
from otel_sessions.server.otlp.values import attributes_from_text, from_text
from otel_sessions.server.projections.stored_span import resource_of

_ID_DIGITS: Final = 32

LOG_FACT_COLUMNS: Final = ", ".join(
    (
        *("toUInt64(toUnixTimestamp64Nano(Timestamp)) AS Time", "ObservedTimestamp", "TraceId", "SpanId"),
        *("Body", "BodyType", "ScopeName", "EventName", "LogAttributes", "LogAttributeTypes"),
        *("ResourceAttributes", "ResourceAttributeTypes", "ContentRemoved"),
    )
)
"""The columns that `read_log_row` reads, beside `CountedAs`."""


class CountedRecord(NamedTuple):
    """The facts of a log record, and the trace or cell that it is counted in."""

    unit: int
    facts: SpanFacts


class ReadRecord(NamedTuple):
    """What a log record tells.

    Attributes:
        counted: its facts; `None` if it tells of nothing that is counted.
        held: its messages; `None` without any.
    """

    counted: CountedRecord | None
    held: HeldContent | None


def read_log_row(row: dict[str, Any]) -> ReadRecord:
    """The facts and the messages of a log record."""
    resource = read_resource(resource_of(row["ResourceAttributes"], row["ResourceAttributeTypes"]))
    values = attributes_from_text(row["LogAttributes"].items(), row["LogAttributeTypes"])
    trace_id = int(row["TraceId"], 16) if len(row["TraceId"]) == _ID_DIGITS else 0
    attributes = {name: value for name, value in values.items() if value is not None}
    body = from_text(row["Body"], row["BodyType"])
    span_id = int(row["SpanId"] or "0", 16) if trace_id else 0
    facts = record_facts(
        attributes,
        event_name=row["EventName"],
        body=body,
        time=row["Time"],
        observed=row["ObservedTimestamp"],
        trace_id=trace_id,
        span_id=span_id,
        scope=row["ScopeName"],
        service=resource.service,
        environment=resource.environment,
        session_id=resource.session_id,
    )
    if facts is not None and row["ContentRemoved"]:
        facts = facts._replace(span_id=row["CountedAs"])
    held = record_content(
        facts,
        attributes,
        event_name=row["EventName"],
        body=body,
        at=row["Time"],
        trace_id=trace_id,
        span_id=span_id,
        scope=row["ScopeName"],
        service=resource.service,
        session_id=resource.session_id,
    )
    if facts is not None and held is not None:
        facts = held.facts
    return ReadRecord(None if facts is None else CountedRecord(trace_id or unit_of(facts), facts), held)
