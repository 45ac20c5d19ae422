"""The set of known traces may say yes too often, never no wrongly."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.projections import seen_trace_ids
from otel_sessions.server.projections.seen_trace_ids import MASK, KnownIds

trace_ids = st.integers(0, (1 << 128) - 1)


@given(stored=st.sets(trace_ids), added=st.sets(trace_ids), asked=trace_ids)
def test_what_was_stored_or_added_is_known(stored: set[int], added: set[int], asked: int) -> None:
    """A no is always right, whichever way the trace became known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen_trace_ids, "_LAYER", 3)
        traces = KnownIds(array("Q", sorted({trace_id & MASK for trace_id in stored})))
        for trace_id in added:
            traces.add(trace_id)
    assert all(trace_id in traces for trace_id in stored | added)
    assert (asked & MASK in {trace_id & MASK for trace_id in stored | added}) == (asked in traces)


def test_an_empty_store_knows_nothing() -> None:
    """It starts without a layer."""
    traces = KnownIds()
    assert 0 == len(traces)
    assert 1 not in traces
    traces.add(1)
    assert 1 == len(traces)
