"""What is old is dropped, whole traces at a time."""

from __future__ import annotations

from tests.server.store.building import AT, Traces, count, sessions_of, span, write
from tests.server.store.test_delete import insert_logs

from otel_sessions.server.store.client import Store
from otel_sessions.server.store.retention import drop_older
from otel_sessions.server.store.sessions import keys, list_sessions
from otel_sessions.server.store.trace_facts import known_traces

DAY = 86_400 * 10**9
TRACES: Traces = {
    1: [span(session="old", start=AT - 9 * DAY), span(2, session="old", start=AT - 8 * DAY)],
    2: [span(session="both", start=AT - 9 * DAY)],
    3: [span(session="both")],
    4: [span(session="long", start=AT - 9 * DAY), span(2, session="long", start=AT)],
    5: [span(start=AT - 9 * DAY)],
    2**128 - 1: [span(session="old", start=0)],
}


def test_traces_that_ended_before_are_dropped(store: Store) -> None:
    """Of a session that goes on, the old traces; of a trace that goes on, nothing; spans without a session too."""
    write(store, TRACES)
    insert_logs(store, (1, 1))
    assert drop_older(store, AT - 10 * DAY) == 1
    assert drop_older(store, AT - DAY) == 3
    left = {trace_id: spans for trace_id, spans in TRACES.items() if trace_id in (3, 4)}
    assert list_sessions(store, sort="name").sessions == sessions_of(left)
    assert keys(store)[0].sessions == 2
    assert list(known_traces(store)) == [3, 4]
    assert (count(store, "otel_traces"), count(store, "otel_logs"), count(store, "doomed_spans")) == (3, 1, 0)
    assert drop_older(store, AT - DAY) == 0


def test_a_moment_out_of_range(store: Store) -> None:
    """Before all time nothing is old, after it everything is."""
    write(store, TRACES)
    insert_logs(store, (1, 1))
    assert drop_older(store, -(10**30)) == 0
    assert drop_older(store, 10**30) == len(TRACES)
    assert (count(store, "otel_traces"), count(store, "otel_logs"), count(store, "session_traces")) == (0, 0, 0)
