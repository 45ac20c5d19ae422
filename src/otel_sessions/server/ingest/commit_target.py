"""`Destination`: the store as the committer wants it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import LOGS, TRACES
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.clickhouse.insert import insert_rows, insert_written
from otel_sessions.server.ingest.committer import UnavailableError
from otel_sessions.server.ingest.stored_rows import stored_log_rows, stored_spans
from otel_sessions.server.otlp.batch import LogBatch, SpanBatch
from otel_sessions.server.otlp.spans import ROW
from otel_sessions.server.projections.changes import GroupChanges
from otel_sessions.server.projections.facts_json import WrittenFacts
from otel_sessions.server.projections.projection import write_groups
from otel_sessions.server.projections.trace_facts import facts_of, insert_written_facts
from otel_sessions.server.projections.trace_groups import pairs_of


class Destination:
    """Writes a committer's changes into a store; tells one that is away from one that refuses."""

    def __init__(self, store: Store) -> None:
        """Write into this store."""
        self._store = store

    def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
        """Add rows to `otel_traces`."""
        with _telling():
            insert_written(self._store, TRACES, ROW, batch.rows, batch.timestamps, token=token)

    def insert_logs(self, batch: LogBatch, segment: int, rows: Sequence[int], token: str | None) -> None:
        """Add rows to `otel_logs`."""
        identity = {"Segment": [segment] * len(rows), "SegmentRow": rows}
        with _telling():
            insert_rows(self._store, LOGS, {**batch.columns, **identity}, token=token)

    def insert_facts(self, facts: Mapping[int, WrittenFacts], version: int) -> None:
        """Add facts of spans, by trace."""
        with _telling():
            insert_written_facts(self._store, facts, version)

    def insert_groups(self, written: Sequence[TraceGroup], gone: Sequence[tuple[int, Pair]], version: int) -> None:
        """Write trace groups, and mark those that are no more."""
        with _telling():
            write_groups(self._store, GroupChanges(list(written), list(gone)), version)

    def facts_of(self, trace_ids: Collection[int]) -> Mapping[int, list[SpanFacts]]:
        """The stored facts of traces."""
        with _telling():
            return facts_of(self._store, trace_ids)

    def pairs_of(self, trace_ids: Collection[int]) -> Mapping[int, Collection[Pair]]:
        """The sessions that traces have written groups in."""
        with _telling():
            return pairs_of(self._store, trace_ids)

    def stored_log_rows(self, segment: int) -> Collection[int]:
        """Which log records of a segment have rows."""
        with _telling():
            return stored_log_rows(self._store, segment)

    def stored_spans(self, trace_ids: Collection[int]) -> Collection[tuple[int, int]]:
        """Which spans of traces have rows."""
        with _telling():
            return stored_spans(self._store, trace_ids)


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except StoreAwayError as error:
        raise UnavailableError(str(error)) from error
