"""The spans of a session as they were sent, by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import AS_NUMBERS, SPAN_COLUMNS, Row, span_hex, trace_hex
from otel_sessions.server.clickhouse.times import LATEST_PARTITION
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.trace_facts import facts_of, members
from otel_sessions.server.queries.statements import statement

PAGE_BYTES: Final = 16 << 20
"""A page of spans is cut at this size, since each span may be as large as a request."""

_Starts = Mapping[tuple[str, str], int]
"""Spans by trace id and span id, with their starts."""


class SpanPage(NamedTuple):
    """Some spans of a session, how many it has in all, and the offset of the first one after these."""

    spans: list[Row]
    total: int
    next: int


def session_spans(
    store: Store,
    session_id: str,
    *,
    key: str = ID_KEY,
    limit: int = 100,
    offset: int = 0,
    max_bytes: int = PAGE_BYTES,
) -> SpanPage:
    """A page of a session's spans: trace by trace in the order of their start in the session, then by start.

    Args:
        store: where the spans are.
        session_id: the id of the session.
        key: its session key.
        limit: how many spans at most.
        offset: how many to skip.
        max_bytes: how many bytes at most; the page has one span whatever its size.
    """
    parameters = {"key": key, "hash": id_hash(session_id), "limit": limit, "offset": offset}
    with store.reading() as client:
        traces = client.query(statement("traces_of_span_page"), parameters=parameters).result_rows
    if not traces:
        return SpanPage([], 0, offset)
    total = int(traces[0][5])
    within = [trace for trace in traces if trace[4] + trace[3] > offset and trace[4] < offset + limit]
    if not within:
        return SpanPage([], total, offset)
    facts = facts_of(store, [trace[0] for trace in within])
    spans = [
        (trace[0], span)
        for trace in within
        for span in members(facts.get(trace[0], ()), (key, session_id))
        if not span.event
    ]
    skipped = offset - within[0][4]
    wanted = spans[skipped : skipped + limit]
    if not wanted:
        return SpanPage([], total, offset + limit)
    page = page_of_spans(store, wanted, max_bytes)
    return SpanPage(page.rows, total, offset + page.taken)


class SpanRows(NamedTuple):
    """The rows of the first of some spans, and how many spans these are; those that were deleted meanwhile have no row."""

    rows: list[Row]
    taken: int


def page_of_spans(store: Store, spans: Sequence[tuple[int, SpanFacts]], max_bytes: int) -> SpanRows:
    """The rows of the first of these spans with their trace ids, as many as have at most `max_bytes` together."""
    starts = _starts(spans)
    if not starts:
        return SpanRows([], 0)
    page = _fitting(store, starts, max_bytes)
    return SpanRows(_rows(store, page), len(page))


def parameters_of_named(spans: Sequence[tuple[int, SpanFacts]]) -> dict[str, Any]:
    """The parameters of a statement of `statement_of_named`: some spans with their trace ids, at least one."""
    return _named(_starts(spans))


def statement_of_named(name: str) -> str:
    """The statement of this name, which is about the spans in its parameters."""
    return statement(name, columns=SPAN_COLUMNS, which=statement("named_spans"))


def _starts(spans: Sequence[tuple[int, SpanFacts]]) -> _Starts:
    return {
        (trace_hex(trace_id), span_hex(span.span_id)): min(span.start, LATEST_PARTITION) for trace_id, span in spans
    }


def _fitting(store: Store, starts: _Starts, max_bytes: int) -> _Starts:
    """The first of these spans, as many as have at most `max_bytes` together."""
    with store.reading() as client:
        rows = client.query(statement_of_named("span_sizes"), parameters=_named(starts)).result_rows
    sizes = {(trace_id, span_id): size for trace_id, span_id, size in rows}
    fitting: dict[tuple[str, str], int] = {}
    for span, start in starts.items():
        max_bytes -= sizes.get(span, 0)
        if fitting and max_bytes < 0:
            break
        fitting[span] = start
    return fitting


def _rows(store: Store, starts: _Starts) -> list[Row]:
    """The rows of these spans, in this order, without those that were deleted meanwhile."""
    with store.reading() as client:
        answer = client.query(statement_of_named("spans"), parameters=_named(starts), query_formats=AS_NUMBERS)
        found = {(row["TraceId"], row["SpanId"]): row for row in answer.named_results()}
    return [found[span] for span in starts if span in found]


def _named(starts: _Starts) -> dict[str, Any]:
    """The parameters that name these spans."""
    return {
        "first": min(starts.values()),
        "last": max(starts.values()),
        "trace_ids": sorted({trace_id for trace_id, _ in starts}),
        "of_trace_ids": [trace_id for trace_id, _ in starts],
        "span_ids": [span_id for _, span_id in starts],
    }
