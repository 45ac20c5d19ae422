"""A rebuild from the stored spans gives the same numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from tests.server.building import AT, SECOND, Traces, count, read_span, sessions_of, span, traces, write
from tests.server.conftest import MANY_EXAMPLES, Emptied
from tests.server.dying_store import dying_at
from tests.server.otlp.decoding import decode_logs

from otel_sessions.counting.facts import Labels
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.ingest.commit_target import ClickHouseTarget
from otel_sessions.server.projections.rebuild import rebuild
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.stored_span import ReadSpan
from otel_sessions.server.projections.trace_facts import facts_of
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.sessions import get_session, list_sessions


@given(some=traces)
@settings(max_examples=15, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_the_same_numbers(emptied: Emptied, some: Traces) -> None:
    """A rebuild restores all numbers and facts from the stored spans alone."""
    store = emptied()
    write(store, some, version=7)
    with store.writing() as client:
        client.command("TRUNCATE TABLE trace_facts")
        client.command("TRUNCATE TABLE session_traces")
    assert rebuild(store, read_span=read_span) == len(some)
    expected = {one.id: repr(one) for one in sessions_of(some)}
    assert {one.id: repr(one) for one in list_sessions(store).sessions} == expected
    found = facts_of(store, some)
    assert {trace_id: sorted(map(repr, spans)) for trace_id, spans in found.items()} == {
        trace_id: sorted(map(repr, spans)) for trace_id, spans in some.items()
    }


def test_in_bounded_memory_with_progress(store: Store) -> None:
    """A rebuild reads at most `batch` spans at once and reports its progress; a trace whose spans are in several batches stays one trace."""
    some: Traces = {
        i: [span(j, session=f"s{i % 3}", name=f"n{j}", start=AT + j * SECOND) for j in range(1, 6)] for i in range(1, 9)
    }
    write(store, some)
    seen: list[tuple[str, int, int]] = []
    assert rebuild(store, read_span=read_span, batch=4, progress=lambda *step: seen.append(step)) == 8
    assert seen == [("spans", done, 40) for done in range(4, 41, 4)] + [
        ("traces", 4, 8),
        ("traces", 8, 8),
    ]
    assert list_sessions(store, sort="name").sessions == sessions_of(some)


def test_a_rebuild_that_broke_off(fresh_store: Store) -> None:
    """A rebuild that is interrupted changes nothing, and the next one starts from the beginning."""
    store = fresh_store
    write(store, {1: [span(session="s")], 2: [span(session="s")]})
    before = get_session(store, "s")
    seen: list[str] = []

    def breaking(row: Row) -> ReadSpan:
        seen.append(row["TraceId"])
        if len(seen) == 2:
            raise KeyboardInterrupt
        return read_span(row)

    with pytest.raises(KeyboardInterrupt):
        rebuild(store, read_span=breaking)
    assert get_session(store, "s") == before
    assert rebuild(store, read_span=read_span) == 2
    assert get_session(store, "s") == before


def test_a_rebuild_that_died_before_the_rows_of_lists(fresh_store: Store) -> None:
    """After a rebuild that died between trace groups and rows, the next process writes the rows from the new trace groups."""
    store = fresh_store
    write(store, {1: [span(session="s")]})
    with pytest.raises(KeyboardInterrupt):
        rebuild(dying_at(store, r"INSERT INTO sessions\b"), read_span=renamed)
    SessionRows(store)
    assert list_sessions(store, SessionFilters(name="new")).total == 1


def renamed(row: Row) -> ReadSpan:
    """The span of a row, with another session name than it was first stored with."""
    facts, content = read_span(row)
    return ReadSpan(facts._replace(labels=Labels(name="new")), content)


def test_of_nothing(store: Store) -> None:
    """A rebuild of an empty store reads no traces and writes no rows."""
    assert rebuild(store, read_span=read_span) == 0
    assert count(store, "session_traces") == 0


def test_records_that_are_not_counted(store: Store) -> None:
    """A rebuild reads log records that tell of nothing, in batches of their own, and leaves them as they are."""
    target = ClickHouseTarget(store)
    target.insert_logs(decode_logs(b"\x0a\x08\x12\x06\x12\x00\x12\x00\x12\x00")[0], 5, [1, 2, 3], None)
    seen: list[tuple[str, int, int]] = []
    assert rebuild(store, batch=2, progress=lambda *step: seen.append(step)) == 0
    assert seen == [("log records", 2, 3), ("log records", 3, 3)]
    with store.reading() as client:
        assert client.query("SELECT count(), max(CountedIn) FROM otel_logs").result_rows == [(3, 0)]
