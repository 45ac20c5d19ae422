"""`rebuild`: facts and trace groups, computed anew from the spans in `otel_traces`.

Spans are read once, in whatever order they are stored, and become facts; these are then read trace by trace and rolled
up. Both go into tables beside the ones in use and are exchanged at the end, so that readers see the old numbers until
the new ones are there, and a rebuild that was interrupted changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.trace import TraceGroup, roll_up
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import FACTS, GROUPS
from otel_sessions.server.clickhouse.span_rows import AS_NUMBERS, SPAN_COLUMNS, Row
from otel_sessions.server.projections.facts_json import from_json
from otel_sessions.server.projections.sessions import catch_up, clear_rows
from otel_sessions.server.projections.statements import statement
from otel_sessions.server.projections.trace_facts import insert_facts
from otel_sessions.server.projections.trace_groups import insert_groups

AT_ONCE: Final = 8_192
"""Spans, or trace groups, in memory and in one insert."""

_REBUILT: Final = "_rebuilt"

Progress = Callable[[str, int, int], object]
"""Called with what is counted (`spans`, then `traces`), how many are done, and how many there are."""


def rebuild(
    store: Store,
    read_span: Callable[[Row], SpanFacts],
    *,
    version: int,
    pricer: Pricer | None = None,
    progress: Progress | None = None,
) -> int:
    """Compute all facts and trace groups anew; the number of traces.

    Nothing else may write meanwhile.

    Args:
        store: what to rebuild.
        read_span: the facts of a span, from its row.
        version: of what is written; not greater than any that comes later.
        pricer: what calls cost.
        progress: told of each step.
    """
    tell = progress or (lambda *_: None)
    with store.writing() as client:
        for table in (FACTS, GROUPS):
            client.command(statement(f"drop_{table}"))
            client.command(statement(f"create_{table}"))
        spans = int(client.query(statement("count_spans")).result_rows[0][0])
        _rebuild_facts(store, read_span, version, lambda done: tell("spans", done, spans))
        traces = int(client.query(statement("count_rebuilt")).result_rows[0][0])
        _rebuild_groups(store, version, pricer, lambda done: tell("traces", done, traces))
        # Without rows of sessions, whoever opens the store next knows that they have to be written.
        clear_rows(store)
        for table in (FACTS, GROUPS):
            client.command(statement(f"exchange_{table}"))
            client.command(statement(f"drop_{table}"))
    catch_up(store)
    return traces


def _rebuild_facts(
    store: Store, read_span: Callable[[Row], SpanFacts], version: int, tell: Callable[[int], object]
) -> None:
    by_trace: dict[int, list[SpanFacts]] = {}
    done = 0
    for row in _stream(store, statement("span_rows", columns=SPAN_COLUMNS)):
        by_trace.setdefault(int(row["TraceId"], 16), []).append(read_span(row))
        done += 1
        if done % AT_ONCE == 0:
            insert_facts(store, by_trace, version, into=FACTS + _REBUILT)
            by_trace = {}
            tell(done)
    insert_facts(store, by_trace, version, into=FACTS + _REBUILT)
    tell(done)


def _rebuild_groups(store: Store, version: int, pricer: Pricer | None, tell: Callable[[int], object]) -> None:
    groups: list[TraceGroup] = []
    done = 0
    rows = _stream(store, statement("facts_in_order"))
    for trace_id, of_trace in groupby(rows, key=lambda row: int(row["TraceId"])):
        rollup = roll_up(trace_id, (span for row in of_trace for span in from_json(row["Facts"])), pricer=pricer)
        groups.extend(rollup.groups if rollup is not None else ())
        done += 1
        if len(groups) >= AT_ONCE:
            insert_groups(store, groups, version=version, into=GROUPS + _REBUILT)
            groups = []
            tell(done)
    insert_groups(store, groups, version=version, into=GROUPS + _REBUILT)
    tell(done)


def _stream(store: Store, sql: str) -> Iterator[dict[str, Any]]:
    with (
        store.reading() as client,
        client.query_row_block_stream(sql, query_formats=AS_NUMBERS) as blocks,
    ):
        names = blocks.source.column_names
        for block in blocks:
            for row in block:
                yield dict(zip(names, row, strict=True))
