"""Lists of sessions, one session, its traces, and the session keys there are.

A list takes two queries: one for the sessions of the page, in their order, and one for their trace groups, which the library folds. So
the numbers that a reader gets are the library's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.fold import SessionSum
from otel_sessions.counting.score_summary import summaries
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.projections.session_row import id_hash
from otel_sessions.server.projections.trace_groups import SHOWN_COLUMNS, trace_group
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.given import NOTHING_GIVEN, Given, HasGiven, given_to, has_given
from otel_sessions.server.queries.pagination import Cursor, rows_of_page
from otel_sessions.server.queries.statements import statement

_COLUMNS: Final = ", ".join(SHOWN_COLUMNS)


class SessionPage(NamedTuple):
    """Some sessions of a list, how many the list has, and the cursor of the next page; `None` if this is the last."""

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
    may_be_given: HasGiven | None = None,
) -> SessionPage:
    """A page of sessions, as `Reader.sessions` describes it."""
    filters = filters or SessionFilters()
    with store.reading() as client:
        found, total = rows_of_page(
            client, filters, sort=sort, descending=descending, limit=limit + 1, offset=offset, cursor=cursor
        )
    page = found[:limit]
    sessions = _sessions(store, filters.key, [row.id_hash for row in page], may_be_given)
    # A session that was deleted between the two queries is left out.
    shown = [sessions[row.id_hash] for row in page if row.id_hash in sessions]
    return SessionPage(shown, total, page[-1].cursor if len(found) > limit else None)


def get_session(
    store: Store, session_id: str, *, key: str = ID_KEY, may_be_given: HasGiven | None = None
) -> SessionRollup | None:
    """One session, or `None` if no span of it is stored."""
    return next(iter(_sessions(store, key, [id_hash(session_id)], may_be_given).values()), None)


def session_traces(store: Store, session_id: str, *, key: str = ID_KEY, limit: int = 50, offset: int = 0) -> TracePage:
    """A page of a session's traces, in the order of their start in the session."""
    rows, total = _page("groups_page", store, session_id, key, limit, offset)
    return TracePage([trace_group(row[:-1]) for row in rows], total)


def keys(store: Store) -> list[KeySummary]:
    """All session keys, the one with most sessions first."""
    with store.reading() as client:
        return [KeySummary(*row) for row in client.query(statement("keys")).result_rows]


def _page(name: str, store: Store, session_id: str, key: str, limit: int, offset: int) -> tuple[list[Any], int]:
    parameters = {"key": key, "hash": id_hash(session_id), "limit": limit, "offset": offset}
    with store.reading() as client:
        rows = list(client.query(statement(name, columns=_COLUMNS), parameters=parameters).result_rows)
        if rows or not offset:
            return rows, rows[0][-1] if rows else 0
    return [], _page(name, store, session_id, key, 1, 0)[1]


def _sessions(store: Store, key: str, hashes: list[int], may_be_given: HasGiven | None) -> dict[int, SessionRollup]:
    """Some sessions by the hashes of their ids."""
    sums: dict[int, SessionSum] = {}
    now = time.time_ns()
    for hash_, group in _groups(store, {"key": key, "hashes": hashes}):
        session = sums.get(hash_)
        if session is None:
            session = sums[hash_] = SessionSum(key, group.value)
        session.add(group)
    may_be = has_given(store) if may_be_given is None else may_be_given()
    given = given_to(store, key, list(sums)) if may_be else {}
    return {hash_: _rollup(session, given.get(hash_, NOTHING_GIVEN), now) for hash_, session in sums.items()}


def _rollup(session: SessionSum, given: Given, now: int) -> SessionRollup:
    session.given_name = given.name
    rollup = session.rollup(now)
    if given is NOTHING_GIVEN:
        return rollup
    return replace(rollup, scores=summaries(given.scores), annotation_count=given.annotations)


def _groups(store: Store, parameters: dict[str, Any]) -> Iterator[tuple[int, TraceGroup]]:
    """The trace groups of sessions, those of each in the order of their start, after the hash of its id."""
    sql = statement("groups_of_sessions", columns=_COLUMNS)
    with store.reading() as client, client.query_column_block_stream(sql, parameters=parameters) as blocks:
        for block in blocks:
            for *row, hash_ in zip(*block, strict=True):
                yield hash_, trace_group(row)
