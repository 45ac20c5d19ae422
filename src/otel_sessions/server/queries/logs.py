"""The log records of a session, by page."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.columns import COLUMNS, LOGS
from otel_sessions.server.clickhouse.span_rows import Row
from otel_sessions.server.projections.session_logs import logs_of_session
from otel_sessions.server.queries.log_filters import LogFilters, log_conditions
from otel_sessions.server.queries.spans import PAGE_BYTES
from otel_sessions.server.queries.statements import statement

_COLUMNS: Final = ", ".join(
    ("toUnixTimestamp64Nano(Timestamp) AS Time", *(f"`{name}`" for name in COLUMNS[LOGS] if name != "Timestamp"))
)
_TIE: Final = "if(Segment = 0, cityHash64(TraceId, SpanId, EventName, SeverityNumber, LogAttributes), 0)"
_TIE_BESIDE_A_COLLECTOR: Final = _TIE.replace("LogAttributes", "LogAttributes, Body")
"""Tells rows of one time apart that a Collector wrote; the server's own have a place in a segment."""

_PLACE: Final = "(toUnixTimestamp64Nano(Timestamp), Segment, SegmentRow, {tie})"
_CURSOR: Final = "({%s_time:Int64}, {%s_segment:UInt64}, {%s_row:UInt32}, {%s_tie:UInt64})"


class LogCursor(NamedTuple):
    """The last log record of a page.

    Attributes:
        time: when it was made, nanoseconds UTC.
        segment: the segment that it came in; 0 for a row that a Collector wrote.
        row: its place there.
        tie: tells it from others of the same time, segment and place.
    """

    time: int
    segment: int
    row: int
    tie: int


class LogPage(NamedTuple):
    """Some log records of a session, how many there are in all, and the cursor of the next page; `None` if this is the last."""

    logs: list[Row]
    total: int
    next: LogCursor | None


def session_logs(
    store: Store,
    session_id: str,
    filters: LogFilters | None = None,
    *,
    key: str = ID_KEY,
    descending: bool = False,
    limit: int = 100,
    offset: int = 0,
    cursor: LogCursor | None = None,
    max_bytes: int = PAGE_BYTES,
) -> LogPage | None:
    """A page of a session's log records that meet all conditions, as `Reader.logs` describes it."""
    found = logs_of_session(store, (key, session_id))
    if not found.exists:
        return None
    where, of_filters = log_conditions(filters or LogFilters())
    tie = _TIE if store.is_embedded else _TIE_BESIDE_A_COLLECTOR
    place = _PLACE.replace("{tie}", tie)
    parts = {
        "may_be": found.may_be,
        "of_session": found.are,
        "where": where,
        "after": "1",
        "tie": tie,
        "direction": "DESC" if descending else "ASC",
    }
    parameters = {**found.parameters, **of_filters, "limit": limit + 1, "offset": offset}
    if cursor is not None:
        parts["after"] = f"{place} {'<' if descending else '>'} {_named('after')}"
        parameters |= _values("after", cursor)
    with store.reading() as client:
        sql = statement("session_logs_page", **parts)
        answer = json.loads(client.raw_query(sql, parameters=parameters, fmt="JSONCompact"))
    total: int = answer["rows_before_limit_at_least"]
    places = [LogCursor(*map(int, at)) for *at, is_after in answer["data"] if is_after]
    if not places:
        return LogPage([], total, None)
    page = places[:limit]
    first, last = (page[-1], page[0]) if descending else (page[0], page[-1])
    parts["after"] = f"{place} >= {_named('first')} AND {place} <= {_named('last')}"
    if all(one.segment for one in page):
        # What was asked for is known by its place.
        parts |= {
            "may_be": "(Segment, SegmentRow) IN (SELECT arrayJoin(arrayZip({segments:Array(UInt64)}, {rows:Array(UInt32)})))",
            "of_session": "1",
            "where": "1",
        }
        parameters = {"segments": [one.segment for one in page], "rows": [one.row for one in page]}
    parameters |= {**_values("first", first), **_values("last", last), "max_bytes": max_bytes}
    with store.reading() as client:
        sql = statement("session_logs", columns=_COLUMNS, **parts)
        rows: list[Row] = list(client.query(sql, parameters=parameters).named_results())
    return LogPage(rows, total, places[len(rows) - 1] if rows and len(rows) < len(places) else None)


def _named(which: str) -> str:
    """A place in parameters, as SQL."""
    return _CURSOR.replace("%s", which)


def _values(which: str, place: LogCursor) -> dict[str, int]:
    """The parameters of a place."""
    return {f"{which}_{name}": value for name, value in place._asdict().items()}
