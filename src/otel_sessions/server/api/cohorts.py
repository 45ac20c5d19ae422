"""Cohorts: sessions grouped by a facet or a metadata value, for comparison."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from otel_sessions.counting.facets import COHORTS
from otel_sessions.server.api.compared_filters import Compared
from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import ApiError, error_responses, invalid_parameter
from otel_sessions.server.api.models import Cohort, Page
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import MAX_LENGTH, Filters
from otel_sessions.server.queries.cohorts import METADATA

COHORTS_A_PAGE: Final = 100
MAX_COHORTS: Final = 10_000

_BY: Final = f"{'|'.join(COHORTS)}|{re.escape(METADATA)}.+"
_EXPECTED: Final = f"one of {', '.join(COHORTS)}, {METADATA}<name>"

router: Final = APIRouter(route_class=Endpoint, tags=["cohorts"], responses=error_responses(400, 401, 421, 503))


@router.get(
    "/v1/cohorts",
    operation_id="listCohorts",
    summary="Compare cohorts of sessions",
    response_model=Page[Cohort],
    response_description="A page of the cohorts.",
)
def list_cohorts(
    reader: ReaderDep,
    filters: Filters,
    query: Annotated[PageQuery, Depends(page_query(COHORTS_A_PAGE))],
    compared: Compared,
    by: Annotated[
        str | None,
        Query(
            description=f"What to group sessions by: {_EXPECTED}.",
            max_length=MAX_LENGTH,
            json_schema_extra={"pattern": f"^({_BY})$"},
            examples=["model"],
        ),
    ] = None,
) -> Response:
    """Group the sessions that meet all conditions by a value that they have; the largest cohort comes first.

    If there are more than 10,000 cohorts, only the largest are listed. Instead of `by`, `a.<filter>` and `b.<filter>` say which sessions
    are compared with which others: the cohorts are then called `a` and `b`, and one without sessions is left out.
    """
    if compared:
        if by is not None:
            raise ApiError(400, "invalid_parameter", "by and a.<filter>, b.<filter> make cohorts in two ways; give one")
        page = query.counted("cohorts", {name: asdict(filters) for name, filters in compared.items()})
        found = ((name, reader.cohort_of(filters)) for name, filters in compared.items())
        return answer(
            page.cut_from([Cohort.of(cohort._replace(value=name)) for name, cohort in found if cohort is not None])
        )
    if by is None:
        raise ApiError(
            400,
            "invalid_parameter",
            f"by is missing. What to group sessions by: {_EXPECTED}; or give a.<filter> and b.<filter>.",
        )
    if not re.fullmatch(_BY, by, re.DOTALL):
        raise invalid_parameter("by", by, _EXPECTED)
    page = query.counted("cohorts", by, asdict(filters))
    return answer(page.cut_from([Cohort.of(cohort) for cohort in reader.cohorts(by, filters, limit=MAX_COHORTS)]))
