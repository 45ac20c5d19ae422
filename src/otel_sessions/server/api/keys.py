"""The session keys in the store."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import error_responses
from otel_sessions.server.api.models import Page, SessionKey
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import MAX_ROWS

router: Final = APIRouter(route_class=Endpoint, tags=["sessions"], responses=error_responses(400, 401, 421, 503))


@router.get(
    "/v1/keys",
    operation_id="listKeys",
    summary="List session keys",
    response_model=Page[SessionKey],
    response_description="A page of the session keys.",
)
def list_keys(reader: ReaderDep, query: Annotated[PageQuery, Depends(page_query(MAX_ROWS))]) -> Response:
    """List the session keys, the one with the most sessions first, and when each was first and last seen."""
    page = query.counted("keys")
    return answer(page.cut_from([SessionKey.of(summary) for summary in reader.keys()]))  # noqa: SIM118 - not a dict
