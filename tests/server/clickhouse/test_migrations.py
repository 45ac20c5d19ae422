"""Each migration is applied once, and a schema newer than this version is refused."""

from __future__ import annotations

import pytest
from tests.server.building import columns_of, count, span, write
from tests.server.conftest import drop

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.errors import NewerSchemaError
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.migrations import migrate, migrations, schema_version
from otel_sessions.server.clickhouse.span_rows import trace_hex
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.queries.sessions import list_sessions


def test_steps_are_numbered_without_gaps() -> None:
    """Steps are numbered from 1 on, and each is one statement."""
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))
    assert all(step.name and step.sql and ";\n" not in step.sql for step in migrations())


def test_a_new_database_takes_all_steps_and_an_old_one_none(settings: StoreSettings) -> None:
    """A database remembers which steps were applied to it."""
    for _ in range(2):
        store = Store(settings)
        with store.writing() as client:
            assert schema_version(client) == migrations()[-1].number
            assert client.query("SELECT count() FROM schema_version").result_rows == [(len(migrations()),)]
            assert migrate(client, store.shown, embedded=True) == 0
        store.close()
    store = Store(settings)
    drop(store)
    store.close()


def test_an_interrupted_migration_is_done_again(fresh_store: Store) -> None:
    """Every step can be applied again to a database that has it already."""
    store = fresh_store
    with store.writing() as client:
        client.command("TRUNCATE TABLE schema_version")
        assert migrate(client, store.shown, embedded=True) == len(migrations())


def test_what_others_look_at_is_for_servers(fresh_store: Store) -> None:
    """On a ClickHouse server a view keeps the times of traces for dashboards: of our traces and of traces that a Collector wrote."""
    store = fresh_store
    with store.writing() as client:
        assert client.query("SHOW TABLES LIKE '%_mv'").result_rows == []
        client.command("TRUNCATE TABLE schema_version")
        migrate(client, store.shown, embedded=False)
        client.command("INSERT INTO otel_traces (Timestamp, TraceId, SpanId) VALUES (now(), 'aa', 'bb')")
    write(store, {1: [span(session="s")]})
    with store.reading() as client:
        times = client.query("SELECT DISTINCT TraceId FROM otel_traces_trace_id_ts ORDER BY TraceId").result_rows
    assert times == [(trace_hex(1),), ("aa",)]


def test_a_newer_schema_is_refused(settings: StoreSettings) -> None:
    """A newer schema raises an error with the store, both versions and the next step, and leaves the folder unlocked."""
    store = Store(settings)
    with store.writing() as client:
        client.command("INSERT INTO schema_version (Version, Name) VALUES (999, 'future')")
    store.close()
    for _ in range(2):
        with pytest.raises(NewerSchemaError, match=rf"999.* {migrations()[-1].number};.*upgrade") as raised:
            Store(settings)
        assert settings.shown in str(raised.value)


def test_rows_of_lists_in_an_older_layout_are_written_again(fresh_store: Store) -> None:
    """A table in an older sort order is replaced, and its rows are computed from the trace groups."""
    store = fresh_store
    spans = {1: [span(session="a"), span(2, session="b")], 2: [span(session="b")]}
    write(store, spans)
    version = next(step.number for step in migrations() if step.name == "sessions" and "Born" in step.sql)
    with store.writing() as client:
        client.command(
            "CREATE OR REPLACE TABLE sessions (Key LowCardinality(String), Id String, IdHash UInt128, Version UInt64)"
            " ENGINE = ReplacingMergeTree(Version) ORDER BY (Key, IdHash)"
        )
        client.command("INSERT INTO sessions (Key, Id, IdHash, Version) VALUES ('id', 'a', 1, 1)")
        parameters = {"version": version}
        client.command(
            "ALTER TABLE schema_version DELETE WHERE Version >= {version:UInt32} SETTINGS mutations_sync = 1",
            parameters=parameters,
        )
        assert migrate(client, store.shown, embedded=True) == len(migrations()) - version + 1
    SessionRows(store)
    listed = list_sessions(store, sort="created", descending=False)
    assert {session.id: session.span_count for session in listed.sessions} == {"a": 1, "b": 2}


def test_tables_that_a_collector_made_are_taken_over(fresh_store: Store) -> None:
    """A table that a Collector created keeps its columns and rows; our columns are added and empty."""
    store = fresh_store
    step = next(step for step in migrations() if step.name == "otel_traces")
    with store.writing() as client:
        client.command("DROP TABLE otel_traces SYNC")
        client.command(step.sql)
        client.command("INSERT INTO otel_traces (Timestamp, TraceId, SpanId) VALUES (now(), 'aa', 'bb')")
        client.command("TRUNCATE TABLE schema_version")
        migrate(client, store.shown, embedded=True)
        assert client.query("SELECT TraceId, EndTimeUnixNano, SpanAttributeTypes FROM otel_traces").result_rows == [
            ("aa", 0, {})
        ]
    insert_rows(store, "otel_traces", columns_of([(1, span())]))
    assert count(store, "otel_traces") == 2
