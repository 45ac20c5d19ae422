"""Drop old traces as a whole: by age, or until the store is small enough.

Call these while nothing else writes, inside `SessionRows.paused()`, as `Backend` does. Done again after a crash or an error they end the
same: the facts, which say what is old, go last, after the rows of sessions. So no number is ever about a part of a trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import (
    ANNOTATIONS,
    CHAINS,
    FACTS,
    GROUPS,
    LOGS,
    MESSAGES,
    NAMES,
    SCORES,
    SESSION_SCORES,
    SESSIONS,
    TIMES,
    TRACES,
)
from otel_sessions.server.clickhouse.times import LATEST_PARTITION
from otel_sessions.server.projections.border import count_beside_dropped
from otel_sessions.server.projections.scores import delete_scores
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.statements import statement

_AT_ONCE: Final = {"mutations_sync": 2}
"""A statement returns when it is done, not when it is planned."""

_TABLES: Final = [
    *(TRACES, TIMES, LOGS, FACTS, CHAINS, MESSAGES, GROUPS, SESSIONS),
    *(SCORES, SESSION_SCORES, ANNOTATIONS, NAMES),
]

ROOM: Final = 0.1
"""How much more than necessary is dropped, as a share of the bound, so that the bound is not reached again at once."""

_MOST_ROUNDS: Final = 12


def drop_older(store: Store, rows: SessionRows, before: int, *, version: int, pricer: Pricer | None = None) -> int:
    """Drop the traces that ended before a moment, and logs, scores and annotations that are older; return the number of traces.

    A score on a trace or a span stays as long as the trace does.

    Log records that are counted in a trace go with it. Those that are counted without one go, and count, as a trace of five minutes
    of their session.

    Args:
        store: where the sessions are.
        rows: the rows of sessions, to bring them in step.
        before: nanoseconds UTC.
        version: of this change; greater than that of all trace groups that there are.
        pricer: the cost of calls that do not report one.
    """
    # A time beyond what a column can hold is stored as the last one that it can.
    before = max(0, min(before, 2**64 - 1))
    parameters = {"before": before, "last": min(before - 1, LATEST_PARTITION), "version": version}
    with store.writing() as client:
        client.command(statement("queue_old_traces"), parameters=parameters)
        dropped = int(client.query(statement("count_queued_deletions"), parameters=parameters).result_rows[0][0])
        for name in ("drop_old_logs", "drop_old_chains", "drop_old_messages"):
            client.command(statement(name), parameters=parameters, settings=_AT_ONCE)
        delete_scores(store, "old_scores", parameters)
        client.command(statement("drop_old_annotations"), parameters=parameters)
        if dropped:
            for name in ("drop_old_traces", "drop_old_times"):
                client.command(statement(name), parameters=parameters, settings=_AT_ONCE)
            count_beside_dropped(store, rows, before, version=version, pricer=pricer)
            client.command(statement("drop_old_groups"), parameters=parameters, settings=_AT_ONCE)
            client.command(statement("drop_names_of_none"))
            rows.rewrite_older(before, version)
            client.command(statement("drop_old_facts"), parameters=parameters, settings=_AT_ONCE)
            client.command(statement("clear_deletion_queue"), parameters={"versions": [version]})
    return dropped


def drop_to_size(
    store: Store, rows: SessionRows, max_bytes: int, *, next_version: Callable[[], int], pricer: Pricer | None = None
) -> int:
    """Drop the oldest traces and logs until the store takes at most this many bytes of the disk; return the number of traces.

    Args:
        store: where the sessions are.
        rows: the rows of sessions, to bring them in step.
        max_bytes: nothing is dropped while the store takes no more than this.
        next_version: returns one for each change, greater than that of all trace groups that there are.
        pricer: as for `drop_older`.
    """
    traces, logs = bytes_by_signal(store)
    dropped, rounds = 0, 0
    while traces + logs > max_bytes and rounds < _MOST_ROUNDS:
        over = traces + logs - int(max_bytes * (1 - ROOM))
        parameters = {"share": min(1.0, over / (traces + logs)), "bytes_of_traces": traces, "bytes_of_logs": logs}
        with store.reading() as client:
            ((moment,),) = client.query(statement("oldest_share"), parameters=parameters).result_rows
        gone = drop_older(store, rows, int(moment) + 1, version=next_version(), pricer=pricer)
        dropped += gone
        before, (traces, logs) = (traces, logs), bytes_by_signal(store)
        # Where nothing went, nothing will: what is left are spans without facts.
        rounds = rounds + 1 if gone or (traces, logs) != before else _MOST_ROUNDS
    return dropped


def bytes_by_signal(store: Store) -> tuple[int, int]:
    """Return the bytes of traces and all that is derived from them, and the bytes of logs."""
    with store.reading() as client:
        traces, logs = client.query(statement("bytes_by_signal"), parameters={"tables": _TABLES}).result_rows[0]
    return int(traces), int(logs)
