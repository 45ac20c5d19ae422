"""`histogram`: sessions by when they were last active, in buckets of equal length."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from otel_sessions.money import without_trailing_zeros
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.filters import SessionFilters, conditions
from otel_sessions.server.queries.statements import statement

MOST_BUCKETS: Final = 1_000


class Bucket(NamedTuple):
    """The sessions that were last active in a time; times in nanoseconds UTC.

    Attributes:
        start: inclusive.
        end: exclusive.
        sessions: how many.
        failed: how many of them have a failed trace.
        cost: USD of the calls whose cost is known; `None` if it is known for none.
        cost_exact: false if the cost of a session is not known, or only a lower bound.
        tokens: of all model calls; `None` if none reported any.
    """

    start: int
    end: int
    sessions: int = 0
    failed: int = 0
    cost: Decimal | None = None
    cost_exact: bool = True
    tokens: int | None = None


def histogram(store: Store, filters: SessionFilters | None = None, *, buckets: int = 60) -> list[Bucket]:
    """The buckets in the order of time, as `Reader.histogram` describes them."""
    filters = filters or SessionFilters()
    where, parameters = conditions(filters)
    with store.reading() as client:
        ((sessions, first, last),) = client.query(
            statement("histogram_range", where=where), parameters=parameters
        ).result_rows
    found = edges(filters.since, filters.until, (first, last) if sessions else None, buckets)
    if not found or not sessions:
        return [Bucket(start, end) for start, end in found]
    start, end = found[0]
    bounds = {"first": start, "width": end - start, "greatest": len(found) - 1}
    with store.reading() as client:
        rows = client.query(statement("histogram", where=where), parameters={**parameters, **bounds}).result_rows
    filled = {
        place: Bucket(
            *found[place], count, failed, None if cost is None else without_trailing_zeros(cost), not inexact, tokens
        )
        for place, count, failed, cost, inexact, tokens in rows
    }
    return [filled.get(place, Bucket(*edge)) for place, edge in enumerate(found)]


def edges(since: int | None, until: int | None, active: tuple[int, int] | None, most: int) -> list[tuple[int, int]]:
    """The start and end of each bucket: all of one length, the last one perhaps shorter.

    Args:
        since: where they begin; by default at the first activity.
        until: where they end; by default behind the last activity.
        active: the first and the last activity of the sessions; `None` without any.
        most: how many buckets at most; there are fewer where the time is too short.
    """
    if active is None and (since is None or until is None):
        return []
    first, last = active or (0, 0)
    start = since if since is not None else first if until is None else min(first, until - 1)
    end = max(last + 1 if until is None else until, start + 1)
    width = -(-(end - start) // most)
    return [(at, min(at + width, end)) for at in range(start, end, width)]
