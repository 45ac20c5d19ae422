"""Which sessions a page of a list shows: those that meet the filters, by a measure, with ties in the order of ids.

Ids are long and there are many, so sessions are told by a hash of theirs, and ids are looked at only where sessions of
equal measure meet the border of the page.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from otel_sessions.server.store.filters import SessionFilters, conditions
from otel_sessions.server.store.measures import SQL_MEASURES, SqlMeasure
from otel_sessions.server.store.sql import statement_with

SPARE: Final = 64
"""How many sessions before and after a page are fetched to see the others of equal measure."""

_AFTER: Final = {
    # A session of the same measure comes after by its id, one of unknown measure after all others.
    "known": "isNull(Measure) OR Measure {0} CAST({{after:String}}, '{1}')"
    " OR (Measure = CAST({{after:String}}, '{1}') AND SessionId > {{after_id:String}})",
    "known or equal": "isNull(Measure) OR Measure {0}= CAST({{after:String}}, '{1}')",
    "unknown": "isNull(Measure) AND SessionId > {{after_id:String}}",
    "unknown or equal": "isNull(Measure)",
}


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
    """A session by the hash of its id, its measure as text, and its rank: sessions of equal rank are in the order of ids."""

    hash: int
    measure: str | None
    rank: int


class Window(NamedTuple):
    """The sessions of a page, and all others that are of equal rank with one of them.

    Attributes:
        places: by rank.
        skip: how many of them, ids considered, come before the page.
        total: how many sessions the list has.
        more: whether sessions follow.
    """

    places: list[Place]
    skip: int
    total: int
    more: bool


def window(client: Client, filters: SessionFilters, order: Order, part: Part) -> Window:
    """The window that holds a page of the list.

    With a cursor, the places that it and the ids tell to be before the page are neither left out nor in `skip`.
    """
    where, parameters = conditions(filters)
    if part.cursor is not None:
        parameters |= {"after_id": part.cursor.id, "after": part.cursor.measure}
    query = _Query(client, order, where, parameters)
    # Of the measures that many sessions share it is known beforehand that ids are needed.
    in_doubt = SQL_MEASURES[order.sort].coarse or (part.cursor is not None and part.offset)
    return (None if in_doubt else _by_measure(query, part)) or _by_measure_and_id(query, part)


class _Query(NamedTuple):
    client: Client
    order: Order
    where: str
    parameters: dict[str, Any]

    @property
    def measure(self) -> SqlMeasure:
        return SQL_MEASURES[self.order.sort]

    def rows(self, part: Part, *, with_ids: bool) -> tuple[list[tuple[int, str | None]], int]:
        """Hash and measure of sessions, and how many there are; sessions of equal measure in any order without ids."""
        after = "1"
        if part.cursor is not None:
            known = "unknown" if part.cursor.measure is None else "known"
            template = _AFTER[known if with_ids else f"{known} or equal"]
            after = template.format("<" if self.order.descending else ">", self.measure.type)
        sql = statement_with(
            "sessions_page",
            columns="IdHash, Id AS SessionId" if with_ids else "IdHash",
            measure=self.measure.sql,
            where=self.where,
            after=f"toUInt8(ifNull({after}, 0))",
            direction="DESC" if self.order.descending else "ASC",
            ties=", SessionId" if with_ids else "",
        )
        parameters = {**self.parameters, "limit": part.limit, "offset": part.offset}
        answer = json.loads(self.client.raw_query(sql, parameters=parameters, fmt="JSONCompact"))
        rows = [(int(hash_), measure) for hash_, measure, is_after in answer["data"] if is_after]
        return rows, answer["rows_before_limit_at_least"]


def _by_measure(query: _Query, part: Part) -> Window | None:
    """The window without ids; `None` if more sessions of equal measure meet the border of the page than are spare."""
    first = max(0, part.offset - SPARE)
    begin = part.offset - first
    asked = begin + part.limit + 1 + SPARE
    rows, total = query.rows(Part(asked, first, part.cursor), with_ids=False)
    end = begin + part.limit
    if part.cursor is not None:
        end += sum(measure == part.cursor.measure for _, measure in rows)
    end = min(end, len(rows))
    if begin >= end:
        return Window([], 0, total, more=False)
    ranks = _ranks(rows)
    from_, to = ranks.index(ranks[begin]), len(rows)
    while ranks[to - 1] != ranks[end - 1]:
        to -= 1
    if (from_ == 0 and first) or to == len(rows) == asked:
        return None
    places = [Place(*row, rank) for row, rank in zip(rows[from_:to], ranks[from_:to], strict=True)]
    return Window(places, begin - from_, total, more=to < len(rows))


def _by_measure_and_id(query: _Query, part: Part) -> Window:
    rows, total = query.rows(part._replace(limit=part.limit + 1), with_ids=True)
    places = [Place(*row, rank) for rank, row in enumerate(rows[: part.limit])]
    return Window(places, 0, total, more=len(rows) > part.limit)


def _ranks(rows: list[tuple[int, str | None]]) -> list[int]:
    """For each row, how many different measures come before its own."""
    ranks = [0]
    for (_, before), (_, measure) in pairwise(rows):
        ranks.append(ranks[-1] + (before != measure))
    return ranks
