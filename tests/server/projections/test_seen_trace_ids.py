"""The set of seen trace ids can report an id that it never got, and never misses one that it got."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.projections.seen_trace_ids import SeenTraceIds

LOWER_HALF = (1 << 64) - 1
trace_ids = st.integers(0, (1 << 128) - 1)


@given(stored=st.sets(trace_ids), added=st.sets(trace_ids), asked=trace_ids)
def test_what_was_stored_or_added_is_in_it(stored: set[int], added: set[int], asked: int) -> None:
    """Every stored or added id is in the set, and an id is reported if its lower half is that of such an id."""
    traces = SeenTraceIds(array("Q", sorted({trace_id & LOWER_HALF for trace_id in stored})), run_length=3)
    for trace_id in added:
        traces.add(trace_id)
    assert all(trace_id in traces for trace_id in stored | added)
    assert (asked & LOWER_HALF in {trace_id & LOWER_HALF for trace_id in stored | added}) == (asked in traces)


def test_an_empty_set_has_no_id() -> None:
    """An empty set has no id, and has an id once it is added."""
    traces = SeenTraceIds()
    assert 1 not in traces
    traces.add(1)
    assert 1 in traces
