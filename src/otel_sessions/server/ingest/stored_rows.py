"""Which log records are stored: a record has no id of its own, so it is known by its place among acknowledged requests.

The rows of a segment's log records are numbered from 0, in the order of its requests; `Segment` and `SegmentRow` of
`otel_logs` say which one a row is. Rows that a Collector wrote have neither, and segments are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterable

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import trace_hex
from otel_sessions.server.ingest.statements import statement
from otel_sessions.server.projections.trace_facts import TRACES_PER_QUERY, chunks


def stored_log_rows(store: Store, segment: int) -> set[int]:
    """The places in a segment of those of its log records that are stored.

    A segment that is committed again, and only such a one, may have some.
    """
    with store.reading() as client:
        rows = client.query(statement("stored_log_rows"), parameters={"segment": segment}).result_rows
    return {int(row) for (row,) in rows}


def last_segment(store: Store) -> int:
    """The greatest number of a segment that log records are stored of; 0 if there are none.

    A log of requests whose folder was lost must not number its segments from less than the next one.
    """
    with store.reading() as client:
        return int(client.query(statement("last_segment")).result_rows[0][0])


def stored_spans(store: Store, trace_ids: Iterable[int], *, at_once: int = TRACES_PER_QUERY) -> set[tuple[int, int]]:
    """The (trace id, span id) of all rows of these traces."""
    found: set[tuple[int, int]] = set()
    for some in chunks(trace_ids, at_once):
        with store.reading() as client:
            rows = client.query(
                statement("stored_spans"), parameters={"trace_ids": [trace_hex(trace_id) for trace_id in some]}
            ).result_rows
        found.update((int(trace_id, 16), int(span_id, 16)) for trace_id, span_id in rows)
    return found
