"""Trace groups as they are read back from the store, exactly as they were written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from otel_sessions.counting.membership import Pair
from otel_sessions.counting.time_spent import TimeSpent
from otel_sessions.counting.totals import COSTS, TOKENS, Totals
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import GROUPS
from otel_sessions.server.projections.group_json import Used, from_json
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import TRACES_PER_QUERY, chunks

LATEST: Final = (1 << 64) - 1

SHOWN_COLUMNS: Final = ("Key", "Id", "TraceId", "Start", "End", "SpanCount", "Failed", "Content")
"""The columns that `trace_group` reads."""


def trace_group(row: Sequence[Any]) -> TraceGroup:
    """The trace group of a row of `SHOWN_COLUMNS`."""
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
        lanes={lane: _totals(used) for lane, used in content.lanes},
        turns=None if content.turns is None else dict(content.turns),
        busy=content.busy,
        listed=content.listed,
        time=None if content.time is None else TimeSpent(*content.time),
        cache=content.cache,
        title=content.title,
        first_operation=content.first_operation,
        first_input=content.first_input,
        last_output=content.last_output,
    )


def pairs_of(store: Store, trace_ids: Iterable[int], *, at_once: int = TRACES_PER_QUERY) -> dict[int, set[Pair]]:
    """The sessions that traces have trace groups for, by trace id; a trace without any is missing."""
    found: dict[int, set[Pair]] = {}
    for some in chunks(trace_ids, at_once):
        with store.reading() as client:
            rows = client.query(statement("pairs_of_traces"), parameters={"trace_ids": some}).result_rows
        for trace_id, key, value in rows:
            found.setdefault(trace_id, set()).add((key, value))
    return found


def traces_near(store: Store, sessions: Mapping[Pair, tuple[int, int]], *, table: str = GROUPS) -> set[int]:
    """The ids of the traces of sessions that overlap a time.

    Args:
        store: where the trace groups are.
        sessions: at least one: by its key and id, the first and the last nanosecond.
        table: `session_traces`, or a table of the same columns.
    """
    times = {(key, id_hash(value)): time for (key, value), time in sessions.items()}
    parameters = {
        "keys": [key for key, _ in times],
        "hashes": [hash_ for _, hash_ in times],
        "first": min(first for first, _ in times.values()),
        "last": min(max(last for _, last in times.values()), LATEST),
    }
    with store.reading() as client:
        rows = client.query(statement("traces_near", table=table), parameters=parameters).result_rows
    return {
        trace_id
        for trace_id, key, hash_, start, end in rows
        if start <= times[key, hash_][1] and end >= times[key, hash_][0]
    }


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
