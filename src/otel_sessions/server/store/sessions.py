"""Lists of sessions, one session, its traces, and the session keys there are.

A list takes two queries: which sessions, in what order, then the trace groups of these, which the library folds. So what
is shown is what the library counts, whatever SQL would make of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.session import SessionRollup, SessionSum
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.store.client import Store
from otel_sessions.server.store.columns import COLUMNS, GROUPS
from otel_sessions.server.store.filters import SessionFilters, having
from otel_sessions.server.store.measures import SQL_MEASURES
from otel_sessions.server.store.session_traces import trace_group
from otel_sessions.server.store.sql import statement, statement_with

SHOWN_COLUMNS: Final = ", ".join(
    name for name in COLUMNS[GROUPS] if name not in ("Version", "Deleted", "TotalTokens", "TotalCost", "Models")
)

_AFTER: Final = {
    # A session of the same measure comes after by its id, one of unknown measure after all others.
    "known": "isNull(Measure) OR Measure {0} CAST({{after:String}}, '{1}')"
    " OR (Measure = CAST({{after:String}}, '{1}') AND Id > {{after_id:String}})",
    "unknown": "isNull(Measure) AND Id > {after_id:String}",
}


class Cursor(NamedTuple):
    """The last session of a page: its measure as text, `None` for unknown, and its id."""

    measure: str | None
    id: str


class SessionPage(NamedTuple):
    """Some sessions of a list, how many it has in all, and where the next page starts, if there is one."""

    sessions: list[SessionRollup]
    total: int
    next: Cursor | None


class TracePage(NamedTuple):
    """Some trace groups of a session, and how many it has in all."""

    traces: list[TraceGroup]
    total: int


class KeySummary(NamedTuple):
    """A session key: how many sessions, when the first started and the last ended, nanoseconds UTC."""

    key: str
    sessions: int
    first_seen: int
    last_seen: int


def list_sessions(
    store: Store,
    filters: SessionFilters | None = None,
    *,
    sort: str = "last_active",
    descending: bool = True,
    limit: int = 50,
    offset: int = 0,
    cursor: Cursor | None = None,
) -> SessionPage:
    """A page of sessions by a measure; unknown last, ties by id.

    Args:
        store: where from.
        filters: which; by default all of the key `id`.
        sort: one of `otel_sessions.counting.measures.MEASURES`.
        descending: greatest first.
        limit: how many at most.
        offset: how many to skip, after the cursor if there is one.
        cursor: what the page before gave, for the same filters and order.

    Raises:
        ValueError: for an unknown measure; the message lists the known ones.
    """
    if sort not in SQL_MEASURES:
        raise ValueError(f"sort={sort!r} is not a measure; choose from {', '.join(SQL_MEASURES)}")
    filters = filters or SessionFilters()
    measure = SQL_MEASURES[sort]
    conditions, parameters = having(filters)
    after = "1"
    if cursor is not None:
        parameters["after_id"] = cursor.id
        after = _AFTER["unknown"]
        if cursor.measure is not None:
            after = _AFTER["known"].format("<" if descending else ">", measure.type)
            parameters["after"] = cursor.measure
    sql = statement_with(
        "sessions_page",
        measure=measure.sql,
        having=conditions,
        after=f"toUInt8(ifNull({after}, 0))",
        direction="DESC" if descending else "ASC",
    )
    with store.reading() as client:
        answer = json.loads(
            client.raw_query(sql, parameters={**parameters, "limit": limit + 1, "offset": offset}, fmt="JSONCompact")
        )
    rows = [row for row in answer["data"] if row[2]]
    page = rows[:limit]
    more = Cursor(page[-1][1], page[-1][0]) if page and len(rows) > limit else None
    return SessionPage(
        _sessions(store, filters.key, [row[0] for row in page]), answer["rows_before_limit_at_least"], more
    )


def get_session(store: Store, session_id: str, *, key: str = ID_KEY) -> SessionRollup | None:
    """One session, or `None` if no span of it is stored."""
    found = _sessions(store, key, [session_id])
    return found[0] if found else None


def session_traces(store: Store, session_id: str, *, key: str = ID_KEY, limit: int = 50, offset: int = 0) -> TracePage:
    """A page of a session's traces, in the order of their start in the session."""
    rows, total = _page("groups_page", store, session_id, key, limit, offset)
    return TracePage([trace_group(row) for row in rows], total)


def keys(store: Store) -> list[KeySummary]:
    """The session keys there are, the one with most sessions first."""
    with store.reading() as client:
        return [KeySummary(*row) for row in client.query(statement("keys")).result_rows]


def _page(
    name: str, store: Store, session_id: str, key: str, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    parameters = {"key": key, "id": session_id, "limit": limit, "offset": offset}
    with store.reading() as client:
        rows = list(client.query(statement_with(name, columns=SHOWN_COLUMNS), parameters=parameters).named_results())
        if rows or not offset:
            return rows, rows[0]["Total"] if rows else 0
    return [], _page(name, store, session_id, key, 1, 0)[1]


def _sessions(store: Store, key: str, ids: list[str]) -> list[SessionRollup]:
    """These sessions in this order; without those that went meanwhile."""
    sums: dict[str, SessionSum] = {}
    for group in _groups(store, key, ids):
        session = sums.get(group.value)
        if session is None:
            session = sums[group.value] = SessionSum(key, group.value)
        session.add(group)
    return [sums[id_].rollup() for id_ in ids if id_ in sums]


def _groups(store: Store, key: str, ids: list[str]) -> Iterable[TraceGroup]:
    """The trace groups of sessions, those of each in the order of their start."""
    if not ids:
        return
    sql = statement_with("groups_of_sessions", columns=SHOWN_COLUMNS)
    with (
        store.reading() as client,
        client.query_column_block_stream(sql, parameters={"key": key, "ids": ids}) as blocks,
    ):
        names = blocks.source.column_names
        for block in blocks:
            for row in zip(*block, strict=True):
                yield trace_group(dict(zip(names, row, strict=True)))
