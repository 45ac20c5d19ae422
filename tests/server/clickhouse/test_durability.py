"""The tables say when their parts are written to the disk."""

from __future__ import annotations

from collections.abc import Collection

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.durability import INSERTS_SYNCED, MERGES_SYNCED, TABLES, apply_durability


def synced(store: Store, of: Collection[str] = TABLES) -> dict[str, set[str]]:
    """By table, which of the settings are on."""
    names = [*MERGES_SYNCED, *INSERTS_SYNCED]
    with store.reading() as client:
        tables = client.query("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()")
    return {
        table: {name for name in names if f"{name} = 1" in engine}
        for table, engine in tables.result_rows
        if table in of
    }


def test_a_merge_is_always_synced_and_an_insert_on_request(fresh_store: Store) -> None:
    """Every table syncs its merges, since a merge deletes what was on the disk; `--sync` adds inserts, and is taken back without it."""
    store = fresh_store
    for sync in (False, True, True, False):
        apply_durability(store, sync=sync)
        expected = {*MERGES_SYNCED, *INSERTS_SYNCED} if sync else {*MERGES_SYNCED}
        assert synced(store) == dict.fromkeys(TABLES, expected)


def test_what_the_owner_of_a_server_set_stays(fresh_store: Store) -> None:
    """On a ClickHouse server, a table that syncs inserts goes on doing so when the server starts without `--sync`."""
    store = fresh_store
    apply_durability(store, sync=True)
    store.is_embedded = False
    apply_durability(store, sync=False)
    assert synced(store) == {key: {*MERGES_SYNCED, *INSERTS_SYNCED} for key in TABLES}


def test_the_version_of_the_schema_is_always_synced(fresh_store: Store) -> None:
    """It is one row, and without it the next start would make tables again."""
    assert synced(fresh_store, ["schema_version"]) == {"schema_version": {*MERGES_SYNCED, *INSERTS_SYNCED}}
