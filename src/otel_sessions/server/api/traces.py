"""One trace with its spans, in a session or not."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import ApiError, error_responses
from otel_sessions.server.api.models import One, Page, Services, Time, TraceId
from otel_sessions.server.api.pagination import CountedPage, PageQuery, page_query
from otel_sessions.server.api.span_models import Span
from otel_sessions.server.api.validation_messages import shortened
from otel_sessions.server.clickhouse.span_rows import trace_hex
from otel_sessions.server.queries.traces import WholeTrace
from otel_sessions.timestamps import format_time

SPANS_A_PAGE: Final = 100
_TRACE: Final = "/v1/traces/{trace_id}"
_ID: Final = re.compile("[0-9A-Fa-f]{32}")
_SPAN_ID: Final = re.compile("[0-9A-Fa-f]{16}")

router: Final = APIRouter(route_class=Endpoint, tags=["traces"], responses=error_responses(400, 401, 404, 503))


class SessionName(BaseModel):
    """A session, by its key and its id."""

    key: str = Field(description="The session key.", examples=["id"])
    id: str = Field(description="The session's id, which is the value of its session key.")


class TraceWithSpans(BaseModel):
    """A whole trace and the first page of its spans."""

    trace_id: TraceId
    start: Time = Field(description="The first start of a span, or of a call that a log record tells of.")
    end: Time = Field(description="The last end of a span or log record.")
    duration_ms: float = Field(description="Milliseconds from the start to the end.")
    span_count: int = Field(description="The number of spans.")
    unassigned_span_count: int = Field(description="The number of spans that are in no session.")
    services: Services
    sessions: list[SessionName] = Field(
        description="The sessions that spans and log records of the trace belong to, by key and id."
    )
    spans: Page[Span] = Field(description="The first page of the spans, in the order of their start.")

    @classmethod
    def of(cls, trace: WholeTrace, page: CountedPage) -> Self:
        """The trace as it was read."""
        return cls(
            trace_id=trace_hex(trace.trace_id),
            start=format_time(trace.start),
            end=format_time(trace.end),
            duration_ms=(trace.end - trace.start) / 1e6,
            span_count=trace.spans.total,
            unassigned_span_count=trace.unassigned,
            services=list(trace.services),
            sessions=[SessionName(key=key, id=value) for key, value in trace.sessions],
            spans=_spans(trace, page),
        )


async def _trace_id(
    trace_id: Annotated[
        str,
        Path(
            description="The trace id, 32 hexadecimal digits.",
            examples=["0af7651916cd43dd8448eb211c80319c"],
            json_schema_extra={"pattern": "^[0-9A-Fa-f]{32}$"},
        ),
    ],
) -> int:
    if not _ID.fullmatch(trace_id):
        raise ApiError(400, "invalid_parameter", f"trace_id: 32 hexadecimal digits expected, not {shortened(trace_id)}")
    return int(trace_id, 16)


NamedTrace = Annotated[int, Depends(_trace_id)]


@router.get(
    _TRACE,
    operation_id="getTrace",
    summary="Get a trace",
    response_model=One[TraceWithSpans],
    response_description="The trace.",
)
def get_one(reader: ReaderDep, trace_id: NamedTrace) -> Response:
    """Get one trace, its sessions, and the first page of its spans as they were sent, whether it is in a session or not."""
    page = PageQuery(SPANS_A_PAGE).counted("spans of trace", trace_id)
    return answer(One[TraceWithSpans](data=TraceWithSpans.of(_found(reader, trace_id, page), page)))


@router.get(
    f"{_TRACE}/spans",
    operation_id="listSpansOfTrace",
    summary="List a trace's spans",
    response_model=Page[Span],
    response_description="A page of the trace's spans.",
)
def list_spans(
    reader: ReaderDep, trace_id: NamedTrace, query: Annotated[PageQuery, Depends(page_query(SPANS_A_PAGE))]
) -> Response:
    """List the spans of a trace as they were sent, in the order of their start.

    A page has about 16 MiB of spans at most, so a page of large spans may have fewer than `limit`.
    """
    page = query.counted("spans of trace", trace_id)
    return answer(_spans(_found(reader, trace_id, page), page))


@router.get(
    f"{_TRACE}/spans/{{span_id}}",
    operation_id="getSpan",
    summary="Get a span",
    response_model=One[Span],
    response_description="The span.",
)
def get_span(
    reader: ReaderDep,
    trace_id: NamedTrace,
    span_id: Annotated[
        str,
        Path(
            description="The span id, 16 hexadecimal digits.",
            examples=["b7ad6b7169203331"],
            json_schema_extra={"pattern": "^[0-9A-Fa-f]{16}$"},
        ),
    ],
) -> Response:
    """Get one span as it was sent, whatever its size."""
    if not _SPAN_ID.fullmatch(span_id):
        raise ApiError(400, "invalid_parameter", f"span_id: 16 hexadecimal digits expected, not {shortened(span_id)}")
    row = reader.span(trace_id, int(span_id, 16))
    if row is None:
        raise ApiError(404, "not_found", f"there is no span {span_id} in the trace {trace_hex(trace_id)}")
    return answer(One[Span](data=Span.of(row)))


def _found(reader: ReaderDep, trace_id: int, page: CountedPage) -> WholeTrace:
    found = reader.trace(trace_id, limit=page.limit, offset=page.offset)
    if found is None:
        raise ApiError(404, "not_found", f"there is no trace {trace_hex(trace_id)}")
    return found


def _spans(trace: WholeTrace, page: CountedPage) -> Page[Span]:
    return page.of(map(Span.of, trace.spans.spans), total=trace.spans.total, next_offset=trace.spans.next)
