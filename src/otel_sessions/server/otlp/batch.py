"""What one or many requests add to a table: columns, and for spans what is counted.

Values are shared between rows where they are equal, such as the attributes of a resource: nothing in a batch is to be
changed but by its own methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from otel_sessions.counting.facts import SpanFacts

SPAN_COLUMNS: Final = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "TraceState",
    "SpanName",
    "SpanKind",
    "ServiceName",
    "ResourceAttributes",
    "ScopeName",
    "ScopeVersion",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
    "Events.Timestamp",
    "Events.Name",
    "Events.Attributes",
    "Links.TraceId",
    "Links.SpanId",
    "Links.TraceState",
    "Links.Attributes",
    "EndTimeUnixNano",
    "StartTimeUnixNano",
    "Flags",
    "DroppedAttributesCount",
    "DroppedEventsCount",
    "DroppedLinksCount",
    "ResourceSchemaUrl",
    "ScopeSchemaUrl",
    "ScopeAttributes",
    "ResourceDroppedAttributesCount",
    "ScopeDroppedAttributesCount",
    "Extras",
    "SpanAttributeTypes",
    "ResourceAttributeTypes",
    "ScopeAttributeTypes",
    "EventAttributeTypes",
    "LinkAttributeTypes",
)
"""Columns of `otel_traces`: those of the Collector's exporter, then ours."""

LOG_COLUMNS: Final = (
    "Timestamp",
    "TraceId",
    "SpanId",
    "TraceFlags",
    "SeverityText",
    "SeverityNumber",
    "ServiceName",
    "Body",
    "ResourceSchemaUrl",
    "ResourceAttributes",
    "ScopeSchemaUrl",
    "ScopeName",
    "ScopeVersion",
    "ScopeAttributes",
    "LogAttributes",
    "EventName",
    "ObservedTimestamp",
    "Flags",
    "DroppedAttributesCount",
    "BodyType",
    "LogAttributeTypes",
    "ResourceAttributeTypes",
    "ScopeAttributeTypes",
)
"""Columns of `otel_logs`: those of the Collector's exporter, then ours."""


class LogBatch:
    """Rows of `otel_logs`.

    Attributes:
        columns: column name to one value a log record, in the order of the table.
    """

    __slots__ = ("columns",)

    def __init__(self) -> None:
        """Start with no rows."""
        self.columns: dict[str, list[Any]] = {name: [] for name in LOG_COLUMNS}

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.columns["Timestamp"])

    def take(self, indices: Sequence[int]) -> LogBatch:
        """A batch of the rows at these places, in this order."""
        taken = LogBatch()
        for name, values in self.columns.items():
            taken.columns[name] = [values[index] for index in indices]
        return taken

    def extend(self, other: LogBatch) -> None:
        """Add the rows of another batch after these."""
        for name, values in other.columns.items():
            self.columns[name].extend(values)


class SpanBatch:
    """Rows of `otel_traces`, and the facts that their traces are rolled up from.

    Attributes:
        columns: column name to one value a span, in the order of the table; ids are lower-case hex, times integers.
        trace_ids: the trace id of each span, as an integer.
        facts: what counting needs to know of each span.
    """

    __slots__ = ("columns", "facts", "trace_ids")

    def __init__(self) -> None:
        """Start with no rows."""
        self.columns: dict[str, list[Any]] = {name: [] for name in SPAN_COLUMNS}
        self.trace_ids: list[int] = []
        self.facts: list[SpanFacts] = []

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.facts)

    def take(self, indices: Sequence[int]) -> SpanBatch:
        """A batch of the rows at these places, in this order."""
        taken = SpanBatch()
        for name, values in self.columns.items():
            taken.columns[name] = [values[index] for index in indices]
        taken.trace_ids = [self.trace_ids[index] for index in indices]
        taken.facts = [self.facts[index] for index in indices]
        return taken

    def extend(self, other: SpanBatch) -> None:
        """Add the rows of another batch after these."""
        for name, values in other.columns.items():
            self.columns[name].extend(values)
        self.trace_ids.extend(other.trace_ids)
        self.facts.extend(other.facts)
