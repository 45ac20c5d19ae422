"""`delete_session`: delete a session's spans, its log records, and everything derived from them; its scores, annotations and name.

Its log records are those that `session_logs` finds, which pages of log records list too. Where a deleted span and
a log record that stays told of one call, the record is counted by itself from then on.
A span that also belongs to a session of another key goes with it. What is left of a trace is projected again, so that numbers are
those of the spans that are there. A large session goes in parts. The rows of spans and logs, which are most of the work, go while
commits go on: their facts are still there, so a span that is sent again meanwhile counts as stored. Only facts and trace groups are
changed while nothing else writes.

A deletion that was cut short ends the same when it is done again: the trace groups, which lead to everything else, go last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.dialects.kinds import PENDING
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import DELETIONS
from otel_sessions.server.clickhouse.insert import insert_rows
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.changes import ChangedTrace, stored_trace
from otel_sessions.server.projections.given_to_sessions import delete_given
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.scores import delete_scores, place_scores
from otel_sessions.server.projections.session_logs import logs_of_session
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_messages import delete_queued_messages
from otel_sessions.server.projections.stored_units import adopted_cells, related_units
from otel_sessions.server.projections.trace_facts import (
    facts_of,
    has_cells,
    insert_facts,
    members,
)
from otel_sessions.server.projections.trace_groups import pairs_of
from otel_sessions.server.projections.unassigned import NO_KEY

SPANS_AT_ONCE: Final = 20_000
TRACES_AT_ONCE: Final = 4_000
"""How much is deleted in one part: it holds up commits, is named in the store, and held in memory."""

Changing = Callable[[Collection[int]], AbstractContextManager[int]]
"""Holds up everything else that writes while a block changes what there is of these traces; gives the version of the change, which is
greater than all before. Rows of sessions are paused as well, and what is remembered of the traces is forgotten."""


class Deleted(NamedTuple):
    """What a deletion took: the number of spans, of the traces that they were in, of log records that were counted, and of messages."""

    spans: int
    traces: int
    records: int = 0
    messages: int = 0


class _Remains(NamedTuple):
    """What a deletion leaves of some traces, and what it takes: (trace id, span id) as the store writes them.

    Attributes:
        kept: the spans and records that stay, by trace.
        gone: those that do not.
        records: how many of these are log records.
        traces: how many traces lose a span.
        messages: how many messages go.
    """

    kept: dict[int, list[SpanFacts]]
    gone: set[tuple[str, str]]
    records: int
    traces: int
    messages: int = 0


def delete_session(
    store: Store,
    rows: SessionRows,
    session: Pair,
    *,
    changing: Changing,
    pricer: Pricer | None = None,
    spans_at_once: int = SPANS_AT_ONCE,
    traces_at_once: int = TRACES_AT_ONCE,
) -> Deleted:
    """Delete a session; if it does not exist, only log records, scores and annotations that name it go.

    Args:
        store: where the sessions are.
        rows: the rows of sessions, to bring them in step.
        session: its key and id.
        changing: called with the traces of a part, and with none to have a version only.
        pricer: the cost of calls, for the traces of which something is left.
        spans_at_once: about how many spans of the session go in one part, and
        traces_at_once: how many traces at most.
    """
    units = units_of(store, session)
    logs = logs_of_session(store, session)
    with store.writing() as client:
        client.command(statement("delete_session_logs", of_session=logs.condition), parameters=logs.parameters)
    delete_given(store, session)
    spans = records = from_traces = messages = 0
    queues = []
    for trace_ids in in_parts(units, spans_at_once, traces_at_once):
        with changing(()) as queue:
            queues.append(queue)
        queued = _delete_rows(store, trace_ids, session, queue)
        with changing(trace_ids) as version:
            remains = _delete_derived(store, rows, trace_ids, session, queue, queued, version, pricer)
        spans += len(remains.gone) - remains.records
        records += remains.records
        from_traces += remains.traces
        messages += remains.messages
    if queues:
        rows.refresh()
        with store.writing() as client:
            client.command(statement("clear_deletion_queue"), parameters={"versions": queues})
    return Deleted(spans, from_traces, records, messages)


def units_of(store: Store, session: Pair) -> list[tuple[int, int]]:
    """The traces and cells of a session, each with how much of the session is in it."""
    parameters = {"key": session[0], "hash": id_hash(session[1])}
    with store.reading() as client:
        traces = client.query(statement("traces_of_session"), parameters=parameters).result_rows
    return [*map(tuple, traces), *adopted_cells(store, [trace_id for trace_id, _ in traces])]


def in_parts(traces: Sequence[Any], spans_at_once: int, traces_at_once: int) -> Iterator[list[int]]:
    """The units in lists, each with about this number of spans, and at most this number of traces."""
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


def _delete_rows(store: Store, trace_ids: list[int], session: Pair, queue: int) -> set[tuple[str, str]]:
    """Delete the spans of a session in these traces, and their logs; return which. The entries of the queue stay."""
    gone = _remains(facts_of(store, trace_ids), trace_ids, session).gone
    _delete_queued(store, gone, queue)
    return gone


def _delete_queued(store: Store, spans: Collection[tuple[str, str]], queue: int) -> None:
    if spans:
        queue_spans(store, spans, queue)
        with store.writing() as client:
            for name in ("delete_traces", "delete_counted_logs"):
                client.command(statement(name), parameters={"queue": queue})


def _delete_derived(
    store: Store,
    rows: SessionRows,
    trace_ids: list[int],
    session: Pair,
    queue: int,
    queued: set[tuple[str, str]],
    version: int,
    pricer: Pricer | None,
) -> _Remains:
    """Delete facts and trace groups, count the rest and what told of the same calls again, and return what is gone."""
    facts = facts_of(store, trace_ids)
    remains = _remains(facts, trace_ids, session)
    related = related_units(store).of(facts, has_cells=has_cells(store))
    stored = pairs_of(store, [*trace_ids, *related.again], at_once=len(trace_ids) + len(related.again))
    touched = {session}.union(*stored.values(), *(stored_trace(spans).pairs for spans in related.again.values()))
    touched = {pair for pair in touched if pair[0] != NO_KEY}
    # Marked before anything changes, so that a deletion that fails half way leaves no row behind its trace groups.
    rows.mark_changed((), touched, version)
    # Spans that were committed since the others were queued.
    _delete_queued(store, remains.gone - queued, queue)
    # An entry without a span leads to the facts and groups of the trace, also where an earlier try left no spans of it.
    whole = [(trace_hex(trace_id), "" if trace_id in remains.kept else "*") for trace_id in trace_ids]
    queue_spans(store, whole, queue)
    parameters = {"queue": queue, "version": version}
    with store.writing() as client:
        client.command(statement("delete_times"), parameters=parameters)
    with store.writing() as client:
        messages = delete_queued_messages(client, queue)
    insert_facts(store, remains.kept, version)
    changed = [ChangedTrace(trace_id, spans) for trace_id, spans in remains.kept.items()]
    changed += [ChangedTrace(unit, spans, stored.get(unit, ())) for unit, spans in related.again.items()]
    project(store, changed, version, pricer, context=related.context)
    delete_scores(store, "scores_of_deleted", {"queue": queue})
    place_scores(store, remains.kept, version)
    with store.writing() as client:
        for name in ("delete_facts", "delete_groups"):
            client.command(statement(name), parameters=parameters)
    return remains._replace(messages=messages)


def queue_spans(store: Store, entries: Collection[tuple[str, str]], queue: int) -> None:
    """Name what goes: (trace id, span id), as in the table."""
    trace_column, span_column = zip(*entries, strict=True)
    columns = {"Version": [queue] * len(entries), "TraceId": trace_column, "SpanId": span_column}
    insert_rows(store, DELETIONS, columns)


def _remains(facts: dict[int, list[SpanFacts]], trace_ids: list[int], session: Pair) -> _Remains:
    kept: dict[int, list[SpanFacts]] = {}
    all_gone: set[tuple[str, str]] = set()
    records = traces = 0
    for trace_id in trace_ids:
        stored = facts.get(trace_id, [])
        gone = spans_of(stored, session)
        all_gone.update((trace_hex(trace_id), span_hex(span_id)) for span_id in gone)
        gone_records = len({span.span_id for span in stored if span.event and span.span_id in gone})
        records += gone_records
        traces += len(gone) > gone_records
        if rest := [span for span in stored if span.span_id not in gone]:
            kept[trace_id] = rest
    return _Remains(kept, all_gone, records, traces)


def spans_of(stored: Collection[SpanFacts], session: Pair) -> set[int]:
    """The ids of the spans and log records of a unit that go with a session, also of placeholders for them."""
    found = {span.span_id for span in members(stored, session)}
    return found.union(span.span_id for span in stored if span.kind == PENDING and _stands_for(span, session, found))


def _stands_for(span: SpanFacts, session: Pair, gone: set[int]) -> bool:
    """Return True if a placeholder, which is not counted and so in no session, is for a span in the session."""
    return session in span.values or span.parent_id in gone
