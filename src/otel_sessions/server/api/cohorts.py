"""Cohorts: sessions grouped by a facet or a metadata value, for comparison."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from otel_sessions.counting.facets import COHORTS
from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import error_responses, invalid_parameter
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
    by: Annotated[
        str,
        Query(
            description=f"What to group sessions by: {_EXPECTED}.",
            max_length=MAX_LENGTH,
            json_schema_extra={"pattern": f"^({_BY})$"},
            examples=["model"],
        ),
    ],
) -> Response:
    """Group the sessions that meet all conditions by a value that they have; the largest cohort comes first.

    If there are more than 10,000 cohorts, only the largest are listed.
    """
    if not re.fullmatch(_BY, by, re.DOTALL):
        raise invalid_parameter("by", by, _EXPECTED)
    page = query.counted("cohorts", by, asdict(filters))
    return answer(page.cut_from([Cohort.of(cohort) for cohort in reader.cohorts(by, filters, limit=MAX_COHORTS)]))
