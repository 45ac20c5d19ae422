"""The cache of traces is bounded by its bytes."""

from __future__ import annotations

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.projections.facts_json import to_json
from otel_sessions.server.projections.recent_traces import RecentTraces


def spans(*ids: int) -> list[SpanFacts]:
    """Some spans of a trace."""
    return [SpanFacts(id_, None, 0, 1, False, "other", "", "") for id_ in ids]


ENTRY = 200 + len(to_json(spans(1, 2)))
"""The bytes that a trace of two spans counts as."""


def test_the_least_recently_touched_is_forgotten_first() -> None:
    """Trimming drops the traces that were used least recently."""
    recent = RecentTraces(size=2 * ENTRY)
    for trace_id in (1, 2, 3):
        recent.add(trace_id, to_json(spans(1, 2)))
    assert recent.get(1) == spans(1, 2)
    recent.trim()
    assert (2, 2 * ENTRY) == (len(recent), recent.size)
    assert recent.get(2) is None
    assert [trace_id in recent for trace_id in (1, 2, 3)] == [True, False, True]


def test_facts_are_added() -> None:
    """The cache returns all facts of a trace in the order in which they were added."""
    recent = RecentTraces()
    recent.add(1, to_json(spans(1)))
    recent.add(1, to_json(spans(2, 1)))
    assert recent.get(1) == spans(1, 2, 1)
    recent.forget(1)
    assert recent.get(1) is None
    assert recent.size == 0


def test_one_trace_over_the_bound_is_kept() -> None:
    """A single trace larger than the bound stays in the cache, since it would otherwise be read from the store for each request."""
    recent = RecentTraces(size=1)
    recent.add(1, to_json(spans(1)))
    recent.trim()
    assert recent.get(1) is not None
    recent.forget(1)
    recent.forget(1)
    assert (0, 0) == (len(recent), recent.size)
    recent.add(2, to_json(spans(1)))
    recent.clear()
    assert (0, 0) == (len(recent), recent.size)
