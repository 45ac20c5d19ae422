"""Facts are stored by trace and read back exactly."""

from __future__ import annotations

from tests.server.building import count, span

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.trace_facts import facts_of, insert_facts, seen_trace_ids


def test_facts_of_many_traces(store: Store) -> None:
    """Facts of many traces are read by several queries; repeated facts stay, and unknown traces are missing."""
    trace_ids = [1, 2**64, 2**64 + 1, 2**128 - 1, 7]
    insert_facts(store, {trace_id: [span(1)] for trace_id in trace_ids}, 1)
    insert_facts(store, {7: [span(1), span(2)], 1: [span(3)]}, 2)
    found = facts_of(store, [*trace_ids, 99], at_once=3)
    assert set(found) == set(trace_ids)
    assert sorted(one.span_id for one in found[7]) == [1, 1, 2]
    assert sorted(one.span_id for one in found[1]) == [1, 3]
    assert facts_of(store, []) == {}


def test_no_facts(store: Store) -> None:
    """An insert without facts succeeds and adds no rows."""
    insert_facts(store, {}, 1)
    assert count(store, "trace_facts") == 0


def test_seen_trace_ids(store: Store) -> None:
    """The store returns the lower half of each trace id once, sorted."""
    assert list(seen_trace_ids(store)) == []
    insert_facts(store, {trace_id: [span(1)] for trace_id in (2**127 + 9, 9, 2**64 - 1, 3)}, 1)
    assert list(seen_trace_ids(store)) == [3, 9, 2**64 - 1]
