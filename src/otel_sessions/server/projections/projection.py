"""`project`: the one way from facts of traces to trace groups, and on to the rows of sessions.

    facts of a trace (`trace_facts`) -> its trace groups (`session_traces`) -> the rows of their sessions (`sessions`)

A commit, a late span, a deletion and a rebuild all change facts, and all call `project` with the traces that changed. What it returns
says which sessions changed: `SessionRows` is told, and brings their rows in step.
"""

from __future__ import annotations

from collections.abc import Iterable

from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, GROUPS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.projections.changes import NO_CONTEXT, ChangedTrace, Context, GroupChanges, group_changes
from otel_sessions.server.projections.group_rows import group_rows


def project(
    store: Store,
    traces: Iterable[ChangedTrace],
    version: int,
    pricer: Pricer | None,
    *,
    context: Context = NO_CONTEXT,
    table: str = GROUPS,
) -> GroupChanges:
    """Bring the trace groups in step with the facts of traces that changed.

    Every change of facts comes through here: a commit, a late span, a deletion, a rebuild. What it returns goes to
    `SessionRows`, which brings the rows of sessions in step.

    Args:
        store: where the groups are.
        traces: each with all of its facts as they are now.
        version: of the change; greater than that of all changes before it.
        pricer: the cost of calls that do not report one.
        context: units that have not changed, but tell of the same calls.
        table: `session_traces`, or a table of the same columns.
    """
    changes = group_changes(traces, pricer, context)
    write_groups(store, changes, version, table=table)
    return changes


def write_groups(store: Store, changes: GroupChanges, version: int, *, table: str = GROUPS) -> None:
    """Write trace groups in place of their older versions, and mark groups as deleted whose traces left their session.

    Of two versions of a group the greater one counts, of equal ones the one that was written later.
    """
    written = [*changes.written, *changes.unassigned]
    if written or changes.gone:
        insert_written(store, table, list(COLUMNS[GROUPS]), group_rows(written, changes.gone, version))
