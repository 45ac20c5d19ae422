"""The rows that one or many requests add to a table, and for spans the facts that counting needs.

Values are shared between rows where they are equal, such as the attributes of a resource: only the methods of a batch may
change what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from otel_sessions.content.content import Content
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.score import Score
from otel_sessions.server.clickhouse.columns import COLUMNS, LOGS
from otel_sessions.server.otlp.contents import HeldContent

_T = TypeVar("_T")

_KNOWN_LATER: Final = frozenset({"Segment", "SegmentRow", "ContentRemoved"})
"""Columns of `otel_logs` that are known only when a request is committed, or its records change."""

NOTHING_COUNTED: Final[Mapping[int, SpanFacts]] = MappingProxyType({})
NOTHING_SAID: Final[Mapping[int, HeldContent]] = MappingProxyType({})

LOG_COLUMNS: Final = tuple(name for name in COLUMNS[LOGS] if name not in _KNOWN_LATER)
"""Columns of `otel_logs` that are known from a request, in the order of the table."""

SENT_LOG_COLUMNS: Final = tuple(name for name in LOG_COLUMNS if name not in {"CountedIn", "CountedAs"})
"""Those that hold what was sent, nothing that was made of it."""


class LogBatch:
    """Rows of `otel_logs`, and the facts of those records that tell of model calls and their sessions.

    Attributes:
        columns: column name to one value a log record, in the order of the table.
        counted: by place of a record, its facts.
        contents: by place of a record, what it holds of a conversation.
        scores: the scores that records give; not those of a part of the rows.
    """

    __slots__ = ("columns", "contents", "counted", "scores")

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in LOG_COLUMNS}
        self.counted: dict[int, SpanFacts] = {}
        self.scores: list[Score] = []
        self.contents: dict[int, HeldContent] = {}

    @property
    def units(self) -> list[int]:
        """The trace or cell of each of `facts`."""
        return [self.columns["CountedIn"][place] for place in self.counted]

    @property
    def facts(self) -> list[SpanFacts]:
        """The facts of the records that have any."""
        return list(self.counted.values())

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.columns["Timestamp"])

    def add(
        self,
        rows: Sequence[tuple[Any, ...]],
        shared: Mapping[str, Any],
        counted: Mapping[int, SpanFacts] = NOTHING_COUNTED,
        contents: Mapping[int, HeldContent] = NOTHING_SAID,
    ) -> None:
        """Add rows.

        Args:
            rows: of each row, the columns that are its own, in the order of the table.
            shared: by name, the other columns, which are the same in all of these rows.
            counted: by place in `rows`, the facts of a record that has any.
            contents: by place in `rows`, what a record holds of a conversation.
        """
        before = len(self)
        self.counted.update({before + place: facts for place, facts in counted.items()})
        self.contents.update({before + place: content for place, content in contents.items()})
        own = [name for name in self.columns if name not in shared]
        for name, values in zip(own, zip(*rows, strict=True), strict=bool(rows)):
            self.columns[name].extend(values)
        for name, value in shared.items():
            self.columns[name].extend([value] * len(rows))

    def take(self, indices: Sequence[int]) -> LogBatch:
        """A batch of the rows at these places, in this order."""
        taken = LogBatch()
        for name, values in self.columns.items():
            taken.columns[name] = [values[index] for index in indices]
        taken.counted = _of_places(self.counted, indices)
        taken.contents = _of_places(self.contents, indices)
        return taken

    def extend(self, other: LogBatch) -> None:
        """Add the rows of another batch after these."""
        before = len(self)
        self.counted.update({before + place: facts for place, facts in other.counted.items()})
        self.scores.extend(other.scores)
        self.contents.update({before + place: content for place, content in other.contents.items()})
        for name, values in other.columns.items():
            self.columns[name].extend(values)


class SpanBatch:
    """Rows of `otel_traces`, and the facts that their traces are rolled up from.

    Attributes:
        rows: each span in RowBinary, its columns in the order of `spans.ROW`.
        timestamps: of each row, nanoseconds UTC.
        trace_ids: the trace id of each span, as an integer.
        facts: the facts of each span, for counting.
        contents: by place of a span, what it holds of a conversation; most spans hold nothing.
        scores: the scores that events of spans give; not those of a part of the spans.
    """

    __slots__ = ("contents", "facts", "rows", "scores", "timestamps", "trace_ids")

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.timestamps: list[int] = []
        self.trace_ids: list[int] = []
        self.facts: list[SpanFacts] = []
        self.scores: list[Score] = []
        self.contents: dict[int, Content] = {}

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def add(self, row: bytes, timestamp: int, trace_id: int, facts: SpanFacts, content: Content | None = None) -> None:
        """Add one span."""
        if content is not None:
            self.contents[len(self.rows)] = content
        self.rows.append(row)
        self.timestamps.append(timestamp)
        self.trace_ids.append(trace_id)
        self.facts.append(facts)

    def take(self, indices: Sequence[int]) -> SpanBatch:
        """A batch of the rows at these places, in this order."""
        taken = SpanBatch()
        for index in indices:
            taken.add(self.rows[index], self.timestamps[index], self.trace_ids[index], self.facts[index])
        taken.contents = _of_places(self.contents, indices)
        return taken

    def extend(self, other: SpanBatch) -> None:
        """Add the rows of another batch after these."""
        before = len(self)
        self.contents.update({before + place: content for place, content in other.contents.items()})
        self.rows.extend(other.rows)
        self.timestamps.extend(other.timestamps)
        self.trace_ids.extend(other.trace_ids)
        self.facts.extend(other.facts)
        self.scores.extend(other.scores)


def _of_places(found: Mapping[int, _T], indices: Sequence[int]) -> dict[int, _T]:
    """What there is at some places, by its place among these."""
    return {place: found[index] for place, index in enumerate(indices) if index in found} if found else {}


def joined(batches: Sequence[Any]) -> Any:
    """One batch of the rows of several batches of one kind, which stay as they are."""
    whole = type(batches[0])()
    for batch in batches:
        whole.extend(batch)
    return whole
