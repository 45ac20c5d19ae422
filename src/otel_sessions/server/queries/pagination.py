"""The sessions of one page of a list: those that meet the filters, by a measure, with ties in the order of ids."""

from __future__ import annotations

import json
from string import Template
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from otel_sessions.counting.measures import measure_of
from otel_sessions.server.queries.filters import SessionFilters, conditions
from otel_sessions.server.queries.session_score import SORTED, score_of_sessions, score_of_sort, type_of_sort
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


class Row(NamedTuple):
    """A session in a list: the hash of its id, and the cursor of the list behind it."""

    id_hash: int
    cursor: Cursor


def rows_of_page(
    client: Client,
    filters: SessionFilters,
    *,
    sort: str,
    descending: bool,
    limit: int,
    offset: int = 0,
    cursor: Cursor | None = None,
) -> tuple[list[Row], int]:
    """The sessions of a page, and how many the whole list has.

    Args:
        client: reads.
        filters: which sessions.
        sort: the name of a measure, or `score.` and the name of a score.
        descending: greatest first.
        limit: how many at most.
        offset: how many to skip, behind the cursor if there is one.
        cursor: the last session of the page before.

    Raises:
        ValueError: for an unknown measure; the message lists the known ones.
    """
    where, parameters = conditions(filters)
    score, joined = score_of_sort(sort), ""
    if score is None:
        measure = measure_of(sort).expression
    else:
        measure, parameters[SORTED] = "Score", score
        joined = f"LEFT ANY JOIN ({score_of_sessions(SORTED)}) AS scored ON IdHash = ScoredHash"
    after = "1"
    if cursor is not None:
        after = _AFTER_UNKNOWN
        parameters["after_id"] = cursor.id
        if cursor.measure is not None:
            after = Template(_AFTER_KNOWN).substitute(beyond="<" if descending else ">", type=type_of_sort(sort))
            parameters["after"] = cursor.measure
    sql = statement(
        "sessions_page",
        measure=measure,
        joined=joined,
        where=where,
        after=after,
        direction="DESC" if descending else "ASC",
    )
    parameters |= {"limit": limit, "offset": offset}
    answer = json.loads(client.raw_query(sql, parameters=parameters, fmt="JSONCompact"))
    found = [Row(int(hash_), Cursor(shown, id_)) for hash_, id_, shown, is_after in answer["data"] if is_after]
    return found, answer["rows_before_limit_at_least"]
