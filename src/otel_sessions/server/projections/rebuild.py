"""`rebuild`: compute facts, messages, trace groups and session rows again, from the spans in `otel_traces` and the records in `otel_logs`.

Both are read once, in whatever order they are stored, and become facts; these are then read trace by trace and rolled
up. Both go into tables beside the ones in use and are exchanged at the end, so that readers see the old numbers until
the new ones are there, and a rebuild that was interrupted changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.server.clickhouse.broken_parts import put_aside
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import CHAINS, FACTS, GROUPS, MESSAGES
from otel_sessions.server.clickhouse.span_rows import SPAN_COLUMNS, Row
from otel_sessions.server.otlp.contents import HeldContent
from otel_sessions.server.projections.changes import ChangedTrace
from otel_sessions.server.projections.contents import insert_contents
from otel_sessions.server.projections.facts_json import from_json
from otel_sessions.server.projections.given_prices import GivenPrices
from otel_sessions.server.projections.projection import project
from otel_sessions.server.projections.rebuilt_records import rebuild_records
from otel_sessions.server.projections.rebuilt_scores import rebuild_scores
from otel_sessions.server.projections.seen_messages import SeenMessages
from otel_sessions.server.projections.sessions import SessionRows, truncate_session_rows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.stored_span import ReadSpan, span_of_row
from otel_sessions.server.projections.stored_units import related_units
from otel_sessions.server.projections.trace_facts import chunks, insert_facts, last_version, stream

BATCH: Final = 8_192
"""How many spans, or traces, are in memory and in one insert."""

_REBUILT: Final = "_rebuilt"
_TABLES: Final = (FACTS, CHAINS, MESSAGES, GROUPS)

SPANS: Final = "spans"
RECORDS: Final = "log records"
UNITS: Final = "traces"
STEPS: Final = (SPANS, RECORDS, UNITS)
"""What is counted, one after the other; the last one are traces, and what log records in no trace are counted in."""

Progress = Callable[[str, int, int], object]
"""Called with one of `STEPS`, how many are done, and how many there are in all."""


def rebuild(
    store: Store,
    *,
    pricer: Pricer | None = None,
    progress: Progress | None = None,
    read_span: Callable[[Row], ReadSpan] = span_of_row,
    batch: int = BATCH,
) -> int:
    """Compute all that is derived from spans and log records again; return the number of traces. Broken parts then count no more.

    Call it while nothing else writes.

    Args:
        store: what to rebuild.
        pricer: the cost of calls that do not report one and have no given price.
        progress: called after each step.
        read_span: the facts of a span and its messages, from its row.
        batch: how many spans, or traces, are in one insert.
    """
    # A database that only a Collector wrote has no version yet, and 0 would say that nothing changed.
    version = max(last_version(store), 1)
    pricer = GivenPrices(store, pricer)
    tell = progress or (lambda *_: None)
    with store.writing() as client:
        for table in _TABLES:
            client.command(statement(f"drop_{table}_rebuilt"))
            client.command(statement(f"create_{table}_rebuilt"))
        spans = int(client.query(statement("count_spans")).result_rows[0][0])
        seen = SeenMessages()
        _rebuild_facts(store, read_span, version, batch, seen, lambda done: tell(SPANS, done, spans))
        records = int(client.query(statement("count_logs")).result_rows[0][0])
        rebuild_records(store, _REBUILT, version, batch, seen, lambda done: tell(RECORDS, done, records))
        units, traces = map(int, client.query(statement("count_rebuilt_units")).result_rows[0])
        _rebuild_groups(store, version, pricer, batch, lambda done: tell(UNITS, done, units))
        # Without rows of sessions, the next process on this store knows that they have to be written.
        truncate_session_rows(store)
        for table in _TABLES:
            client.command(statement(f"exchange_{table}"))
            client.command(statement(f"drop_{table}_rebuilt"))
    rebuild_scores(store, version + 1, batch)
    SessionRows(store)
    put_aside(store)
    return traces


def _rebuild_facts(
    store: Store,
    read_span: Callable[[Row], ReadSpan],
    version: int,
    batch: int,
    seen: SeenMessages,
    tell: Callable[[int], object],
) -> None:
    rows = stream(store, statement("span_rows", columns=SPAN_COLUMNS))
    done = 0
    for some in chunks(rows, batch):
        by_trace: dict[int, list[SpanFacts]] = {}
        held: list[HeldContent] = []
        for row in some:
            trace_id = int(row["TraceId"], 16)
            facts, content = read_span(row)
            by_trace.setdefault(trace_id, []).append(facts)
            if content is not None:
                held.append(HeldContent(trace_id, facts, content))
        insert_facts(store, by_trace, version, table=FACTS + _REBUILT)
        insert_contents(store, held, seen, suffix=_REBUILT)
        done += len(some)
        tell(done)


def _rebuild_groups(
    store: Store, version: int, pricer: Pricer | None, batch: int, tell: Callable[[int], object]
) -> None:
    """Roll up all traces, then the cells of log records, which need to know the traces beside them."""
    related = related_units(store, facts=FACTS + _REBUILT, groups=GROUPS + _REBUILT)
    done = 0
    for cells in (False, True):
        rows = stream(store, statement("facts_in_order"), {"cells": int(cells)})
        traces = (
            ChangedTrace(trace_id, [span for row in of_trace for span in from_json(row["Facts"])])
            for trace_id, of_trace in groupby(rows, key=lambda row: int(row["TraceId"]))
        )
        for some in chunks(traces, batch):
            beside = related.of({unit: facts for unit, facts, _ in some}, has_cells=True)
            context = {**beside.again, **beside.context}
            project(store, some, version, pricer, context=context, table=GROUPS + _REBUILT)
            done += len(some)
            tell(done)
