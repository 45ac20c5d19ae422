"""What one or many requests add to a table: rows, and for spans what is counted.

Values are shared between rows where they are equal, such as the attributes of a resource: nothing in a batch is to be
changed but by its own methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from otel_sessions.counting.facts import SpanFacts

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
        rows: each span in RowBinary, its columns in the order of `spans.ROW`.
        timestamps: of each row, nanoseconds UTC.
        trace_ids: the trace id of each span, as an integer.
        facts: what counting needs to know of each span.
    """

    __slots__ = ("facts", "rows", "timestamps", "trace_ids")

    def __init__(self) -> None:
        """Start with no rows."""
        self.rows: list[bytes] = []
        self.timestamps: list[int] = []
        self.trace_ids: list[int] = []
        self.facts: list[SpanFacts] = []

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def add(self, row: bytes, timestamp: int, trace_id: int, facts: SpanFacts) -> None:
        """Add one span."""
        self.rows.append(row)
        self.timestamps.append(timestamp)
        self.trace_ids.append(trace_id)
        self.facts.append(facts)

    def take(self, indices: Sequence[int]) -> SpanBatch:
        """A batch of the rows at these places, in this order."""
        taken = SpanBatch()
        for index in indices:
            taken.add(self.rows[index], self.timestamps[index], self.trace_ids[index], self.facts[index])
        return taken

    def extend(self, other: SpanBatch) -> None:
        """Add the rows of another batch after these."""
        self.rows.extend(other.rows)
        self.timestamps.extend(other.timestamps)
        self.trace_ids.extend(other.trace_ids)
        self.facts.extend(other.facts)


def joined(batches: Sequence[Any]) -> Any:
    """Several batches of one kind as one; they stay as they are."""
    whole = batches[0].take(range(len(batches[0])))
    for batch in batches[1:]:
        whole.extend(batch)
    return whole
