"""Lookups of stored rows, for commits that may have been made in part.

A log record has no id, so it is identified by its place among acknowledged requests: the log records of a segment are
numbered from 0 in the order of its requests. `SegmentRow` of `otel_logs` holds that number, and `Segment` the identity of the
segment, which no segment of another log has. Both are empty in rows that a Collector wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.span_rows import trace_hex
from otel_sessions.server.clickhouse.sql import Statements
from otel_sessions.server.projections.trace_facts import TRACES_PER_QUERY, chunks

statement: Final = Statements("otel_sessions.server.ingest")


def stored_log_rows(store: Store, segment: int) -> set[int]:
    """The numbers of the stored log records of the segment with this identity."""
    with store.reading() as client:
        rows = client.query(statement("stored_log_rows"), parameters={"segment": segment}).result_rows
    return {int(row) for (row,) in rows}


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
