"""The log records of a session."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from otel_sessions.server.api.cursors import list_mark, log_cursor, read_log_cursor
from otel_sessions.server.api.dependencies import BackendDep
from otel_sessions.server.api.endpoints import SessionEndpoint, answer
from otel_sessions.server.api.errors import error_responses, invalid_parameter
from otel_sessions.server.api.log_models import LogRecord
from otel_sessions.server.api.models import Page, Pagination
from otel_sessions.server.api.named_sessions import NamedSession, no_such
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import MAX_LENGTH, moment, time_parameter
from otel_sessions.server.api.session_paths import SESSION
from otel_sessions.server.api.sessions import SpanPages
from otel_sessions.server.queries.log_filters import MOST, SEVERITIES, LogFilters, severities_of

LOGS_A_PAGE: Final = 100

_TRACE_ID: Final = "[0-9A-Fa-f]{32}"
_SPAN_ID: Final = "[0-9A-Fa-f]{16}"
_EXPECTED_SEVERITY: Final = f"one of {', '.join(SEVERITIES)}, or a number from 1 to {MOST}"

router: Final = APIRouter(route_class=SessionEndpoint, tags=["sessions"], responses=error_responses(400, 401, 421, 503))


def _severity(description: str) -> object:
    return Query(description=f"{description}: {_EXPECTED_SEVERITY}.", max_length=MAX_LENGTH, examples=["error"])


async def log_filters(
    *,
    severity: Annotated[str | None, _severity("Only log records of this severity")] = None,
    min_severity: Annotated[str | None, _severity("Only log records of at least this severity")] = None,
    q: Annotated[
        str | None,
        Query(
            description="Only log records with this text in their body; upper and lower case are the same.",
            max_length=MAX_LENGTH,
        ),
    ] = None,
    event: Annotated[str | None, Query(description="Only events of exactly this name.", max_length=MAX_LENGTH)] = None,
    since: Annotated[str | None, time_parameter("Only log records of this time or later.")] = None,
    until: Annotated[str | None, time_parameter("Only log records before this time.")] = None,
    service: Annotated[
        str | None, Query(description="Only log records of exactly this service.", max_length=MAX_LENGTH)
    ] = None,
    trace_id: Annotated[
        str | None, Query(description="Only log records of this trace, 32 hexadecimal digits.", max_length=MAX_LENGTH)
    ] = None,
    span_id: Annotated[
        str | None, Query(description="Only log records of this span, 16 hexadecimal digits.", max_length=MAX_LENGTH)
    ] = None,
) -> LogFilters:
    """The conditions of a request. An empty text is no condition, since that is how forms send a field left empty.

    Raises:
        ApiError: a value is invalid.
    """
    return LogFilters(
        severities=_severities(severity, min_severity),
        q=q or None,
        event=event or None,
        since=moment("since", since),
        until=moment("until", until),
        service=service or None,
        trace_id=_hexadecimal("trace_id", trace_id, _TRACE_ID, "32 hexadecimal digits"),
        span_id=_hexadecimal("span_id", span_id, _SPAN_ID, "16 hexadecimal digits"),
    )


@router.get(
    f"{SESSION}/logs",
    operation_id="listLogsOfSession",
    summary="List a session's log records",
    response_model=Page[LogRecord],
    response_description="A page of the session's log records.",
    responses=error_responses(404),
)
async def list_logs(
    backend: BackendDep,
    limiter: SpanPages,
    session: NamedSession,
    filters: Annotated[LogFilters, Depends(log_filters)],
    page: Annotated[PageQuery, Depends(page_query(LOGS_A_PAGE))],
    *,
    order: Annotated[
        Literal["asc", "desc"], Query(description="`asc`: the earliest first, `desc`: the latest first.")
    ] = "asc",
) -> Response:
    """List the log records that name the session, and those that were written in its spans and name no other one.

    A page has about 16 MiB at most, so a page of large log records may have fewer than `limit`. A cursor skips and repeats nothing when
    log records are added in the meantime.
    """
    mark = list_mark("logs", *session, order, asdict(filters))
    cursor = read_log_cursor(page.cursor, mark)

    def made() -> Response:
        reader = backend.reader
        with reader.answering():
            found = reader.logs(
                session.id,
                filters,
                key=session.key,
                descending=order == "desc",
                limit=page.limit,
                offset=page.offset,
                cursor=cursor,
            )
            if found is None:
                raise no_such(session)
            return answer(
                Page[LogRecord](
                    data=[LogRecord.of(row) for row in found.logs],
                    pagination=Pagination(
                        total=found.total,
                        limit=page.limit,
                        offset=page.offset,
                        next=log_cursor(found.next, mark) if found.next else None,
                    ),
                )
            )

    return await to_thread.run_sync(made, limiter=limiter)


def _severities(exact: str | None, least: str | None) -> tuple[int, int] | None:
    """The severity numbers that both parameters allow."""
    low, high = _numbers("severity", exact) or (1, 255)
    at_least = _numbers("min_severity", least)
    if at_least is not None:
        low = max(low, at_least[0])
    return (low, high) if exact or least else None


def _numbers(name: str, text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    numbers = severities_of(text)
    if numbers is None:
        raise invalid_parameter(name, text, _EXPECTED_SEVERITY)
    return numbers


def _hexadecimal(name: str, text: str | None, pattern: str, expected: str) -> str | None:
    if not text:
        return None
    if not re.fullmatch(pattern, text):
        raise invalid_parameter(name, text, expected)
    return text.lower()
