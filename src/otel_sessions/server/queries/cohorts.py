"""`cohorts`: sessions side by side, by environment, model, user, tag or a metadata name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final, NamedTuple

from otel_sessions.money import shown_money
from otel_sessions.rules import MetadataValue
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.filters import SessionFilters, conditions, last_metadata
from otel_sessions.server.queries.measures import SQL_MEASURES
from otel_sessions.server.queries.statements import statement

METADATA: Final = "metadata."

_SETS: Final = {
    "environment": "Environments",
    "model": "Models",
    "user": "UserIds",
    "tag": "Tags",
}


class Cohort(NamedTuple):
    """The sessions that have one value; a session with several is in several cohorts.

    Quantiles are values of a session, the one at that share of the order from below; of sessions where it is unknown,
    none; `None` if it is unknown for all.

    Attributes:
        value: `None` for the sessions that have none.
        sessions: how many.
        failed_sessions: how many of them have a failed trace.
        failure_rate: failed sessions over sessions.
    """

    value: MetadataValue | None
    sessions: int
    failed_sessions: int
    failure_rate: float
    cost_p50: Decimal | None
    cost_p95: Decimal | None
    tokens_p50: int | None
    tokens_p95: int | None
    duration_ms_p50: float
    duration_ms_p95: float


def cohorts(store: Store, by: str, filters: SessionFilters | None = None, *, limit: int = 1_000) -> list[Cohort]:
    """The cohorts of the sessions that the filters leave, the largest first.

    Args:
        store: where from.
        by: `environment`, `model`, `user`, `tag` or `metadata.<name>`.
        filters: which sessions.
        limit: how many cohorts at most.

    Raises:
        ValueError: for another `by`; the message lists what it can be.
    """
    where, parameters = conditions(filters or SessionFilters())
    of_metadata = by.startswith(METADATA) and len(by) > len(METADATA)
    if of_metadata:
        parameters["by"] = by.removeprefix(METADATA)
        value = last_metadata("by")
        values = f"if({value} = '', [], [{value}])"
    elif by in _SETS:
        values = _SETS[by]
    else:
        raise ValueError(f"by={by!r} makes no cohorts; choose from {', '.join(_SETS)}, {METADATA}<name>")
    sql = statement(
        "cohorts",
        cost=SQL_MEASURES["cost"].sql,
        tokens=SQL_MEASURES["tokens"].sql,
        duration=SQL_MEASURES["duration"].sql,
        cohorts=values,
        where=where,
    )
    with store.reading() as client:
        rows = client.query(sql, parameters={**parameters, "limit": limit}).result_rows
    return [_cohort(row, of_metadata=of_metadata) for row in rows]


def _cohort(row: Any, *, of_metadata: bool) -> Cohort:
    value, sessions, failed, cost_p50, cost_p95, *rest = row
    if of_metadata and value is not None:
        value = json.loads(value)
    return Cohort(value, sessions, failed, failed / sessions, _tidy(cost_p50), _tidy(cost_p95), *rest)


def _tidy(amount: Decimal | None) -> Decimal | None:
    """The same amount without the zeros of its column."""
    written = shown_money(amount)
    return None if written is None else Decimal(written)
