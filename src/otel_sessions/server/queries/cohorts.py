"""`cohorts`: sessions side by side, by a facet that they have in common or by a metadata name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.counting.facets import COHORTS
from otel_sessions.counting.measures import MEASURES
from otel_sessions.money import without_trailing_zeros
from otel_sessions.rules import MetadataValue
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.filters import SessionFilters, conditions, last_metadata
from otel_sessions.server.queries.session_score import score_of_sessions
from otel_sessions.server.queries.statements import statement

METADATA: Final = "metadata."

QUANTILES: Final = {name: measure for name, measure in MEASURES.items() if measure.quantiles}
"""The measures whose quantiles a cohort has."""


class CohortScore(NamedTuple):
    """The scores of one name in a cohort: how many sessions have one, and their mean."""

    sessions: int
    mean: float


class Cohort(NamedTuple):
    """The sessions that have one value; a session with several is in several cohorts.

    Attributes:
        value: `None` for the sessions that have none.
        sessions: how many.
        failed_sessions: how many of them have a failed trace.
        failure_rate: failed sessions over sessions.
        quantiles: by measure, the 50th and the 95th percentile: the value at that share of the sessions in order, of those for
            which it is known; `None` if it is known for none.
        scores: by name of a score, of how many of the sessions it is known, and the mean of what lists sort these by.
    """

    value: MetadataValue | None
    sessions: int
    failed_sessions: int
    failure_rate: float
    quantiles: Mapping[str, tuple[Any, Any]]
    scores: Mapping[str, CohortScore] = MappingProxyType({})


def cohorts(store: Store, by: str, filters: SessionFilters | None = None, *, limit: int = 1_000) -> list[Cohort]:
    """The cohorts of the sessions that meet the filters, as `Reader.cohorts` describes them."""
    of_metadata = by.startswith(METADATA) and len(by) > len(METADATA)
    more: dict[str, Any] = {}
    if of_metadata:
        more["by"] = by.removeprefix(METADATA)
        value = last_metadata("by")
        values = f"if({value} = '', [], [{value}])"
    elif by in COHORTS:
        values = COHORTS[by].column.name
    else:
        raise ValueError(f"by={by!r} makes no cohorts; choose from {', '.join(COHORTS)}, {METADATA}<name>")
    return _cohorts(store, values, filters or SessionFilters(), {**more, "limit": limit}, of_metadata=of_metadata)


def cohort_of(store: Store, filters: SessionFilters) -> Cohort | None:
    """The sessions that meet the filters as one cohort without a value; `None` without any."""
    return next(iter(_cohorts(store, "[]", filters, {"limit": 1})), None)


def _cohorts(
    store: Store, values: str, filters: SessionFilters, more: Mapping[str, Any], *, of_metadata: bool = False
) -> list[Cohort]:
    where, parameters = conditions(filters)
    parameters |= more
    sql = statement(
        "cohorts",
        quantiles=",\n    ".join(f"quantileExact({share})(m_{name})" for name in QUANTILES for share in (0.5, 0.95)),
        measures=",\n        ".join(f"{measure.expression} AS m_{name}" for name, measure in QUANTILES.items()),
        cohorts=values,
        where=where,
    )
    scores: dict[str | None, dict[str, CohortScore]] = {}
    with store.reading() as client:
        rows = client.query(sql, parameters=parameters).result_rows
        if client.query(statement("has_scores"), parameters={"key": filters.key}).result_rows:
            of_scores = statement("cohort_scores", cohorts=values, where=where, scores=score_of_sessions())
            for cohort, name, *numbers in client.query(of_scores, parameters=parameters).result_rows:
                scores.setdefault(cohort, {})[name] = _score(*numbers)
    return [_cohort(row, scores.get(row[0], {}), of_metadata=of_metadata) for row in rows]


def _score(sessions: int, exact: Decimal | None, inexact: int, rounded: float) -> CohortScore:
    return CohortScore(sessions, rounded / sessions if inexact or exact is None else float(Fraction(exact) / sessions))


def _cohort(row: Any, scores: Mapping[str, CohortScore], *, of_metadata: bool) -> Cohort:
    value, sessions, failed, *quantiles = row
    if of_metadata and value is not None:
        value = json.loads(value)
    shown = iter(map(_shown, quantiles))
    measured = {name: (next(shown), next(shown)) for name in QUANTILES}
    return Cohort(value, sessions, failed, failed / sessions, measured, scores)


def _shown(quantile: Any) -> Any:
    return without_trailing_zeros(quantile) if isinstance(quantile, Decimal) else quantile
