"""A store in memory that behaves like the real one, and breaks where a test says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.projections.facts_json import WrittenFacts, from_json

Pair = tuple[str, str]


@dataclass
class SpanRows:
    """The rows of some spans; a row is its span's facts."""

    trace_ids: list[int] = field(default_factory=list)
    facts: list[SpanFacts] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.facts)

    def take(self, indices: Sequence[int]) -> SpanRows:
        """Some of the rows."""
        return SpanRows([self.trace_ids[index] for index in indices], [self.facts[index] for index in indices])


@dataclass
class LogRows:
    """Log records; each is a line."""

    lines: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, indices: Sequence[int]) -> LogRows:
        """Some of the rows."""
        return LogRows([self.lines[index] for index in indices])


def concatenate(batches: Sequence[Any]) -> Any:
    """Several batches as one."""
    if isinstance(batches[0], SpanRows):
        return SpanRows(
            [trace_id for batch in batches for trace_id in batch.trace_ids],
            [span for batch in batches for span in batch.facts],
        )
    return LogRows([line for batch in batches for line in batch.lines])


class Memory:
    """Tables as lists; `faults` breaks the n-th insert into one of them, after it was made or before."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.logs: list[str] = []
        self.log_rows: set[tuple[int, int]] = set()
        self.facts: dict[int, list[SpanFacts]] = {}
        self.groups: dict[tuple[int, Pair], tuple[int, TraceGroup | None]] = {}
        self.tokens: set[str] = set()
        self.inserts: Counter[str] = Counter()
        self.faults: dict[tuple[str, int], tuple[bool, Exception]] = {}
        self.refused: set[str] = set()

    def _insert(self, table: str, make: Any) -> None:
        self.inserts[table] += 1
        late, error = self.faults.pop((table, self.inserts[table]), (False, None))
        if error is not None and not late:
            raise error
        make()
        if error is not None:
            raise error

    def _once(self, token: str | None, make: Any) -> None:
        if token is None or token not in self.tokens:
            make()
        if token is not None:
            self.tokens.add(token)

    def insert_spans(self, batch: SpanRows, token: str | None) -> None:
        """Rows of `otel_traces`."""
        if any(span.name in self.refused for span in batch.facts):
            raise ValueError("a span that cannot be stored")
        rows = [(trace_id, span.span_id) for trace_id, span in zip(batch.trace_ids, batch.facts, strict=True)]
        self._insert("spans", lambda: self._once(token, lambda: self.spans.extend(rows)))

    def insert_logs(self, batch: Any, segment: int, rows: Sequence[int], token: str | None) -> None:
        """Rows of `otel_logs`."""
        if not self.refused.isdisjoint(batch.lines):
            raise ValueError("a log record that cannot be stored")

        def make() -> None:
            self.logs.extend(batch.lines)
            self.log_rows.update((segment, row) for row in rows)

        self._insert("logs", lambda: self._once(token, make))

    def stored_log_rows(self, segment: int) -> set[int]:
        """Which log records have rows."""
        return {row for of_segment, row in self.log_rows if of_segment == segment}

    def insert_facts(self, facts: Mapping[int, WrittenFacts], version: int) -> None:
        """Rows of `trace_facts`."""

        def make() -> None:
            for trace_id, (_, _, written) in facts.items():
                self.facts.setdefault(trace_id, []).extend(from_json(written))

        self._insert("facts", make)

    def insert_groups(self, written: Sequence[TraceGroup], gone: Sequence[tuple[int, Pair]], version: int) -> None:
        """Rows of `session_traces`."""
        rows = {(group.trace_id, (group.key, group.value)): (version, group) for group in written}
        self._insert("groups", lambda: self.groups.update({**rows, **dict.fromkeys(gone, (version, None))}))

    def facts_of(self, trace_ids: Collection[int]) -> Mapping[int, list[SpanFacts]]:
        """What was stored of traces."""
        return {trace_id: self.facts[trace_id] for trace_id in trace_ids if trace_id in self.facts}

    def pairs_of(self, trace_ids: Collection[int]) -> Mapping[int, Collection[Pair]]:
        """What groups are written for traces."""
        found: dict[int, set[Pair]] = {}
        for (trace_id, pair), (_, group) in self.groups.items():
            if trace_id in trace_ids and group is not None:
                found.setdefault(trace_id, set()).add(pair)
        return found

    def stored_spans(self, trace_ids: Collection[int]) -> set[tuple[int, int]]:
        """Which spans have rows."""
        return {pair for pair in self.spans if pair[0] in trace_ids}

    def session(self, value: str) -> SessionRollup:
        """What a reader gets."""
        groups = [group for (_, pair), (_, group) in self.groups.items() if pair == ("id", value) and group is not None]
        return fold("id", value, groups)
