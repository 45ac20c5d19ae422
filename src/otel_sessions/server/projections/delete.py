"""`delete_session`: delete a session's spans, their logs, and everything derived from them.

A span that also belongs to a session of another key goes with it. What is left of a trace is projected again, so that numbers are
those of the spans that are there. A deletion that was cut short ends the same when it is done again: the trace groups, which lead to
everything else, go last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.dialects.kinds import PENDING
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import DELETIONS
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import facts_of, insert_facts, members
from otel_sessions.server.projections.trace_groups import pairs_of
from otel_sessions.server.projections.unassigned import NO_KEY

SPANS_AT_ONCE: Final = 50_000
TRACES_AT_ONCE: Final = 5_000
"""How much is deleted with one series of statements: it is named in the store, and held in memory."""


class Deleted(NamedTuple):
    """What a deletion took: the number of spans, and the traces whose facts changed."""

    spans: int
    trace_ids: frozenset[int]


class _Remains(NamedTuple):
    """What a deletion leaves of some traces, and what it takes."""

    kept: dict[int, list[SpanFacts]]
    queue: list[tuple[str, str]]
    span_count: int


def delete_session(
    store: Store,
    rows: SessionRows,
    session: Pair,
    *,
    version: int,
    pricer: Pricer | None = None,
    spans_at_once: int = SPANS_AT_ONCE,
    traces_at_once: int = TRACES_AT_ONCE,
) -> Deleted:
    """Delete a session; nothing happens if it does not exist.

    Call it while nothing else writes these traces, inside `rows.paused()`.

    Args:
        store: where the sessions are.
        rows: the rows of sessions, to bring them in step.
        session: its key and id.
        version: of this change; greater than that of all trace groups and facts that there are.
        pricer: the cost of calls, for the traces of which something is left.
        spans_at_once: how many spans go with one series of statements, and
        traces_at_once: how many traces.
    """
    parameters = {"key": session[0], "hash": id_hash(session[1])}
    with store.reading() as client:
        traces = client.query(statement("traces_of_session"), parameters=parameters).result_rows
    spans = 0
    for trace_ids in _in_parts(traces, spans_at_once, traces_at_once):
        spans += _delete(store, rows, trace_ids, session, version, pricer)
    return Deleted(spans, frozenset(trace_id for trace_id, _ in traces))


def _in_parts(traces: Sequence[Any], spans_at_once: int, traces_at_once: int) -> Iterator[list[int]]:
    part: list[int] = []
    spans = 0
    for trace_id, span_count in traces:
        if part and (spans + span_count > spans_at_once or len(part) == traces_at_once):
            yield part
            part, spans = [], 0
        part.append(trace_id)
        spans += span_count
    if part:
        yield part


def _delete(
    store: Store, rows: SessionRows, trace_ids: list[int], session: Pair, version: int, pricer: Pricer | None
) -> int:
    remains = _remains(facts_of(store, trace_ids), trace_ids, session)
    touched = {session}.union(*pairs_of(store, trace_ids).values())
    touched = {pair for pair in touched if pair[0] != NO_KEY}
    # Marked before anything changes, so that a deletion that fails half way leaves no row behind its trace groups.
    rows.mark_changed((), touched, version)
    queued = {"version": version}
    trace_column, span_column = zip(*remains.queue, strict=True)
    insert_rows(
        store,
        DELETIONS,
        {"Version": [version] * len(remains.queue), "TraceId": trace_column, "SpanId": span_column},
    )
    with store.writing() as client:
        for name in ("delete_traces", "delete_times", "delete_logs"):
            client.command(statement(name), parameters=queued)
    insert_facts(store, remains.kept, version)
    project(store, (ChangedTrace(trace_id, spans) for trace_id, spans in remains.kept.items()), version, pricer)
    with store.writing() as client:
        for name in ("delete_facts", "delete_groups"):
            client.command(statement(name), parameters=queued)
    rows.refresh()
    with store.writing() as client:
        client.command(statement("clear_deletion_queue"), parameters=queued)
    return remains.span_count


def _remains(facts: dict[int, list[SpanFacts]], trace_ids: list[int], session: Pair) -> _Remains:
    kept: dict[int, list[SpanFacts]] = {}
    queue: list[tuple[str, str]] = []
    count = 0
    for trace_id in trace_ids:
        stored = facts.get(trace_id, [])
        gone = {span.span_id for span in members(stored, session)}
        gone |= {span.span_id for span in stored if span.kind == PENDING and _stands_for(span, session, gone)}
        queue.extend((trace_hex(trace_id), span_hex(span_id)) for span_id in gone)
        count += len(gone)
        rest = [span for span in stored if span.span_id not in gone]
        if rest:
            kept[trace_id] = rest
        # An entry without a span leads to the facts and groups of the trace, also where an earlier try left no spans of it.
        queue.append((trace_hex(trace_id), "" if rest else "*"))
    return _Remains(kept, queue, count)


def _stands_for(span: SpanFacts, session: Pair, gone: set[int]) -> bool:
    """Return True if a placeholder, which is not counted and so in no session, is for a span in the session."""
    return session in span.values or span.parent_id in gone
