"""`drop_older`: traces that ended before a moment, and logs from before it, gone with their bytes."""

from __future__ import annotations

from typing import Final

from otel_sessions.server.store.client import Store
from otel_sessions.server.store.insert import LATEST_NS
from otel_sessions.server.store.sql import statement

_AT_ONCE: Final = {"mutations_sync": 2}
"""Return when it is done, not when it is planned."""


def drop_older(store: Store, before: int) -> int:
    """Drop the traces that ended before a moment, and logs that are older; the number of traces.

    A trace goes as a whole, so that no number is of a part of it. Like deletion it is for the one that writes, and done
    again after a crash it ends the same: the facts, which say what is old, go last.

    Args:
        store: where from.
        before: nanoseconds UTC.
    """
    parameters = {"before": max(0, min(before, LATEST_NS))}
    with store.writing() as client:
        client.command(statement("spare_all"))
        client.command(statement("doom_old_traces"), parameters=parameters)
        dropped = int(client.query(statement("count_doomed")).result_rows[0][0])
        client.command(statement("drop_old_logs"), parameters=parameters, settings=_AT_ONCE)
        if dropped:
            client.command(statement("drop_old_traces"), parameters=parameters, settings=_AT_ONCE)
            client.command(statement("drop_old_groups"), settings=_AT_ONCE)
            client.command(statement("drop_old_facts"), settings=_AT_ONCE)
            client.command(statement("spare_all"))
    return dropped
