"""`apply_durability`: when the parts of the tables are on the disk, as settings of the tables.

ClickHouse leaves it to the operating system when a new part reaches the disk. A merge replaces parts by a new one and deletes them; if
the machine dies before the new one is on the disk, rows are lost that had been on it for weeks. So a merge, and a mutation, always
writes its part to the disk first. With `sync`, an insert does so as well before it returns: a segment of the write-ahead log, which is
deleted after its inserts, is then never the only copy on the disk.
"""

from __future__ import annotations

from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import (
    ANNOTATIONS,
    CHAINS,
    DELETIONS,
    FACTS,
    GROUPS,
    LOGS,
    MESSAGES,
    NAMES,
    PRICES,
    SCORES,
    SESSION_SCORES,
    SESSIONS,
    TIMES,
    TRACES,
)
from otel_sessions.server.clickhouse.statements import statement

TABLES: Final = (
    *(TRACES, TIMES, LOGS, FACTS, CHAINS, MESSAGES, GROUPS, SESSIONS, DELETIONS),
    *(SCORES, SESSION_SCORES, ANNOTATIONS, NAMES, PRICES),
)

MERGES_SYNCED: Final = {"min_rows_to_fsync_after_merge": 1}
INSERTS_SYNCED: Final = {"fsync_after_insert": 1, "fsync_part_directory": 1}


def apply_durability(store: Store, *, sync: bool) -> None:
    """Set when the parts of the tables are written to the disk.

    In a database of a ClickHouse server, which its owner may have set up so, nothing is ever set to be less durable.

    Args:
        store: where the tables are.
        sync: an insert returns when its rows are on the disk.

    Raises:
        StoreError: the store cannot do it.
    """
    wanted = {**MERGES_SYNCED, **(INSERTS_SYNCED if sync else {})}
    unwanted = {} if sync or not store.is_embedded else INSERTS_SYNCED
    with store.writing() as client:
        tables = client.query(statement("table_engines"), parameters={"tables": list(TABLES)}).result_rows
        for table, engine in tables:
            missing = [_written(setting) for setting in wanted.items() if _written(setting) not in engine]
            if missing:
                client.command(statement("modify_settings", table=table, settings=", ".join(missing)))
            left = [setting[0] for setting in unwanted.items() if _written(setting) in engine]
            if left:
                client.command(statement("reset_settings", table=table, names=", ".join(left)))


def _written(setting: tuple[str, int]) -> str:
    """A setting as ClickHouse writes it in the definition of a table."""
    name, value = setting
    return f"{name} = {value}"
