"""Which log records are stored: a record has no id of its own, so it is known by its place among acknowledged requests.

The rows of a segment's log records are numbered from 0, in the order of its requests; `Segment` and `SegmentRow` of
`otel_logs` say which one a row is. Rows that a Collector wrote have neither, and segments are numbered from 1.
"""

from __future__ import annotations

from otel_sessions.server.store.client import Store
from otel_sessions.server.store.sql import statement


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
