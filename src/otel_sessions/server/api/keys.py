"""The session keys that there are."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from otel_sessions.server.api.cursors import list_mark
from otel_sessions.server.api.endpoints import Endpoint, answer, listing
from otel_sessions.server.api.errors import documented
from otel_sessions.server.api.models import Page, SessionKey
from otel_sessions.server.api.pagination import first_row, page_of_all
from otel_sessions.server.api.parameters import MOST_ROWS, AnyBackend, Limit, Offset, PageCursor
from otel_sessions.server.queries.sessions import keys

router: Final = APIRouter(route_class=Endpoint, tags=["sessions"], responses=documented(400, 401, 503))


@router.get("/v1/keys", operation_id="listKeys", summary="List session keys", response_model=Page[SessionKey])
def list_keys(
    backend: AnyBackend, *, limit: Limit = MOST_ROWS, offset: Offset = 0, cursor: PageCursor = None
) -> Response:
    """The session keys, the one with most sessions first: how many, when the first started and the last ended."""
    mark = list_mark("keys")
    first = first_row(cursor, offset, mark)
    rows = [SessionKey.of(summary) for summary in keys(listing(backend))]
    return answer(page_of_all(rows, limit=limit, offset=first, mark=mark))
