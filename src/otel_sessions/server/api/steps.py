"""The steps of a session: what happened in it, without what was said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from otel_sessions.dialects import kinds
from otel_sessions.server.api.dependencies import ReaderDep
from otel_sessions.server.api.endpoints import SessionEndpoint, answer
from otel_sessions.server.api.errors import error_responses, invalid_parameter
from otel_sessions.server.api.models import Page, Time
from otel_sessions.server.api.named_sessions import NamedSession, no_such
from otel_sessions.server.api.pagination import PageQuery, page_query
from otel_sessions.server.api.parameters import MAX_LENGTH
from otel_sessions.server.api.session_paths import SESSION
from otel_sessions.server.api.shown_values import shown_name
from otel_sessions.server.clickhouse.span_rows import span_hex, trace_hex
from otel_sessions.server.queries.steps import LONGEST_MESSAGE, StepFilters, tool_name
from otel_sessions.server.queries.steps import Step as StoredStep
from otel_sessions.server.queries.steps import ToolUse as StoredToolUse
from otel_sessions.timestamps import format_time

STEPS_A_PAGE: Final = 100
KINDS: Final = (
    kinds.LLM,
    kinds.EMBEDDING,
    kinds.RERANK,
    kinds.TOOL,
    kinds.AGENT,
    kinds.WORKFLOW,
    kinds.HUMAN,
    kinds.OTHER,
)

_TRACE_ID: Final = re.compile("[0-9A-Fa-f]{32}")

if TYPE_CHECKING:
    _Kind = str
else:
    _Kind = Literal[KINDS]

router: Final = APIRouter(
    route_class=SessionEndpoint, tags=["sessions"], responses=error_responses(400, 401, 404, 421, 503)
)


class Step(BaseModel):
    """A span, or a log record that tells of a call or of a tool, without what it holds. What is not known is null."""

    trace_id: str | None = Field(
        description="The trace id, 32 hexadecimal digits; null for a log record in no trace.",
        examples=["0af7651916cd43dd8448eb211c80319c"],
    )
    span_id: str = Field(
        description="The span id, 16 hexadecimal digits; for a log record, a number computed of what it says."
    )
    parent_span_id: str | None = Field(description="The span id of the parent; null for none.")
    evidence: str = Field(description="What tells of it: `span` or `log`.")
    name: str = Field(description="The name of the span, or what the log record is about.")
    kind: str = Field(description=f"One of {', '.join(f'`{kind}`' for kind in KINDS)}.")
    tool: str | None = Field(description="The tool, if it is a run of one.")
    lane: str | None = Field(description="The agent that it is of, as it names it.")
    model: str | None = Field(description="The model that it names.")
    service: str | None = Field(description="The name of the service that sent it.")
    start: Time = Field(description="When it started.")
    duration_ms: float = Field(description="Milliseconds from its start to its end.")
    failed: bool = Field(description="True if it failed.")
    message: str | None = Field(
        description=(
            f"What went wrong, as its status or else its first exception says, at most {LONGEST_MESSAGE} characters; null if neither says "
            "anything."
        )
    )
    message_length: int = Field(description="The number of characters of the whole message.")
    size: int | None = Field(description="Bytes of its attributes and events; null for a log record.")

    @classmethod
    def of(cls, step: StoredStep) -> Self:
        """The step as it was read."""
        facts = step.facts
        return cls(
            trace_id=None if step.trace_id is None else trace_hex(step.trace_id),
            span_id=span_hex(facts.span_id),
            parent_span_id=None if facts.parent_id is None else span_hex(facts.parent_id),
            evidence="log" if facts.event else "span",
            name=shown_name(facts.name),
            kind=facts.kind,
            tool=shown_name(tool_name(facts)) if facts.kind == kinds.TOOL else None,
            lane=facts.agent,
            model=None if facts.call is None else facts.call.model,
            service=facts.labels.service,
            start=format_time(facts.start),
            duration_ms=max(0, facts.end - facts.start) / 1e6,
            failed=facts.failed,
            message=step.message or None,
            message_length=step.message_length,
            size=step.size,
        )


class ToolUse(BaseModel):
    """How often a tool was run."""

    name: str = Field(description="The name of the tool.")
    count: int = Field(description="The number of runs. A run that a span and a log record tell of counts once.")
    failed_count: int = Field(description="How many of them failed.")
    duration_ms: float = Field(description="Milliseconds of all runs together.")

    @classmethod
    def of(cls, use: StoredToolUse) -> Self:
        """The use as it was counted."""
        return cls(name=shown_name(use.name), count=use.count, failed_count=use.failed, duration_ms=use.duration / 1e6)


class PageOfSteps(Page[Step]):
    """A page of steps, and what the tools did."""

    tools: list[ToolUse] = Field(
        description="Every tool of the session, or of the trace that is asked for, the one with the most runs first."
    )


async def step_filters(
    *,
    trace_id: Annotated[
        str | None, Query(description="Only steps of this trace, 32 hexadecimal digits.", max_length=MAX_LENGTH)
    ] = None,
    kind: Annotated[_Kind | None, Query(description="Only steps of this kind.")] = None,
    failed: Annotated[
        bool | None, Query(description="`true`: only steps that failed, `false`: only those that did not.")
    ] = None,
    q: Annotated[
        str | None,
        Query(
            description="Only steps with this text in their name; upper and lower case are the same.",
            max_length=MAX_LENGTH,
        ),
    ] = None,
) -> StepFilters:
    """The conditions of a request.

    Raises:
        ApiError: a value is invalid.
    """
    return StepFilters(_trace(trace_id), kind, failed, q.lower() if q else None)


@router.get(
    f"{SESSION}/steps",
    operation_id="listStepsOfSession",
    summary="List a session's steps",
    response_model=PageOfSteps,
    response_description="A page of the session's steps.",
)
def list_steps(
    reader: ReaderDep,
    session: NamedSession,
    filters: Annotated[StepFilters, Depends(step_filters)],
    query: Annotated[PageQuery, Depends(page_query(STEPS_A_PAGE))],
    *,
    sort: Annotated[Literal["start", "duration"], Query(description="What to sort by.")] = "start",
    order: Annotated[
        Literal["asc", "desc"],
        Query(description="`asc`: the earliest or shortest first, `desc`: the latest or longest."),
    ] = "asc",
) -> Response:
    """List what happened in a session, without what was said: its spans, and the log records that tell of calls and tools.

    It is as fast for large spans as for small ones.
    """
    page = query.counted("steps", *session, *filters, sort, order)
    found = reader.steps(
        session.id,
        filters,
        key=session.key,
        sort=sort,
        descending=order == "desc",
        limit=page.limit,
        offset=page.offset,
    )
    if found is None:
        raise no_such(session)
    listed = page.of(map(Step.of, found.steps), total=found.total)
    return answer(PageOfSteps(data=listed.data, pagination=listed.pagination, tools=list(map(ToolUse.of, found.tools))))


def _trace(text: str | None) -> int | None:
    if not text:
        return None
    if not _TRACE_ID.fullmatch(text):
        raise invalid_parameter("trace_id", text, "32 hexadecimal digits")
    return int(text, 16)
