"""Retention drops old data, one whole trace at a time."""

from __future__ import annotations

from itertools import count as count_from

import pytest
from tests.server.building import AT, Traces, count, sessions_of, span, write
from tests.server.dying_store import dying_at
from tests.server.projections.test_delete import insert_logs

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.retention import drop_older as drop_rows_older
from otel_sessions.server.projections.retention import drop_to_size as drop_rows_to_size
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.trace_facts import seen_trace_ids
from otel_sessions.server.queries.sessions import keys, list_sessions

DAY = 86_400 * 10**9
TRACES: Traces = {
    1: [span(session="old", start=AT - 9 * DAY), span(2, session="old", start=AT - 8 * DAY)],
    2: [span(session="both", start=AT - 9 * DAY)],
    3: [span(session="both")],
    4: [span(session="long", start=AT - 9 * DAY), span(2, session="long", start=AT)],
    5: [span(start=AT - 9 * DAY)],
    2**128 - 1: [span(session="old", start=0)],
}


def drop_older(store: Store, before: int, *, version: int) -> int:
    """Drop the traces that ended before a time, nanoseconds UTC, as `Backend` does."""
    rows = SessionRows(store)
    with rows.paused():
        return drop_rows_older(store, rows, before, version=version)


def drop_to_size(store: Store, max_bytes: int, *, version: int) -> int:
    """Drop the oldest traces until the store has this size, as `Backend` does."""
    rows = SessionRows(store)
    with rows.paused():
        return drop_rows_to_size(store, rows, max_bytes, next_version=count_from(version).__next__)


def stored_bytes(store: Store) -> int:
    """The bytes on disk of spans, logs and everything derived from them."""
    tables = ("otel_traces", "otel_traces_trace_id_ts", "otel_logs", "trace_facts", "session_traces", "sessions")
    sql = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}"
    with store.reading() as client:
        return int(client.query(sql, parameters={"tables": list(tables)}).result_rows[0][0])


def test_traces_that_ended_before_are_dropped(server_store: Store) -> None:
    """Traces that ended before the time are dropped, also from a session that continues and without a session; a trace that continues is kept whole."""
    store = server_store
    write(store, TRACES)
    insert_logs(store, (1, 1))
    assert drop_older(store, AT - 10 * DAY, version=2) == 1
    assert drop_older(store, AT - DAY, version=2) == 3
    left = {trace_id: spans for trace_id, spans in TRACES.items() if trace_id in (3, 4)}
    assert list_sessions(store, sort="name").sessions == sessions_of(left)
    assert keys(store)[0].sessions == 2
    assert list(seen_trace_ids(store)) == [3, 4]
    assert (count(store, "otel_traces"), count(store, "otel_logs"), count(store, "deletion_queue")) == (3, 1, 0)
    assert count(store, "otel_traces_trace_id_ts") == 2
    assert drop_older(store, AT - DAY, version=2) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO deletion_queue",
        "ALTER TABLE otel_traces",
        "ALTER TABLE session_traces",
        "ALTER TABLE trace_facts",
        "INSERT INTO sessions",
        "DELETE FROM sessions",
        "DELETE FROM deletion_queue",
    ],
)
def test_what_was_cut_short_is_done_again(store: Store, statement: str) -> None:
    """When a statement fails, the same process drops the rest the next time, and lists follow."""
    write(store, TRACES)
    dying = dying_at(store, rf"{statement}\b")
    rows = SessionRows(dying)
    with pytest.raises(KeyboardInterrupt), rows.paused():
        drop_rows_older(dying, rows, AT - DAY, version=2)
    with rows.paused():
        drop_rows_older(dying, rows, AT - DAY, version=3)
    left = {trace_id: spans for trace_id, spans in TRACES.items() if trace_id in (3, 4)}
    assert list_sessions(store, sort="name").sessions == sessions_of(left)
    assert (keys(store)[0].sessions, count(store, "otel_traces"), count(store, "trace_facts")) == (2, 3, 2)


def test_a_moment_out_of_range(store: Store) -> None:
    """A time before all traces drops nothing, and a time after all of them drops everything."""
    write(store, TRACES)
    insert_logs(store, (1, 1))
    assert drop_older(store, -(10**30), version=2) == 0
    assert drop_older(store, 10**30, version=2) == len(TRACES)
    assert (count(store, "otel_traces"), count(store, "otel_logs"), count(store, "session_traces")) == (0, 0, 0)


def test_what_is_later_than_a_row_can_say(store: Store) -> None:
    """A trace that starts later than the sort key can hold is dropped once its own time is old enough."""
    write(store, {1: [span(session="s", start=2**63)], 2: [span(session="s", start=2**63 - 1)]})
    assert drop_older(store, 2**63, version=2) == 0
    assert drop_older(store, 2**63 + 10 * DAY, version=2) == 2
    assert count(store, "otel_traces") == 0


MANY: Traces = {
    number: [span(i, session=f"s{number % 7}", start=AT + number * DAY // 1_440) for i in range(1, 9)]
    for number in range(1, 1_200)
}


def test_the_oldest_are_dropped_until_the_store_is_small_enough(store: Store) -> None:
    """The oldest traces are dropped until the store is within the bound, and no more; a store within the bound loses nothing."""
    assert stored_bytes(store) == 0
    write(store, MANY)
    full = stored_bytes(store)
    assert drop_to_size(store, full, version=2) == 0
    dropped = drop_to_size(store, full // 2, version=2)
    assert len(MANY) // 3 < dropped < len(MANY) * 4 // 5
    assert full // 4 < stored_bytes(store) <= full // 2
    left = {number: spans for number, spans in MANY.items() if number > dropped}
    assert list_sessions(store, sort="name").sessions == sessions_of(left)
    assert count(store, "otel_traces") == len(left) * 8
    assert drop_to_size(store, full // 2, version=2) == 0
    assert drop_to_size(store, 0, version=2) == len(left)
    assert (count(store, "otel_traces"), list_sessions(store).total) == (0, 0)


def test_logs_count_too(store: Store) -> None:
    """Log records count towards the size, and are dropped by their time even if their trace is not stored."""
    insert_logs(store, *((number, 1) for number in range(1, 2_000)))
    assert drop_to_size(store, stored_bytes(store) - 1, version=2) == 0
    assert count(store, "otel_logs") == 0


def test_what_cannot_be_dropped(store: Store) -> None:
    """Spans without facts and trace groups cannot be found, so they stay, and dropping ends without them."""
    write(store, {1: [span(session="s")]})
    with store.writing() as client:
        client.command("TRUNCATE TABLE trace_facts")
        client.command("TRUNCATE TABLE session_traces")
    assert drop_to_size(store, 1, version=2) == 0
    assert count(store, "otel_traces") == 1
