"""`migrate`: the numbered files in `schema/`, one statement each, applied once and in order.

Files named `*.server.sql` serve other programs that use the same ClickHouse server, such as a Collector or dashboards. They
are skipped for an embedded store, which no other program can open at the same time.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from otel_sessions.server.clickhouse.errors import NewerSchemaError
from otel_sessions.server.clickhouse.statements import statement


class Migration(NamedTuple):
    """One step: its number, its name, its statement, and whether it applies to ClickHouse servers only."""

    number: int
    name: str
    sql: str
    for_servers: bool


@cache
def migrations() -> tuple[Migration, ...]:
    """All steps of this version, in order."""
    found = []
    for file in files(__package__).joinpath("schema").iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        sql = file.read_text(encoding="utf-8").strip()
        found.append(Migration(int(number), name.removesuffix(".server"), sql, name.endswith(".server")))
    return tuple(sorted(found))


def schema_version(client: Client) -> int:
    """The number of the last step that was applied to the client's database; 0 for a new database."""
    if not client.query(statement("schema_exists")).result_rows:
        return 0
    return int(client.query(statement("schema_version")).result_rows[0][0])


def migrate(client: Client, store: str, *, embedded: bool) -> int:
    """Apply the steps that the client's database lacks.

    An interrupted migration is repeated from its first step: every step can be applied twice.

    Args:
        client: connected to the database.
        store: how messages name it.
        embedded: the database is in this process.

    Returns:
        The number of steps that were applied.

    Raises:
        NewerSchemaError: a newer version of this program wrote the database.
    """
    steps = migrations()
    known = steps[-1].number
    found = schema_version(client)
    if found > known:
        raise NewerSchemaError(
            f"the store {store} has schema version {found}, this otel-sessions knows versions up to {known}; "
            "upgrade otel-sessions, or choose another store with --store"
        )
    missing = [step for step in steps if step.number > found]
    for step in missing:
        if not (embedded and step.for_servers):
            client.command(step.sql)
    if missing:
        # If a power failure takes this note, the next start applies all steps again, and has to write all rows of sessions.
        client.command(statement("sync_schema_version"))
        rows = [[step.number, step.name] for step in missing]
        client.insert("schema_version", rows, column_names=["Version", "Name"])
    return len(missing)
