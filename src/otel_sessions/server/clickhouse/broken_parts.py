"""`broken_parts`: what ClickHouse put aside when it started, because it could not read it, for example after a power failure."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import ANNOTATIONS, LOGS, NAMES, PRICES, SCORES, TRACES
from otel_sessions.server.clickhouse.durability import TABLES
from otel_sessions.server.clickhouse.statements import statement

_SENT: Final = (TRACES, LOGS, SCORES, ANNOTATIONS, NAMES, PRICES)
"""What these had is only where it was sent from."""


def broken_parts(store: Store) -> dict[str, int]:
    """By table, how many parts it lost because they are broken; a table that lost none is missing.

    Raises:
        StoreError: the store cannot do it.
    """
    with store.reading() as client:
        rows = client.query(statement("broken_parts"), parameters={"tables": list(TABLES)}).result_rows
    return {table: int(parts) for table, parts in rows}


def put_aside(store: Store) -> int:
    """Count the broken parts no more, after what can be computed from others was computed again; return their number.

    Parts of spans and logs are kept under another name in an embedded store, so that they can be repaired; in a ClickHouse server they
    stay as they are.

    Raises:
        StoreError: the store cannot do it.
        OSError: a part cannot be renamed.
    """
    done = 0
    with store.writing() as client:
        parts = client.query(statement("broken_part_names"), parameters={"tables": list(TABLES)}).result_rows
        for table, name, path in parts:
            if table not in _SENT:
                sql = statement("drop_broken_part", table=table)
                client.command(sql, parameters={"name": name}, settings={"allow_drop_detached": 1})
            elif store.is_embedded:
                folder = Path(path)
                folder.rename(folder.with_name(f"kept_{name}"))
            else:
                continue
            done += 1
    return done


def advice(table: str, parts: int) -> str:
    """What is missing because of a table's broken parts, and what mends it."""
    lost = f"{parts} broken part{'s' if parts > 1 else ''} of {table} cannot be read"
    if table in _SENT:
        return f"{lost}: send their records again, or restore a backup; then stop the server and run `otel-sessions rebuild`"
    return f"{lost}, so numbers may be wrong: stop the server and run `otel-sessions rebuild`"
