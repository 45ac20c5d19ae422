"""`compact_sessions`: merge the parts of `sessions` into one, so that lists are fastest."""

from __future__ import annotations

from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.statements import statement

FEW_PARTS: Final = 4
"""With up to this many parts, lists are about as fast as with one."""


def compact_sessions(store: Store, *, parts: int = FEW_PARTS) -> bool:
    """Merge the table if it is in more than the given number of parts; return True if it was.

    This writes the whole table again: do it when there is nothing else to do. Inserts and queries may go on.
    """
    with store.reading() as client:
        if int(client.query(statement("count_session_parts")).result_rows[0][0]) <= parts:
            return False
        client.command(statement("compact_sessions"))
    return True
