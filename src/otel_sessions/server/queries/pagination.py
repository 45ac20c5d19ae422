"""Which sessions a page of a list shows: those that meet the filters, by a measure, with ties in the order of ids."""

from __future__ import annotations

import json
from string import Template
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from otel_sessions.server.queries.filters import SessionFilters, conditions
from otel_sessions.server.queries.measures import SQL_MEASURES
from otel_sessions.server.queries.statements import statement

_AFTER_KNOWN: Final = (
    "isNull(Measure) OR Measure ${beyond} CAST({after:String}, '${type}')"
    " OR (Measure = CAST({after:String}, '${type}') AND SessionId > {after_id:String})"
)
_AFTER_UNKNOWN: Final = "isNull(Measure) AND SessionId > {after_id:String}"
"""A session of the same measure comes after by its id, one of unknown measure after all others."""


class Cursor(NamedTuple):
    """The last session of a page: its measure as text, `None` for unknown, and its id."""

    measure: str | None
    id: str


class Order(NamedTuple):
    """What a list is sorted by: the name of a measure, greatest first or not."""

    sort: str = "last_active"
    descending: bool = True


class Part(NamedTuple):
    """Which part of a list: so many sessions, after a cursor if there is one, without so many of them."""

    limit: int = 50
    offset: int = 0
    cursor: Cursor | None = None


class Place(NamedTuple):
    """A session in a list: the hash of its id, and where the list goes on after it."""

    hash: int
    cursor: Cursor


def places(client: Client, filters: SessionFilters, order: Order, part: Part) -> tuple[list[Place], int]:
    """The sessions of a part of a list, and how many the list has."""
    where, parameters = conditions(filters)
    measure = SQL_MEASURES[order.sort]
    after = "1"
    if part.cursor is not None:
        after = _AFTER_UNKNOWN
        parameters["after_id"] = part.cursor.id
        if part.cursor.measure is not None:
            beyond = "<" if order.descending else ">"
            after = Template(_AFTER_KNOWN).substitute(beyond=beyond, type=measure.type)
            parameters["after"] = part.cursor.measure
    sql = statement(
        "sessions_page",
        measure=measure.sql,
        where=where,
        after=after,
        direction="DESC" if order.descending else "ASC",
    )
    parameters |= {"limit": part.limit, "offset": part.offset}
    answer = json.loads(client.raw_query(sql, parameters=parameters, fmt="JSONCompact"))
    found = [Place(int(hash_), Cursor(shown, id_)) for hash_, id_, shown, is_after in answer["data"] if is_after]
    return found, answer["rows_before_limit_at_least"]
