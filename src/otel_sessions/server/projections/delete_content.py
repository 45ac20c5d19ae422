"""`delete_content`: remove the words of a session and keep its numbers.

Messages go, and from the rows of spans and log records all content; log records are those that `session_logs` finds. A log record keeps
its id, which was computed of all that it said. A rebuild therefore gives the same numbers, and no words.

A removal that was cut short ends the same when it is done again: what is found is decided by what is there.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.content_of_rows import logs_with_content, remove_content, spans_with_content
from otel_sessions.server.projections.delete import (
    SPANS_AT_ONCE,
    TRACES_AT_ONCE,
    Changing,
    in_parts,
    queue_spans,
    spans_of,
    units_of,
)
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.session_logs import logs_of_session
from otel_sessions.server.projections.sessions import SessionRows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_messages import delete_queued_messages
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import facts_of, has_cells, insert_facts
from otel_sessions.server.projections.trace_groups import pairs_of

_WORDS: Final = frozenset({"said"})
"""Fields of facts that repeat words."""


class RemovedContent(NamedTuple):
    """What a removal took: the number of messages, and of the spans and log records that held words."""

    messages: int
    spans: int
    records: int


def delete_content(
    store: Store,
    rows: SessionRows,
    session: Pair,
    *,
    changing: Changing,
    pricer: Pricer | None = None,
    spans_at_once: int = SPANS_AT_ONCE,
    traces_at_once: int = TRACES_AT_ONCE,
) -> RemovedContent:
    """Remove the words of a session; for arguments see `delete_session`."""
    units = units_of(store, session)
    logs = logs_of_session(store, session)
    with store.writing() as client:
        records = remove_content(client, logs_with_content(logs.condition), logs.parameters)
    messages = spans = 0
    queues = []
    for some in in_parts(units, spans_at_once, traces_at_once):
        with changing(some) as version:
            queues.append(version)
            removed = _remove(store, rows, some, session, version, pricer)
        messages += removed.messages
        spans += removed.spans
        records += removed.records
    if queues:
        rows.refresh()
        with store.writing() as client:
            client.command(statement("clear_deletion_queue"), parameters={"versions": queues})
    return RemovedContent(messages, spans, records)


def _remove(
    store: Store, rows: SessionRows, units: list[int], session: Pair, version: int, pricer: Pricer | None
) -> RemovedContent:
    facts = facts_of(store, units)
    queued = {
        (trace_hex(unit), span_hex(span_id)) for unit, told in facts.items() for span_id in spans_of(told, session)
    }
    if not queued:
        return RemovedContent(0, 0, 0)
    queue_spans(store, queued, version)
    with store.writing() as client:
        queue = {"queue": version}
        spans = remove_content(client, spans_with_content(statement("span_is_queued")), queue)
        # Records that came since those of the session were found.
        records = remove_content(client, logs_with_content(statement("log_is_queued")), queue)
        messages = delete_queued_messages(client, version)
    _write_again(store, rows, facts, queued, version, pricer)
    return RemovedContent(messages, spans, records)


def _write_again(
    store: Store,
    rows: SessionRows,
    facts: dict[int, list[SpanFacts]],
    queued: set[tuple[str, str]],
    version: int,
    pricer: Pricer | None,
) -> None:
    """Write the facts without words, and the trace groups that are made of them."""
    units = list(facts)
    related = related_units(store).of(facts, has_cells=has_cells(store))
    stored = pairs_of(store, [*units, *related.again], at_once=len(units) + len(related.again))
    wordless = {
        unit: [_without_words(one) if (trace_hex(unit), span_hex(one.span_id)) in queued else one for one in told]
        for unit, told in facts.items()
    }
    queue_spans(store, [(trace_hex(unit), "") for unit in units], version)
    insert_facts(store, wordless, version)
    again = {**wordless, **related.again}
    changed = [ChangedTrace(unit, told, stored.get(unit, ())) for unit, told in again.items()]
    changes = project(store, changed, version, pricer, context=related.context)
    rows.mark_changed(changes.written, changes.lost, version)
    with store.writing() as client:
        client.command(statement("delete_facts"), parameters={"queue": version, "version": version})
        client.command(statement("delete_older_groups"), parameters={"units": list(again), "version": version})


def _without_words(facts: SpanFacts) -> SpanFacts:
    gone: dict[str, Any] = dict.fromkeys(_WORDS.intersection(SpanFacts._fields))
    return facts._replace(**gone)
