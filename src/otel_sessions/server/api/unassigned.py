"""Spans and log records without a session."""

from __future__ import annotations

from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import Endpoint, answer
from otel_sessions.server.api.errors import error_responses
from otel_sessions.server.api.models import Page, Time
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.queries.unassigned import MOST_SERVICES
from otel_sessions.server.queries.unassigned import Unassigned as StoredUnassigned
from otel_sessions.timestamps import format_time

SERVICES_A_PAGE: Final = 100

router: Final = APIRouter(route_class=Endpoint, tags=["sessions"], responses=error_responses(400, 401, 503))


class UnassignedRecords(BaseModel):
    """How many spans and log records of a service are in no session."""

    service: str = Field(description="The name of the service; empty for records that name none.", examples=["shop"])
    span_count: int = Field(description="The number of spans that are in no session.")
    log_record_count: int = Field(
        description="The number of log records that name no session and are in no trace of a session."
    )


class Unassigned(UnassignedRecords):
    """What a service sent that is in no session, and what would give it one."""

    trace_count: int = Field(description="The number of traces that these spans are in.")
    first_seen: Time = Field(description="The first start of these spans, or time of these log records.")
    last_seen: Time = Field(description="The last end of these spans, or time of these log records.")
    scopes: list[str] = Field(
        description="Names of the instrumentation scopes that made them, sorted.",
        examples=[["opentelemetry.instrumentation.fastapi"]],
    )
    hint: str = Field(description="What would give them a session.")

    @classmethod
    def of(cls, found: StoredUnassigned) -> Self:
        """The records of one service as the store has counted them."""
        return cls(
            service=found.service,
            span_count=found.spans,
            log_record_count=found.logs,
            trace_count=found.traces,
            first_seen=format_time(found.first_seen),
            last_seen=format_time(found.last_seen),
            scopes=list(found.scopes),
            hint=found.hint,
        )


@router.get(
    "/v1/unassigned",
    operation_id="listUnassigned",
    summary="List what is in no session",
    response_model=Page[Unassigned],
    response_description="A page of the services with spans or log records in no session.",
    description=(
        "List how many spans and log records are in no session, by service, the one with the most first. "
        f"The {MOST_SERVICES} services with the most spans, and as many with the most log records, are told apart."
    ),
)
def list_all(reader: ReaderDep, query: Annotated[PageQuery, Depends(page_query(SERVICES_A_PAGE))]) -> Response:
    """List how many spans and log records are in no session, by service."""
    return answer(query.counted("unassigned").cut_from([Unassigned.of(one) for one in reader.unassigned()]))
