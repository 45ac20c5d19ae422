"""One trace as it was sent, whether it is in a session or not."""

from __future__ import annotations

from typing import NamedTuple

from otel_sessions.counting.distinct_spans import distinct_spans
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.membership import Pair, sessions_of
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import Row, trace_hex
from otel_sessions.server.projections.trace_facts import facts_of
from otel_sessions.server.queries.spans import PAGE_BYTES, SpanPage, page_of_spans
from otel_sessions.server.queries.statements import statement


class WholeTrace(NamedTuple):
    """A trace with a page of its spans; what else it has is also of its counted log records, and of the others where it has nothing else. Times in nanoseconds UTC.

    Attributes:
        trace_id: as an integer.
        start: the first start.
        end: the last end.
        services: names of the services, sorted.
        sessions: the sessions that it has a part in, by key and id.
        unassigned: how many of its spans are in no session.
        spans: a page of its spans, in the order of their start.
    """

    trace_id: int
    start: int
    end: int
    services: tuple[str, ...]
    sessions: tuple[Pair, ...]
    unassigned: int
    spans: SpanPage


def whole_trace(
    store: Store, trace_id: int, *, limit: int = 100, offset: int = 0, max_bytes: int = PAGE_BYTES
) -> WholeTrace | None:
    """A trace and a page of its spans; `None` if neither a span nor a log record of it is stored.

    Args:
        store: where the spans are.
        trace_id: as an integer.
        limit: how many spans at most.
        offset: how many to skip.
        max_bytes: how many bytes at most; the page has one span whatever its size.
    """
    facts = facts_of(store, [trace_id]).get(trace_id, [])
    found = distinct_spans(facts)
    if all(span.event for span in found.values()):
        # A trace of placeholders for spans that have not ended yet is shown too.
        found |= {span.span_id: span for span in facts}
    if not found:
        return _of_logs(store, trace_id)
    members = sessions_of(found)
    told = sorted(found.values(), key=lambda span: (span.start, span.span_id))
    spans = [span for span in told if not span.event]
    page = page_of_spans(store, [(trace_id, span) for span in spans[offset : offset + limit]], max_bytes)
    return WholeTrace(
        trace_id,
        start=told[0].start,
        end=max(span.end for span in told),
        services=tuple(sorted({service for span in told if (service := _service(span))})),
        sessions=tuple(sorted({pair for pairs in members.values() for pair in pairs})),
        unassigned=sum(not members[span.span_id] for span in spans),
        spans=SpanPage(page.rows, len(spans), offset + page.taken),
    )


def one_span(store: Store, trace_id: int, span_id: int) -> Row | None:
    """The row of one span; `None` if it is not stored.

    Args:
        store: where the spans are.
        trace_id: as an integer.
        span_id: as an integer.
    """
    told = [
        span for span in facts_of(store, [trace_id]).get(trace_id, []) if span.span_id == span_id and not span.event
    ]
    rows = page_of_spans(store, [(trace_id, span) for span in told], PAGE_BYTES).rows
    return rows[0] if rows else None


def _of_logs(store: Store, trace_id: int) -> WholeTrace | None:
    """A trace of which only log records are stored that are not counted; they name no session that counts."""
    with store.reading() as client:
        parameters = {"trace_id": trace_hex(trace_id)}
        ((records, start, end, services),) = client.query(statement("trace_of_logs"), parameters=parameters).result_rows
    return WholeTrace(trace_id, start, end, tuple(services), (), 0, SpanPage([], 0, 0)) if records else None


def _service(span: SpanFacts) -> str | None:
    return span.labels.service
