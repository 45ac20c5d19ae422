"""Parts are merged when there are many."""

from __future__ import annotations

from tests.server.building import groups_of, span, store_groups

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.compaction import compact_sessions
from otel_sessions.server.queries.sessions import list_sessions


def parts_of(store: Store) -> int:
    """The number of parts of the sessions table."""
    sql = "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'sessions'"
    with store.reading() as client:
        return int(client.query(sql).result_rows[0][0])


def test_many_parts_become_one(fresh_store: Store) -> None:
    """Parts of the sessions table are merged only if there are more than the given number; lists stay the same."""
    store = fresh_store
    assert not compact_sessions(store, parts=0)
    with store.writing() as client:
        client.command("SYSTEM STOP MERGES sessions")
    for version in (1, 2, 3):
        store_groups(store, groups_of({version: [span(session="s")]}), version=version)
    before = list_sessions(store)
    assert parts_of(store) == 3
    assert not compact_sessions(store, parts=3)
    with store.writing() as client:
        client.command("SYSTEM START MERGES sessions")
    compact_sessions(store, parts=1)
    assert parts_of(store) == 1
    assert not compact_sessions(store, parts=1)
    assert list_sessions(store) == before
