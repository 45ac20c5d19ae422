"""Sessions side by side: by environment, model, user, tag or what their metadata says."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from otel_sessions.server.api.cursors import list_mark
from otel_sessions.server.api.endpoints import Endpoint, answer, listing
from otel_sessions.server.api.errors import bad_parameter, documented
from otel_sessions.server.api.models import Cohort, Page
from otel_sessions.server.api.pagination import first_row, page_of_all
from otel_sessions.server.api.parameters import METADATA_PARAMETER, AnyBackend, Filters, Limit, Offset, PageCursor
from otel_sessions.server.queries.cohorts import cohorts

MOST_COHORTS: Final = 10_000

_BY: Final = "environment|model|user|tag|metadata\\..+"
_WANTED: Final = "one of environment, model, user, tag, metadata.<name>"

router: Final = APIRouter(route_class=Endpoint, tags=["cohorts"], responses=documented(400, 401, 503))


@router.get(
    "/v1/cohorts",
    operation_id="listCohorts",
    summary="Compare cohorts of sessions",
    response_model=Page[Cohort],
    openapi_extra=METADATA_PARAMETER,
)
def list_cohorts(
    backend: AnyBackend,
    filters: Filters,
    by: Annotated[
        str,
        Query(
            description=f"What makes a cohort: {_WANTED}.",
            max_length=1_000,
            json_schema_extra={"pattern": f"^({_BY})$"},
            examples=["model"],
        ),
    ],
    *,
    limit: Limit = 100,
    offset: Offset = 0,
    cursor: PageCursor = None,
) -> Response:
    """The sessions that meet all conditions, grouped by a value that they have; the largest cohort first.

    Of more than 10,000 cohorts, the largest ones.
    """
    if not re.fullmatch(_BY, by, re.DOTALL):
        raise bad_parameter("by", by, _WANTED)
    mark = list_mark("cohorts", by, asdict(filters))
    first = first_row(cursor, offset, mark)
    rows = [Cohort.of(cohort) for cohort in cohorts(listing(backend), by, filters, limit=MOST_COHORTS)]
    return answer(page_of_all(rows, limit=limit, offset=first, mark=mark))
