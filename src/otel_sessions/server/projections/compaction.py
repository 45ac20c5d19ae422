"""`compact`: the parts of `sessions` merged into one, so that lists are fastest."""

from __future__ import annotations

from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.statements import statement

FEW_PARTS: Final = 4
"""With so many, lists are about as fast as with one."""


def compact(store: Store, *, parts: int = FEW_PARTS) -> bool:
    """Merge all versions of all rows if they are in more than so many parts; whether they were.

    Writes the whole table anew: for when nothing else is to be done. Inserts and queries may go on meanwhile.
    """
    with store.reading() as client:
        if int(client.query(statement("count_parts")).result_rows[0][0]) <= parts:
            return False
        client.command(statement("compact"))
    return True
