"""A row that is made in memory is the one that the engine makes of the same trace groups."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from tests.server.building import Traces, groups_of, traces
from tests.server.conftest import MANY_EXAMPLES, Emptied

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, SESSIONS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.projections.session_row import session_row
from otel_sessions.server.projections.sessions import write_rows
from otel_sessions.server.projections.trace_groups import insert_groups


@given(some=traces)
@settings(max_examples=30, deadline=None, suppress_health_check=MANY_EXAMPLES)
def test_the_same_row(emptied: Emptied, some: Traces) -> None:
    """In every column."""
    store = emptied()
    by_session: dict[tuple[str, str], list[Any]] = {}
    for group in groups_of(some):
        by_session.setdefault((group.key, group.value), []).append(group)
    insert_groups(store, groups_of(some), version=5)
    write_rows(store, dict.fromkeys(by_session, 5), (), 5)
    expected = rows(store)
    with store.writing() as client:
        client.command("TRUNCATE TABLE sessions")
    written = [session_row(session, groups, version=5, born=5) for session, groups in by_session.items()]
    insert_written(store, SESSIONS, list(COLUMNS[SESSIONS]), written)
    assert rows(store) == expected
    assert len(expected) == len(by_session)


def rows(store: Store) -> list[Any]:
    """All rows, all columns."""
    with store.reading() as client:
        return list(client.query("SELECT * FROM sessions ORDER BY Key, Id").result_rows)
