"""`CommitTarget`: the tables as the committer needs them, and `ClickHouseTarget`, which they really are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.score import Score
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import LOGS, TRACES
from otel_sessions.server.clickhouse.insert import insert_rows, insert_written
from otel_sessions.server.clickhouse.probe import write_probe
from otel_sessions.server.ingest.stored_rows import stored_log_rows, stored_spans
from otel_sessions.server.otlp.batch import LogBatch, SpanBatch
from otel_sessions.server.otlp.contents import HeldContent
from otel_sessions.server.otlp.spans import ROW
from otel_sessions.server.projections.changes import NO_CONTEXT, ChangedTrace, Context, GroupChanges
from otel_sessions.server.projections.contents import insert_contents
from otel_sessions.server.projections.facts_json import WrittenFacts
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.scores import has_scores, place_scores
from otel_sessions.server.projections.seen_messages import SeenMessages
from otel_sessions.server.projections.trace_facts import facts_of, insert_written_facts
from otel_sessions.server.projections.trace_groups import pairs_of, traces_near


class CommitTarget(Protocol):
    """The tables that a commit reads and writes.

    Every method raises `StoreAwayError` if the same may work later. An insert with a token that was used before adds
    nothing. Sessions are pairs of key and id.
    """

    def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
        """Add rows to `otel_traces`."""

    def insert_logs(self, batch: LogBatch, segment: int, rows: Sequence[int], token: str | None) -> None:
        """Add rows to `otel_logs`, each with its number among the log records of its segment."""

    def insert_contents(self, held: Sequence[HeldContent]) -> None:
        """Add what spans and log records hold of a conversation; the same may come again."""

    def forget_contents(self) -> None:
        """Take no message for stored any more, after some were deleted."""

    def insert_facts(self, facts: Mapping[int, WrittenFacts], version: int) -> None:
        """Add facts of spans, by trace id; the same facts may come again."""

    def project(
        self, traces: Iterable[ChangedTrace], version: int, pricer: Pricer | None, *, context: Context = NO_CONTEXT
    ) -> GroupChanges:
        """Bring the trace groups in step with the facts of units that changed; `context` are units that are only looked at."""

    def place_scores(
        self, traces: Mapping[int, Collection[SpanFacts]], version: int, new: Collection[Score]
    ) -> frozenset[Pair]:
        """Add scores, each once, and bring those on these traces in step with their facts; return the sessions that changed."""

    def facts_of(self, trace_ids: Collection[int]) -> Mapping[int, list[SpanFacts]]:
        """The stored facts by trace id; a trace without any may be missing."""

    def pairs_of(self, trace_ids: Collection[int]) -> Mapping[int, Collection[Pair]]:
        """The sessions of the written trace groups, by trace id; a trace without any may be missing."""

    def traces_near(self, sessions: Mapping[Pair, tuple[int, int]]) -> Collection[int]:
        """The ids of the traces of sessions that overlap a time; by session, its first and last nanosecond."""

    def stored_log_rows(self, segment: int) -> Collection[int]:
        """The numbers of the log records of a segment that have rows in `otel_logs`."""

    def stored_spans(self, trace_ids: Collection[int]) -> Collection[tuple[int, int]]:
        """The (trace id, span id) of the rows of these traces in `otel_traces`."""

    def probe(self) -> None:
        """Write a row that says nothing; raises `StoreError` if no row can be written now."""


class ClickHouseTarget:
    """The tables of a store.

    Attributes:
        has_scores: the store may have scores on traces or spans; set it to true with the first one that is not added by a commit.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.has_scores = has_scores(store)
        self._seen = SeenMessages()
        self.insert_facts = partial(insert_written_facts, store)
        self.project = partial(project, store)
        self.facts_of = partial(facts_of, store)
        self.pairs_of = partial(pairs_of, store)
        self.traces_near = partial(traces_near, store)
        self.stored_log_rows = partial(stored_log_rows, store)
        self.stored_spans = partial(stored_spans, store)
        self.probe = partial(write_probe, store)

    def insert_spans(self, batch: SpanBatch, token: str | None) -> None:
        """Add rows to `otel_traces`."""
        insert_written(self._store, TRACES, ROW, batch.rows, batch.timestamps, token=token)

    def place_scores(
        self, traces: Mapping[int, Collection[SpanFacts]], version: int, new: Collection[Score]
    ) -> frozenset[Pair]:
        """Add scores, and bring those on these traces in step with their facts."""
        self.has_scores = self.has_scores or bool(new)
        return place_scores(self._store, traces, version, new) if self.has_scores else frozenset()

    def insert_logs(self, batch: LogBatch, segment: int, rows: Sequence[int], token: str | None) -> None:
        """Add rows to `otel_logs`."""
        identity = {"Segment": [segment] * len(rows), "SegmentRow": rows}
        insert_rows(self._store, LOGS, {**batch.columns, **identity}, token=token)

    def insert_contents(self, held: Sequence[HeldContent]) -> None:
        """Add rows to `messages` and `message_chains`."""
        insert_contents(self._store, held, self._seen)

    def forget_contents(self) -> None:
        """Take no message for stored any more, after some were deleted; call it while nothing else writes."""
        self._seen.clear()
