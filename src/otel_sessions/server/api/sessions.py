"""Sessions: a list of them, one of them with its traces and spans, and its deletion."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from otel_sessions.server.api.call_models import Call
from otel_sessions.server.api.cursors import list_mark, read_session_cursor, session_cursor
from otel_sessions.server.api.dependencies import BackendDep, ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, SessionEndpoint, answer
from otel_sessions.server.api.errors import error_responses
from otel_sessions.server.api.models import Deleted, One, Page, Pagination, Session, SessionWithTraces, Trace
from otel_sessions.server.api.named_sessions import NamedSession, no_such
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import Filters, Order, Sort
from otel_sessions.server.api.session_paths import SESSION, SESSIONS
from otel_sessions.server.api.span_models import Span

SESSIONS_A_PAGE: Final = 50
TRACES_A_PAGE: Final = 50
SPANS_A_PAGE: Final = 100
CALLS_A_PAGE: Final = 100
SPAN_PAGES: Final = 2
"""How many pages of spans or log records are made at once. Others wait without a thread: while one is made, it takes many times its size."""

lists: Final = APIRouter(route_class=Endpoint, tags=["sessions"], responses=error_responses(400, 401, 421, 503))
single: Final = APIRouter(route_class=SessionEndpoint, tags=["sessions"], responses=error_responses(400, 401, 421, 503))


async def _span_pages(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter = request.app.state.span_pages
    return limiter


SpanPages = Annotated[CapacityLimiter, Depends(_span_pages)]
"""Which pages of spans and log records are made now."""


@lists.get(
    SESSIONS,
    operation_id="listSessions",
    summary="List sessions",
    response_model=Page[Session],
    response_description="A page of the sessions.",
)
def list_all(
    reader: ReaderDep,
    filters: Filters,
    page: Annotated[PageQuery, Depends(page_query(SESSIONS_A_PAGE))],
    sort: Sort,
    *,
    order: Order = "desc",
) -> Response:
    """List the sessions that meet all conditions, by any measure.

    Sessions whose measure is unknown come last; sessions with equal measures are in the order of their ids. A cursor is as
    fast on the last page as on the first, and skips nothing when sessions are added in the meantime.
    """
    mark = list_mark("sessions", sort, order, asdict(filters))
    found = reader.sessions(
        filters,
        sort=sort,
        descending=order == "desc",
        limit=page.limit,
        offset=page.offset,
        cursor=read_session_cursor(page.cursor, mark, sort=sort),
    )
    cursor = session_cursor(found.next, mark) if found.next else None
    return answer(
        Page[Session](
            data=[Session.of(rollup) for rollup in found.sessions],
            pagination=Pagination(total=found.total, limit=page.limit, offset=page.offset, next=cursor),
        )
    )


@single.get(
    SESSION,
    operation_id="getSession",
    summary="Get a session",
    response_model=One[SessionWithTraces],
    response_description="The session.",
    responses=error_responses(404),
)
def get_one(reader: ReaderDep, session: NamedSession) -> Response:
    """Get one session and the first page of its traces."""
    found = reader.session_with_traces(session.id, key=session.key, limit=TRACES_A_PAGE)
    if found is None:
        raise no_such(session)
    rollup, first = found
    traces = PageQuery(TRACES_A_PAGE).counted("traces", *session).of(map(Trace.of, first.traces), total=first.total)
    return answer(One[SessionWithTraces](data=SessionWithTraces.model_validate({**rollup.to_dict(), "traces": traces})))


@single.get(
    f"{SESSION}/traces",
    operation_id="listTracesOfSession",
    summary="List a session's traces",
    response_model=Page[Trace],
    response_description="A page of the session's traces.",
    responses=error_responses(404),
)
def list_traces(
    reader: ReaderDep, session: NamedSession, query: Annotated[PageQuery, Depends(page_query(TRACES_A_PAGE))]
) -> Response:
    """List the traces of a session, in the order of their start, each with what belongs to the session."""
    page = query.counted("traces", *session)
    found = reader.traces(session.id, key=session.key, limit=page.limit, offset=page.offset)
    if not found.total:
        raise no_such(session)
    return answer(page.of(map(Trace.of, found.traces), total=found.total))


@single.get(
    f"{SESSION}/spans",
    operation_id="listSpansOfSession",
    summary="List a session's spans",
    response_model=Page[Span],
    response_description="A page of the session's spans.",
    responses=error_responses(404),
)
async def list_spans(
    backend: BackendDep,
    limiter: SpanPages,
    session: NamedSession,
    query: Annotated[PageQuery, Depends(page_query(SPANS_A_PAGE))],
) -> Response:
    """List the spans of a session as they were sent: trace by trace, and by start within a trace.

    A page has about 16 MiB of spans at most, so a page of large spans may have fewer than `limit`. Of a name of more than 1,000
    characters, and of a value of more than 1,048,576, only the beginning is shown, and its length.
    """
    page = query.counted("spans", *session)

    def made() -> Response:
        reader = backend.reader
        with reader.answering():
            found = reader.spans(session.id, key=session.key, limit=page.limit, offset=page.offset)
            # A session that only log records tell of has no spans.
            if not found.total and not reader.traces(session.id, key=session.key, limit=1).total:
                raise no_such(session)
            return answer(page.of(map(Span.of, found.spans), total=found.total, next_offset=found.next))

    return await to_thread.run_sync(made, limiter=limiter)


@single.get(
    f"{SESSION}/calls",
    operation_id="listCallsOfSession",
    summary="List a session's calls",
    response_model=Page[Call],
    response_description="A page of the session's calls.",
    responses=error_responses(404),
)
def list_calls(
    reader: ReaderDep, session: NamedSession, query: Annotated[PageQuery, Depends(page_query(CALLS_A_PAGE))]
) -> Response:
    """List what a session's totals are made of: its model calls, and what reports usage and is not counted, with the reason.

    Trace by trace in the order of their start, and by start within a trace. The counted ones add up to the session's tokens, costs and
    number of calls.
    """
    page = query.counted("calls", *session)
    found = reader.calls(session.id, key=session.key, limit=page.limit, offset=page.offset)
    if found is None:
        raise no_such(session)
    return answer(page.of(map(Call.of, found.calls), total=found.total))


@single.delete(
    SESSION,
    operation_id="deleteSession",
    summary="Delete a session",
    response_model=One[Deleted],
    response_description="What was deleted.",
    responses=error_responses(403),
)
def delete(
    backend: BackendDep,
    session: NamedSession,
    *,
    content: Annotated[
        Literal["only"] | None,
        Query(description="`only`: remove what was said, and keep all that is counted."),
    ] = None,
) -> Response:
    """Delete a session's spans, their logs and its messages, for all session keys, its scores, annotations and name.

    The rest of its traces is counted again. If there is no such session, nothing is deleted and the counts are 0.

    With `content=only` its messages go, and from its spans and log records the values of all attributes and events that hold messages,
    inputs or outputs; the counts are of what held any. Every number stays as it is.
    """
    if content is not None:
        removed = backend.delete_content(session.id, key=session.key)
        counts = {"span_count": removed.spans, "log_record_count": removed.records, "message_count": removed.messages}
    else:
        deleted = backend.delete_session(session.id, key=session.key)
        counts = {
            "span_count": deleted.spans,
            "trace_count": deleted.traces,
            "log_record_count": deleted.records,
            "message_count": deleted.messages,
        }
    return answer(One[Deleted](data=Deleted(id=session.id, key=session.key, **counts)))
