"""Rows that were written to ClickHouse are found there by the next commit."""

from __future__ import annotations

from tests.server.ingest.stores import span
from tests.server.otlp.building import decoded, traces
from tests.server.otlp.decoding import decode_logs

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.ingest.commit_target import ClickHouseTarget, CommitTarget
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.facts_json import write_facts

LOGS = b"\x0a\x08\x12\x06\x12\x00\x12\x00\x12\x00"
"""A request of three empty log records."""


def test_rows_are_found_again(store: Store) -> None:
    """Spans are found by their ids, log records by their numbers; a repeated token adds no row."""
    target: CommitTarget = ClickHouseTarget(store)
    spans, logs = decoded(traces({"span_id": bytes([7] * 8)})), decode_logs(LOGS)[0]
    for _ in range(2):
        target.insert_spans(spans, "spans")
        target.insert_logs(logs, 5, [3, 4, 5], "logs")
    ids = {(spans.trace_ids[0], spans.facts[0].span_id)}
    assert set(target.stored_spans([spans.trace_ids[0], 1])) == ids
    assert set(target.stored_log_rows(5)) == {3, 4, 5}
    with store.reading() as client:
        assert client.query("SELECT count() FROM otel_traces").result_rows == [(1,)]
        assert client.query("SELECT count() FROM otel_logs").result_rows == [(3,)]


def test_facts_and_groups_are_read_back(store: Store) -> None:
    """Facts are read as they were written, and a trace has the sessions of its groups that are not gone."""
    target: CommitTarget = ClickHouseTarget(store)
    target.insert_facts({1: write_facts(1, [span(1)])}, 1)
    target.project([ChangedTrace(1, [span(1)])], 1, None)
    assert target.facts_of([1, 2]) == {1: [span(1)]}
    assert target.pairs_of([1, 2]) == {1: {("id", "s")}}
    target.project([ChangedTrace(1, [], [("id", "s")])], 2, None)
    assert target.pairs_of([1]) == {}
