"""What is old is dropped, traces as a whole: by age, or until the store is small enough.

Like deletion it is for the one that writes, with all commits held up, as `Backend` does it. Done again after a crash it
ends the same: the facts, which say what is old, go last. So no number is ever of a part of a trace, nor counts for long a
trace whose spans are gone.
"""

from __future__ import annotations

from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import FACTS, GROUPS, LOGS, SESSIONS, TIMES, TRACES
from otel_sessions.server.clickhouse.times import LATEST_PARTITION
from otel_sessions.server.projections.sessions import write_old_rows
from otel_sessions.server.projections.statements import statement

_AT_ONCE: Final = {"mutations_sync": 2}
"""Return when it is done, not when it is planned."""

_TABLES: Final = [TRACES, TIMES, LOGS, FACTS, GROUPS, SESSIONS]

ROOM: Final = 0.1
"""What is dropped beyond a bound on the size, as a share of the bound, so that it is not reached again at once."""

_MOST_ROUNDS: Final = 12


def drop_older(store: Store, before: int, *, version: int) -> int:
    """Drop the traces that ended before a moment, and logs that are older; the number of traces.

    Args:
        store: where from.
        before: nanoseconds UTC.
        version: greater than that of all trace groups there are.
    """
    # What is later than a row can say is stored as the last moment that it can.
    before = max(0, min(before, 2**64 - 1))
    parameters = {"before": before, "last": min(before - 1, LATEST_PARTITION)}
    with store.writing() as client:
        client.command(statement("spare_all"))
        client.command(statement("doom_old_traces"), parameters=parameters)
        dropped = int(client.query(statement("count_doomed")).result_rows[0][0])
        client.command(statement("drop_old_logs"), parameters=parameters, settings=_AT_ONCE)
        if dropped:
            for name in ("drop_old_traces", "drop_old_times", "drop_old_groups", "drop_old_facts"):
                client.command(statement(name), parameters=parameters, settings=_AT_ONCE)
            write_old_rows(store, before, version)
            client.command(statement("spare_all"))
    return dropped


def stored_bytes(store: Store) -> int:
    """What spans, logs and all that is derived from them take of the disk."""
    return sum(_bytes_by_signal(store))


def drop_to_size(store: Store, max_bytes: int, *, version: int, room: float = ROOM) -> int:
    """Drop the oldest traces and logs until the store takes no more than so many bytes; the number of traces.

    Args:
        store: where from.
        max_bytes: nothing is dropped while it takes no more than this.
        version: as for `drop_older`.
        room: once it does, this share of the bound is made free beyond it.
    """
    traces, logs = _bytes_by_signal(store)
    dropped, rounds = 0, 0
    while traces + logs > max_bytes and rounds < _MOST_ROUNDS:
        over = traces + logs - int(max_bytes * (1 - room))
        parameters = {"share": min(1.0, over / (traces + logs)), "bytes_of_traces": traces, "bytes_of_logs": logs}
        with store.reading() as client:
            ((moment,),) = client.query(statement("oldest_share"), parameters=parameters).result_rows
        gone = drop_older(store, int(moment) + 1, version=version)
        dropped += gone
        before, (traces, logs) = (traces, logs), _bytes_by_signal(store)
        # Where nothing went, nothing will: what is left is spans that nothing was derived from.
        rounds = rounds + 1 if gone or (traces, logs) != before else _MOST_ROUNDS
    return dropped


def _bytes_by_signal(store: Store) -> tuple[int, int]:
    """Of traces, and of logs."""
    with store.reading() as client:
        traces, logs = client.query(statement("bytes_by_signal"), parameters={"tables": _TABLES}).result_rows[0]
    return int(traces), int(logs)
