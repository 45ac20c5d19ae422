"""`delete_session`: a session's spans, their logs, their facts and its trace groups, gone.

A span that also belongs to a session of another key goes with it. What is left of a trace is rolled up anew, so that
numbers are those of the spans that are there. Done again, or after a crash half way, it ends the same: the groups, which
lead to all the rest, go last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.trace import TraceGroup, roll_up
from otel_sessions.dialects.kinds import PENDING
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import DOOMED
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.sessions import births_of, write_rows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import facts_of, insert_facts, members
from otel_sessions.server.projections.trace_groups import insert_groups, pairs_of

SPANS_AT_ONCE: Final = 50_000
TRACES_AT_ONCE: Final = 5_000


class Deleted(NamedTuple):
    """What a deletion took: so many spans, and the traces whose facts are now others."""

    spans: int
    trace_ids: frozenset[int]


def delete_session(
    store: Store, session_id: str, *, key: str = ID_KEY, version: int, pricer: Pricer | None = None
) -> Deleted:
    """Delete a session; one that is not there is no error.

    No other insert of the same traces may run meanwhile: it is one more thing for the one that writes.

    Args:
        store: where from.
        session_id: the session.
        key: its key.
        version: greater than that of all groups and facts there are.
        pricer: what calls cost, for the traces of which something is left.
    """
    with store.reading() as client:
        traces = client.query(statement("traces_of_session"), parameters={"key": key, "id": session_id}).result_rows
    spans = 0
    for trace_ids in _some_at_once(traces):
        spans += _delete(store, trace_ids, (key, session_id), version, pricer)
    return Deleted(spans, frozenset(trace_id for trace_id, _ in traces))


def _some_at_once(traces: Sequence[Any]) -> Iterator[list[int]]:
    some: list[int] = []
    spans = 0
    for trace_id, span_count in traces:
        if some and (spans + span_count > SPANS_AT_ONCE or len(some) == TRACES_AT_ONCE):
            yield some
            some, spans = [], 0
        some.append(trace_id)
        spans += span_count
    if some:
        yield some


def _delete(store: Store, trace_ids: list[int], session: tuple[str, str], version: int, pricer: Pricer | None) -> int:
    facts = facts_of(store, trace_ids)
    touched = {session}.union(*pairs_of(store, trace_ids).values())
    doomed: list[tuple[str, str]] = []
    kept: dict[int, list[SpanFacts]] = {}
    groups: list[TraceGroup] = []
    count = 0
    for trace_id in trace_ids:
        stored = facts.get(trace_id, [])
        gone = {span.span_id for span in members(stored, session)}
        gone |= {span.span_id for span in stored if span.kind == PENDING and _stands_for(span, session, gone)}
        doomed.extend((trace_hex(trace_id), span_hex(span_id)) for span_id in gone)
        count += len(gone)
        rest = [span for span in stored if span.span_id not in gone]
        rollup = roll_up(trace_id, rest, pricer=pricer)
        if rest:
            kept[trace_id] = rest
        # A row of no span leads the facts and groups of the trace out, also where a crash left no spans of it.
        doomed.append((trace_hex(trace_id), "" if rest else "*"))
        if rollup is not None:
            groups.extend(rollup.groups)
    with store.writing() as client:
        client.command(statement("spare_all"))
        insert_rows(store, DOOMED, {"TraceId": [ids[0] for ids in doomed], "SpanId": [ids[1] for ids in doomed]})
        for name in ("delete_traces", "delete_times", "delete_logs"):
            client.command(statement(name))
        insert_facts(store, kept, version)
        insert_groups(store, groups, version=version)
        for name in ("delete_facts", "delete_groups"):
            client.command(statement(name), parameters={"version": version})
        write_rows(store, births_of(store, touched, version), touched, version)
        client.command(statement("spare_all"))
    return count


def _stands_for(span: SpanFacts, session: tuple[str, str], gone: set[int]) -> bool:
    """Whether a placeholder, which is not counted and so in no session, tells of a span in the session."""
    return session in span.values or span.parent_id in gone
