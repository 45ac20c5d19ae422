"""`cohorts`: sessions side by side, by a facet that they have in common or by a metadata name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from otel_sessions.counting.facets import COHORTS
from otel_sessions.counting.measures import MEASURES
from otel_sessions.money import without_trailing_zeros
from otel_sessions.rules import MetadataValue
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.filters import SessionFilters, conditions, last_metadata
from otel_sessions.server.queries.statements import statement

METADATA: Final = "metadata."

QUANTILES: Final = {name: measure for name, measure in MEASURES.items() if measure.quantiles}
"""The measures whose quantiles a cohort has."""


class Cohort(NamedTuple):
    """The sessions that have one value; a session with several is in several cohorts.

    Attributes:
        value: `None` for the sessions that have none.
        sessions: how many.
        failed_sessions: how many of them have a failed trace.
        failure_rate: failed sessions over sessions.
        quantiles: by measure, the 50th and the 95th percentile: the value at that share of the sessions in order, of those for
            which it is known; `None` if it is known for none.
    """

    value: MetadataValue | None
    sessions: int
    failed_sessions: int
    failure_rate: float
    quantiles: Mapping[str, tuple[Any, Any]]


def cohorts(store: Store, by: str, filters: SessionFilters | None = None, *, limit: int = 1_000) -> list[Cohort]:
    """The cohorts of the sessions that meet the filters, as `Reader.cohorts` describes them."""
    where, parameters = conditions(filters or SessionFilters())
    of_metadata = by.startswith(METADATA) and len(by) > len(METADATA)
    if of_metadata:
        parameters["by"] = by.removeprefix(METADATA)
        value = last_metadata("by")
        values = f"if({value} = '', [], [{value}])"
    elif by in COHORTS:
        values = COHORTS[by].column.name
    else:
        raise ValueError(f"by={by!r} makes no cohorts; choose from {', '.join(COHORTS)}, {METADATA}<name>")
    sql = statement(
        "cohorts",
        quantiles=",\n    ".join(f"quantileExact({share})(m_{name})" for name in QUANTILES for share in (0.5, 0.95)),
        measures=",\n        ".join(f"{measure.expression} AS m_{name}" for name, measure in QUANTILES.items()),
        cohorts=values,
        where=where,
    )
    with store.reading() as client:
        rows = client.query(sql, parameters={**parameters, "limit": limit}).result_rows
    return [_cohort(row, of_metadata=of_metadata) for row in rows]


def _cohort(row: Any, *, of_metadata: bool) -> Cohort:
    value, sessions, failed, *quantiles = row
    if of_metadata and value is not None:
        value = json.loads(value)
    shown = iter(map(_shown, quantiles))
    return Cohort(value, sessions, failed, failed / sessions, {name: (next(shown), next(shown)) for name in QUANTILES})


def _shown(quantile: Any) -> Any:
    return without_trailing_zeros(quantile) if isinstance(quantile, Decimal) else quantile
