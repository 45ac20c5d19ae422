"""Facts of traces come from memory as far as possible, else from the store."""

from __future__ import annotations

from tests.server.ingest.stores import Memory, span

from otel_sessions.server.ingest.stored_traces import StoredTraces
from otel_sessions.server.projections.facts_json import write_facts
from otel_sessions.server.projections.recent_traces import RecentTraces
from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds


def test_traces_are_read_from_the_store_only_if_it_may_have_them() -> None:
    """A trace that was never seen costs no query."""
    store, known = Memory(), SeenTraceIds()
    store.facts = {1: [span(1), span(1, end=20)], 2: [span(2)]}
    known.add(1)
    traces = StoredTraces(store, known, RecentTraces()).read([1, 2, 3])
    assert traces.keys() == {1}
    assert traces[1].spans == {1: span(1, end=20)}
    assert traces[1].pairs == {("id", "s")}


def test_added_facts_are_read_from_memory() -> None:
    """Added facts follow those that the trace had before, which are cached with them."""
    store, known = Memory(), SeenTraceIds()
    store.facts = {1: [span(1)]}
    known.add(1)
    traces = StoredTraces(store, known, RecentTraces())
    traces.add({1: write_facts(1, [span(2)]), 9: write_facts(9, [span(9)])}, traces.read([1, 9]))
    store.facts.clear()
    assert {trace_id: set(trace.spans) for trace_id, trace in traces.read([1, 9]).items()} == {1: {1, 2}, 9: {9}}


def test_added_traces_are_looked_up_after_they_left_memory() -> None:
    """A trace that was added may be in the store."""
    store, recent = Memory(), RecentTraces()
    traces = StoredTraces(store, SeenTraceIds(), recent)
    traces.add({1: write_facts(1, [span(1)])}, {})
    recent.clear()
    store.facts = {1: [span(1)]}
    assert traces.read([1]).keys() == {1}
