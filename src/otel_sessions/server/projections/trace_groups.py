"""Trace groups in the store: written in place of their older versions, read back exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, GROUPS
from otel_sessions.server.clickhouse.insert import insert_written
from otel_sessions.server.projections.group_json import Used, from_json
from otel_sessions.server.projections.group_rows import Pair, group_rows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import TRACES_PER_QUERY, chunks

SHOWN_COLUMNS: Final = ("Key", "Id", "TraceId", "Start", "End", "SpanCount", "Failed", "Content")
"""What `trace_group` takes."""


def insert_groups(
    store: Store,
    written: Sequence[TraceGroup],
    gone: Sequence[tuple[int, Pair]] = (),
    version: int = 0,
    *,
    into: str | None = None,
) -> None:
    """Write trace groups in place of their older versions, and mark those as deleted that are no more.

    Args:
        store: where to.
        written: the groups as they are now.
        gone: trace, and the session that it left.
        version: a number that grows: of two versions of a group the higher counts, of equal ones the later written.
        into: another table of the same columns.
    """
    insert_written(store, into or GROUPS, list(COLUMNS[GROUPS]), group_rows(written, gone, version))


def trace_group(row: Sequence[Any]) -> TraceGroup:
    """The trace group that was written as this row of `SHOWN_COLUMNS`."""
    key, value, trace_id, start, end, span_count, failed, written = row
    content = from_json(written)
    return TraceGroup(
        key=key,
        value=value,
        trace_id=trace_id,
        start=start,
        end=end,
        span_count=span_count,
        failed=bool(failed),
        operations=content.operations,
        models={(used.provider, used.model): _totals(used) for used in content.models},
        services=content.services,
        environments=content.environments,
        user_ids=content.user_ids,
        tags=content.tags,
        name=content.name,
        metadata={name: (at, said) for name, at, said in content.metadata},
        conflict=content.conflict,
    )


def pairs_of(store: Store, trace_ids: Iterable[int]) -> dict[int, set[Pair]]:
    """The sessions that traces have groups in, by trace id; a trace without any is missing."""
    found: dict[int, set[Pair]] = {}
    for some in chunks(trace_ids, TRACES_PER_QUERY):
        with store.reading() as client:
            rows = client.query(statement("pairs_of_traces"), parameters={"trace_ids": some}).result_rows
        for trace_id, key, value in rows:
            found.setdefault(trace_id, set()).add((key, value))
    return found


def _totals(used: Used) -> Totals:
    totals = Totals()
    totals.call_count = used.call_count
    totals.unpriced_call_count = used.unpriced_call_count
    for name, count in zip(TOKENS, used.tokens, strict=True):
        setattr(totals, name, count)
    for name, cost in zip(COSTS, used.costs, strict=True):
        setattr(totals, name, cost)
    totals.sources = used.sources
    return totals
