"""The cache of traces is bounded by their spans."""

from __future__ import annotations

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.ingest.recent import RecentTraces, Trace


def trace(spans: int) -> Trace:
    """A trace with so many spans."""
    return Trace({id_: SpanFacts(id_, None, 0, 1, False, "other", "", "") for id_ in range(1, spans + 1)})


def test_the_least_recently_touched_is_forgotten_first() -> None:
    """Trimming keeps what was asked for last."""
    recent = RecentTraces(spans=4)
    for trace_id in (1, 2, 3):
        recent.put(trace_id, trace(2))
    assert recent.get(1) is not None
    recent.trim()
    assert (2, 4) == (len(recent), recent.span_count)
    assert recent.get(2) is None


def test_one_trace_over_the_bound_is_kept() -> None:
    """A giant trace is looked up in vain again and again otherwise."""
    recent = RecentTraces(spans=4)
    recent.put(1, trace(9))
    recent.trim()
    assert recent.get(1) is not None
    recent.forget(1)
    recent.forget(1)
    assert (0, 0) == (len(recent), recent.span_count)
