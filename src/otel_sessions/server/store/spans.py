"""Spans as they were sent: those of a session by page, and which ones are stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import sessions_of
from otel_sessions.counting.trace import distinct_spans
from otel_sessions.server.store.client import Store
from otel_sessions.server.store.columns import COLUMNS, TRACES
from otel_sessions.server.store.sql import statement, statement_with
from otel_sessions.server.store.trace_facts import TRACES_PER_QUERY, chunks, facts_of
from otel_sessions.server.times import LATEST_PARTITION

SPAN_COLUMNS: Final = ", ".join(f"`{name}`" for name in COLUMNS[TRACES])
AS_NUMBERS: Final = {"DateTime64*": "int"}
"""Times as integer nanoseconds: what `datetime` holds would lose the last three digits."""

Row = dict[str, Any]
"""A row of `otel_traces` by the names of its columns, times as integer nanoseconds UTC."""


PAGE_BYTES: Final = 16 << 20
"""A page of spans is cut at so many, since each may be as large as a request."""

_Starts = Mapping[tuple[str, str], int]
"""Spans by trace id and span id, with their starts."""


class SpanPage(NamedTuple):
    """Some spans of a session, how many it has in all, and the place of the first one after these."""

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
        store: where from.
        session_id: whose.
        key: its key.
        limit: how many at most.
        offset: how many to skip.
        max_bytes: how much at most; but one span always, whatever its size.
    """
    parameters = {"key": key, "id": session_id, "limit": limit, "offset": offset}
    with store.reading() as client:
        traces = client.query(statement("traces_of_span_page"), parameters=parameters).result_rows
    if not traces:
        return SpanPage([], 0, offset)
    total = int(traces[0][5])
    within = [trace for trace in traces if trace[4] + trace[3] > offset and trace[4] < offset + limit]
    if not within:
        return SpanPage([], total, offset)
    facts = facts_of(store, [trace[0] for trace in within])
    spans = [(trace[0], span) for trace in within for span in members(facts.get(trace[0], ()), (key, session_id))]
    skipped = offset - within[0][4]
    starts = {
        (trace_hex(trace_id), span_hex(span.span_id)): min(span.start, LATEST_PARTITION)
        for trace_id, span in spans[skipped : skipped + limit]
    }
    if not starts:
        return SpanPage([], total, offset + limit)
    page = _fitting(store, starts, max_bytes)
    return SpanPage(_rows(store, page), total, offset + len(page))


def members(facts: Iterable[SpanFacts], session: tuple[str, str]) -> list[SpanFacts]:
    """Of the facts of one trace the spans that belong to a session, by start."""
    spans = distinct_spans(facts)
    if not spans:
        return []
    sessions = sessions_of(spans)
    found = [span for span_id, span in spans.items() if session in sessions[span_id]]
    return sorted(found, key=lambda span: (span.start, span.span_id))


def stored_spans(store: Store, trace_ids: Iterable[int]) -> set[tuple[int, int]]:
    """The (trace id, span id) of all rows of these traces."""
    found: set[tuple[int, int]] = set()
    for some in chunks(trace_ids, TRACES_PER_QUERY):
        with store.reading() as client:
            rows = client.query(
                statement("stored_spans"), parameters={"trace_ids": [trace_hex(trace_id) for trace_id in some]}
            ).result_rows
        found.update((int(trace_id, 16), int(span_id, 16)) for trace_id, span_id in rows)
    return found


def trace_hex(trace_id: int) -> str:
    """A trace id as `otel_traces` has it."""
    return f"{trace_id:032x}"


def span_hex(span_id: int) -> str:
    """A span id as `otel_traces` has it."""
    return f"{span_id:016x}"


def _fitting(store: Store, starts: _Starts, max_bytes: int) -> _Starts:
    """The first of these spans, as many as are not too large together."""
    with store.reading() as client:
        rows = client.query(_of_named("span_sizes"), parameters=_named(starts)).result_rows
    sizes = {(trace_id, span_id): size for trace_id, span_id, size in rows}
    fitting: dict[tuple[str, str], int] = {}
    for span, start in starts.items():
        max_bytes -= sizes.get(span, 0)
        if fitting and max_bytes < 0:
            break
        fitting[span] = start
    return fitting


def _rows(store: Store, starts: _Starts) -> list[Row]:
    """The rows of these spans, in this order; without those that went meanwhile."""
    with store.reading() as client:
        answer = client.query(_of_named("spans"), parameters=_named(starts), query_formats=AS_NUMBERS)
        found = {(row["TraceId"], row["SpanId"]): row for row in answer.named_results()}
    return [found[span] for span in starts if span in found]


def _of_named(name: str) -> str:
    """The statement of this name; the spans that it is about are in `_named`."""
    return statement_with(name, columns=SPAN_COLUMNS, which=statement("named_spans"))


def _named(starts: _Starts) -> dict[str, Any]:
    """Spans as parameters."""
    return {
        "first": min(starts.values()),
        "last": max(starts.values()),
        "trace_ids": sorted({trace_id for trace_id, _ in starts}),
        "of_trace_ids": [trace_id for trace_id, _ in starts],
        "span_ids": [span_id for _, span_id in starts],
    }
