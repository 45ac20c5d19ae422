"""Sessions: lists of them, one with its traces, the parts of one, and its deletion."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.responses import Response

from otel_sessions.attributes import ID_KEY
from otel_sessions.server.api.cursors import list_mark, read_session_cursor, session_cursor
from otel_sessions.server.api.endpoints import Endpoint, answer, listing, reading, reading_spans
from otel_sessions.server.api.errors import ApiError, documented
from otel_sessions.server.api.models import Deleted, One, Page, Pagination, Session, SessionWithTraces, Trace
from otel_sessions.server.api.pagination import first_row, page
from otel_sessions.server.api.parameters import (
    METADATA_PARAMETER,
    AnyBackend,
    Filters,
    Key,
    Limit,
    Offset,
    Order,
    PageCursor,
    Sort,
)
from otel_sessions.server.api.session_routes import SESSION, SESSIONS, SessionEndpoint
from otel_sessions.server.api.span_models import Span
from otel_sessions.server.api.validation_messages import shortened
from otel_sessions.server.queries.sessions import get_session, list_sessions, session_traces
from otel_sessions.server.queries.spans import session_spans

_PAGE: Final = 50
_SPANS: Final = 100

SessionId = Annotated[
    str,
    Path(description="The session's id, percent-encoded, also its slashes: `a/b` is `a%2Fb`.", examples=["ticket-1"]),
]

lists: Final = APIRouter(route_class=Endpoint, tags=["sessions"], responses=documented(400, 401, 503))
single: Final = APIRouter(route_class=SessionEndpoint, tags=["sessions"], responses=documented(400, 401, 503))


@lists.get(
    SESSIONS,
    operation_id="listSessions",
    summary="List sessions",
    response_model=Page[Session],
    openapi_extra=METADATA_PARAMETER,
)
def list_all(
    backend: AnyBackend,
    filters: Filters,
    *,
    sort: Sort = "last_active",
    order: Order = "desc",
    limit: Limit = _PAGE,
    offset: Offset = 0,
    cursor: PageCursor = None,
) -> Response:
    """Sessions that meet all conditions, sorted; those whose measure is unknown come last, ties by id.

    `next` of a page is the `cursor` of the one after it. It is as fast on the last page as on the first, and skips
    nothing when sessions are added meanwhile.
    """
    mark = list_mark("sessions", sort, order, asdict(filters))
    after = read_session_cursor(cursor, mark, sort=sort)
    found = list_sessions(
        listing(backend), filters, sort=sort, descending=order == "desc", limit=limit, offset=offset, cursor=after
    )
    more = session_cursor(found.next, mark) if found.next else None
    return answer(
        Page[Session](
            data=[Session.of(rollup) for rollup in found.sessions],
            pagination=Pagination(total=found.total, limit=limit, offset=offset, next=more),
        )
    )


@single.get(
    SESSION,
    operation_id="getSession",
    summary="Get a session",
    response_model=One[SessionWithTraces],
    responses=documented(404),
)
def get_one(backend: AnyBackend, session_id: SessionId, *, key: Key = ID_KEY) -> Response:
    """One session and the first page of its traces."""
    store = reading(backend)
    rollup = get_session(store, session_id, key=key)
    if rollup is None:
        raise _unknown(session_id, key)
    found = session_traces(store, session_id, key=key, limit=_PAGE)
    traces = page(
        [Trace.of(group) for group in found.traces],
        total=found.total,
        limit=_PAGE,
        offset=0,
        mark=list_mark("traces", key, session_id),
    )
    return answer(One[SessionWithTraces](data=SessionWithTraces.model_validate({**rollup.to_dict(), "traces": traces})))


@single.get(
    f"{SESSION}/traces",
    operation_id="listTracesOfSession",
    summary="List a session's traces",
    response_model=Page[Trace],
    responses=documented(404),
)
def list_traces(
    backend: AnyBackend,
    session_id: SessionId,
    *,
    key: Key = ID_KEY,
    limit: Limit = _PAGE,
    offset: Offset = 0,
    cursor: PageCursor = None,
) -> Response:
    """The traces of a session in the order of their start in it, each with what belongs to the session."""
    mark = list_mark("traces", key, session_id)
    first = first_row(cursor, offset, mark)
    found = session_traces(reading(backend), session_id, key=key, limit=limit, offset=first)
    if not found.total:
        raise _unknown(session_id, key)
    rows = [Trace.of(group) for group in found.traces]
    return answer(page(rows, total=found.total, limit=limit, offset=first, mark=mark))


@single.get(
    f"{SESSION}/spans",
    operation_id="listSpansOfSession",
    summary="List a session's spans",
    response_model=Page[Span],
    responses=documented(404),
)
def list_spans(
    backend: AnyBackend,
    session_id: SessionId,
    *,
    key: Key = ID_KEY,
    limit: Limit = _SPANS,
    offset: Offset = 0,
    cursor: PageCursor = None,
) -> Response:
    """The spans of a session as they were sent: trace by trace, each by start. A page of large ones is shorter."""
    mark = list_mark("spans", key, session_id)
    first = first_row(cursor, offset, mark)
    found = session_spans(reading_spans(backend), session_id, key=key, limit=limit, offset=first)
    if not found.total:
        raise _unknown(session_id, key)
    rows = [Span.of(row) for row in found.spans]
    return answer(page(rows, total=found.total, limit=limit, offset=first, mark=mark, after=found.next))


@single.delete(SESSION, operation_id="deleteSession", summary="Delete a session", response_model=One[Deleted])
def delete(backend: AnyBackend, session_id: SessionId, *, key: Key = ID_KEY) -> Response:
    """Delete a session's spans and their logs, for all session keys.

    What is left of its traces is rolled up anew. A session that is not there is no error: the counts are 0.
    """
    deleted = backend.delete_session(session_id, key=key)
    return answer(
        One[Deleted](data=Deleted(id=session_id, key=key, span_count=deleted.spans, trace_count=len(deleted.trace_ids)))
    )


def _unknown(session_id: str, key: str) -> ApiError:
    return ApiError(404, "not_found", f"there is no session with {shortened(key)} = {shortened(session_id)}")
