"""A deletion removes a session, and the rest is counted as if that session had never been stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count as count_from
from typing import Any

import pytest
from hypothesis import given, settings
from tests.server.building import (
    AT,
    HOSTILE,
    Traces,
    columns_of,
    count,
    empty,
    groups_of,
    insert_groups,
    sessions_of,
    span,
    traces,
    write,
)
from tests.server.conftest import MANY_EXAMPLES, Emptied
from tests.server.dying_store import dying_at

from otel_sessions.counting.facts import Labels, SpanFacts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.compaction import compact_sessions
from otel_sessions.server.projections.delete import Changing, Deleted
from otel_sessions.server.projections.delete import delete_session as delete_rows
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.trace_facts import facts_of, insert_facts, members
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.sessions import get_session, keys, list_sessions
from otel_sessions.server.queries.spans import session_spans

TRACES: Traces = {
    1: [span(1, session="gone", labels=Labels(user_id="me")), span(2, 1), span(3, 1, session="stays"), span(4, 3)],
    2: [span(1, session="gone"), span(2, 1)],
    3: [span(1, session="stays")],
    4: [span(1)],
}


ON_DERIVED_TABLES = [
    f"{verb} {table}"
    for table in ("trace_facts", "session_traces", "sessions", "deletion_queue")
    for verb in ("INSERT INTO", "DELETE FROM")
]
"""How the statements of a deletion begin that change derived tables."""


def insert_logs(store: Store, *ids: tuple[int, int]) -> None:
    """Insert a log record for each (trace id, span id)."""
    columns: dict[str, list[Any]] = {
        name: [AT if name == "Timestamp" else empty(kind)] * len(ids) for name, kind in COLUMNS["otel_logs"].items()
    }
    columns["TraceId"] = [trace_hex(trace_id) for trace_id, _ in ids]
    columns["SpanId"] = [span_hex(span_id) for _, span_id in ids]
    insert_rows(store, "otel_logs", columns)


def delete_session(store: Store, session_id: str, *, version: int, **more: Any) -> Deleted:
    """Delete a session as `Backend` does."""
    return delete_rows(store, rows := SessionRows(store), ("id", session_id), changing=changing(rows, version), **more)


def changing(rows: SessionRows, version: int) -> Changing:
    """Hold up other writers, of which there are none, and number the changes from a version on."""
    versions = count_from(version)

    @contextmanager
    def held(_: Collection[int]) -> Iterator[int]:
        with rows.paused(write_first=False):
            yield next(versions)

    return held


def without(some: Traces, session: tuple[str, str]) -> Traces:
    """The traces without the spans of a session, and without placeholders for these spans."""
    left: dict[int, list[SpanFacts]] = {}
    for trace_id, spans in some.items():
        gone = {one.span_id for one in members(spans, session)}
        if gone:
            gone |= {
                one.span_id
                for one in spans
                if one.kind == "pending" and (session in one.values or one.parent_id in gone)
            }
        left[trace_id] = [one for one in spans if one.span_id not in gone]
    return left


def test_a_session_is_gone_with_all_it_has(server_store: Store) -> None:
    """Deletion removes the spans, logs, facts and trace groups of a session; other sessions keep theirs, also in the same traces."""
    store = server_store
    write(store, TRACES)
    insert_logs(store, (1, 1), (1, 3), (2, 2), (3, 1))
    assert delete_session(store, "gone", version=2) == Deleted(4, 2)
    for _ in range(2):
        assert get_session(store, "gone") is None
        assert session_spans(store, "gone") == ([], 0, 0)
        assert list_sessions(store).sessions == sessions_of(without(TRACES, ("id", "gone")))
        compact_sessions(store, parts=0)
    assert (count(store, "otel_traces"), count(store, "otel_logs"), count(store, "deletion_queue")) == (4, 2, 0)
    assert {trace_id: len(facts) for trace_id, facts in facts_of(store, [1, 2, 3, 4]).items()} == {1: 2, 3: 1, 4: 1}
    with store.reading() as client:
        times = client.query("SELECT DISTINCT TraceId FROM otel_traces_trace_id_ts ORDER BY TraceId").result_rows
    assert times == [(trace_hex(trace_id),) for trace_id in (1, 3, 4)]
    with store.reading() as client:
        assert client.query("SELECT count() FROM trace_facts WHERE position(Facts, 'gone') > 0").result_rows == [(0,)]
        assert client.query("SELECT count() FROM session_traces WHERE Id = 'gone'").result_rows == [(0,)]


def test_again_and_of_nothing(store: Store) -> None:
    """Deleting a session again, or one that never existed, removes nothing."""
    write(store, TRACES)
    delete_session(store, "gone", version=2)
    for session_id in ("gone", "never was"):
        assert delete_session(store, session_id, version=100) == Deleted(0, 0)
    assert get_session(store, "stays") is not None


def test_what_comes_after_is_counted(store: Store) -> None:
    """Spans of a deleted session that arrive after the deletion are stored and counted."""
    write(store, TRACES)
    delete_session(store, "gone", version=2)
    write(store, {2: TRACES[2]}, version=100)
    session = get_session(store, "gone")
    assert session is not None
    assert (session.trace_count, session.span_count) == (1, 2)


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM otel_traces", "DELETE FROM otel_traces_trace_id_ts", "DELETE FROM otel_logs", *ON_DERIVED_TABLES],
)
def test_a_deletion_that_was_cut_short_is_done_again(store: Store, statement: str) -> None:
    """A deletion that died at any statement is completed by the next attempt, with the same result."""
    write(store, TRACES)
    dying = dying_at(store, rf"{statement}\b")
    rows = SessionRows(dying)
    with pytest.raises(KeyboardInterrupt):
        delete_rows(dying, rows, ("id", "gone"), changing=changing(rows, 2))
    delete_session(store, "gone", version=100)
    assert list_sessions(store).sessions == sessions_of(without(TRACES, ("id", "gone")))
    assert (count(store, "otel_traces"), count(store, "deletion_queue")) == (4, 0)
    assert keys(store)[0].sessions == 1


@pytest.mark.parametrize("statement", ["DELETE FROM otel_traces", *ON_DERIVED_TABLES])
def test_after_a_deletion_that_failed_lists_follow_the_trace_groups(store: Store, statement: str) -> None:
    """Whichever statement of a deletion fails, the next list has the sessions that have trace groups, with the numbers of these."""
    write(store, TRACES)
    dying = dying_at(store, rf"{statement}\b")
    rows = SessionRows(dying)
    with pytest.raises(KeyboardInterrupt):
        delete_rows(dying, rows, ("id", "gone"), changing=changing(rows, 2))
    rows.refresh()
    with store.reading() as client:
        shown = client.query("SELECT Key, Id, Traces FROM sessions FINAL ORDER BY Key, Id").result_rows
        grouped = client.query(
            "SELECT Key, Id, count() FROM session_traces FINAL GROUP BY Key, Id ORDER BY Key, Id"
        ).result_rows
    assert shown == grouped
    assert ("id", "stays", 2) in shown


def test_a_large_session_goes_in_parts(store: Store) -> None:
    """A session with more spans and traces than one step may delete is deleted step by step, completely."""
    some: Traces = {i: [span(j, session="gone") for j in range(1, 2 + i % 5)] for i in range(1, 12)}
    write(store, {**some, 99: [span(session="stays")]})
    assert delete_session(store, "gone", version=2, spans_at_once=3, traces_at_once=2).spans == sum(
        map(len, some.values())
    )
    assert [one.id for one in list_sessions(store).sessions] == ["stays"]
    assert count(store, "otel_traces") == 1


def test_commits_go_between_the_parts_of_a_deletion(store: Store) -> None:
    """Other writers are held up for one part at a time, and spans that they add to it meanwhile are deleted or counted like the others."""
    write(store, {i: [span(1, session="gone")] for i in range(1, 6)})
    rows = SessionRows(store)
    hold = changing(rows, 2)
    held: list[list[int]] = []
    added = [span(2, 1), span(3, session="stays")]

    @contextmanager
    def committing(trace_ids: Collection[int]) -> Iterator[int]:
        if 3 in trace_ids:
            insert_rows(store, "otel_traces", columns_of((3, one) for one in added))
            insert_facts(store, {3: added}, 2)
            groups = groups_of({3: [span(1, session="gone"), *added]})
            insert_groups(store, groups, version=2)
            rows.mark_changed(groups, (), 2)
        held.append(sorted(trace_ids))
        with hold(trace_ids) as version:
            yield version

    deleted = delete_rows(store, rows, ("id", "gone"), changing=committing, traces_at_once=2)
    assert (deleted, held) == (Deleted(6, 5), [[], [1, 2], [], [3, 4], [], [5]])
    assert list_sessions(store).sessions == sessions_of({3: [span(3, session="stays")]})
    assert (count(store, "otel_traces"), count(store, "trace_facts"), count(store, "deletion_queue")) == (1, 1, 0)


def test_placeholders_go_too(store: Store) -> None:
    """Deleting a session also removes the placeholders of its spans, and keeps those of other sessions."""
    write(
        store,
        {
            1: [
                span(1, session="gone"),
                span(2, 1, kind="pending"),
                span(3, session="gone", kind="pending"),
                span(4, session="stays", kind="pending"),
            ]
        },
    )
    delete_session(store, "gone", version=2)
    assert [one.span_id for one in facts_of(store, [1])[1]] == [4]
    assert count(store, "otel_traces") == 1


@given(some=traces)
@settings(max_examples=8, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_what_is_left_is_what_was_never_deleted(emptied: Emptied, some: Traces) -> None:
    """After each deletion from random traces, the lists are those of the remaining spans alone."""
    store = emptied()
    write(store, some)
    left = some
    for version, session_id in zip((100, 200, 300), (HOSTILE[0], HOSTILE[2], "s1"), strict=True):
        delete_session(store, session_id, version=version)
        left = without(left, ("id", session_id))
        for key in ("id", "ticket"):
            page = list_sessions(store, SessionFilters(key=key), sort="name")
            expected = {one.id: repr(one) for one in sessions_of(left, key)}
            assert {one.id: repr(one) for one in page.sessions} == expected
    assert count(store, "otel_traces") == sum(map(len, left.values()))
