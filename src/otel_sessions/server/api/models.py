"""What the API answers with, apart from spans. Unknown is null, never 0; money is a decimal string in USD."""

from __future__ import annotations

from typing import Annotated, Any, Final, Generic, Self, TypeVar

from pydantic import BaseModel, Field

from otel_sessions.counting.session import SessionRollup, shown_time
from otel_sessions.counting.totals import Totals
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.money import shown_money
from otel_sessions.rules import MetadataValue
from otel_sessions.server.clickhouse.span_rows import trace_hex
from otel_sessions.server.queries.cohorts import Cohort as StoredCohort
from otel_sessions.server.queries.sessions import KeySummary

_AMOUNT: Final = {"pattern": r"^-?[0-9]+(\.[0-9]+)?$"}

Money = Annotated[str, Field(examples=["0.0123"], json_schema_extra=_AMOUNT)]
Time = Annotated[str, Field(examples=["2026-11-20T12:00:00.000Z"], json_schema_extra={"format": "date-time"})]
Metadata = dict[str, MetadataValue]

Item = TypeVar("Item")


class Pagination(BaseModel):
    """Where a page is in its list."""

    total: int = Field(description="How many there are in all.")
    limit: int = Field(description="How many a page has at most.")
    offset: int = Field(description="How many were skipped, after the cursor if there was one.")
    next: str | None = Field(description="The `cursor` of the next page; null if this is the last.")


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    data: list[Item]
    pagination: Pagination


class One(BaseModel, Generic[Item]):
    """A single thing."""

    data: Item


class Use(BaseModel):
    """Model calls added up. Tokens are null if no call reported any, costs if none is known."""

    call_count: int = Field(description="Model calls, each counted once.")
    unpriced_call_count: int = Field(description="Calls of unknown cost; with any, costs are lower bounds.")
    input_tokens: int | None = Field(description="Includes cache reads and writes.")
    output_tokens: int | None = Field(description="Includes reasoning.")
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None = Field(description="Input and output.")
    input_cost: Money | None
    output_cost: Money | None
    total_cost: Money | None
    cost_sources: list[str] = Field(description="Who said what calls cost.")


class _ModelName(BaseModel):
    provider: str | None
    model: str | None


class ModelUse(Use, _ModelName):
    """What one model was used for."""


class _SessionHead(BaseModel):
    id: str = Field(description="The value of the session key.")
    key: str = Field(description="The session key.")
    name: str | None = Field(description="The last name that was given.")
    start: Time = Field(description="First start of a span.")
    end: Time = Field(description="Last end of a span.")
    duration_ms: float = Field(description="From start to end.")
    active_ms: float = Field(description="The same without pauses of more than five minutes.")
    status: str = Field(description="`error` if a trace failed, else `ok`.", examples=["ok"])
    environments: list[str]
    services: list[str]
    user_ids: list[str]
    operations: list[str] = Field(description="Names of the top spans of its traces.")
    trace_count: int
    failed_trace_count: int = Field(description="Traces one of whose top spans has status ERROR.")
    failure_rate: float = Field(description="Failed traces over traces.")
    span_count: int


class _SessionTail(BaseModel):
    latency_ms: float = Field(description="Mean time from the first to the last span of a trace.")
    models: list[ModelUse]
    tags: list[str]
    metadata: Metadata = Field(description="The last value of each name.")
    scores: dict[str, Any]
    dropped: dict[str, int] = Field(description="What of this session is not shown or was not kept, by reason.")
    conflicts: int = Field(description="Traces that also carry another value of the same key.")
    late_span_count: int = Field(description="Spans that came too late to be in other numbers; 0 on a server.")


class Session(_SessionTail, Use, _SessionHead):
    """A session, rolled up from its traces."""

    @classmethod
    def of(cls, rollup: SessionRollup) -> Self:
        """The session as the API shows it."""
        return cls.model_validate(rollup.to_dict())


class _TraceHead(BaseModel):
    trace_id: str = Field(description="32 hexadecimal digits.", examples=["0af7651916cd43dd8448eb211c80319c"])
    start: Time = Field(description="First start of a span in the session.")
    end: Time = Field(description="Last end of a span in the session.")
    duration_ms: float
    status: str = Field(description="`error` if a top span has status ERROR, else `ok`.", examples=["ok"])
    span_count: int
    operations: list[str] = Field(description="Names of the top spans.")
    environments: list[str]
    services: list[str]
    user_ids: list[str]


class _TraceTail(BaseModel):
    models: list[ModelUse]
    name: str | None = Field(description="The session's name, as this trace has it.")
    tags: list[str]
    metadata: Metadata
    conflict: bool = Field(description="Other spans of the trace carry another value of the same key.")


class Trace(_TraceTail, Use, _TraceHead):
    """One trace as seen from one session: the spans of it that belong there."""

    @classmethod
    def of(cls, group: TraceGroup) -> Self:
        """The trace as the API shows it."""
        total = Totals()
        for totals in group.models.values():
            total.add(totals)
        models = sorted(group.models.items(), key=lambda item: (item[0][1] or "", item[0][0] or ""))
        return cls(
            trace_id=trace_hex(group.trace_id),
            start=shown_time(group.start),
            end=shown_time(group.end),
            duration_ms=(group.end - group.start) / 1e6,
            status="error" if group.failed else "ok",
            span_count=group.span_count,
            operations=sorted(group.operations),
            environments=sorted(group.environments),
            services=sorted(group.services),
            user_ids=sorted(group.user_ids),
            models=[
                ModelUse(provider=provider, model=model, **totals.to_dict()) for (provider, model), totals in models
            ],
            name=group.name and group.name[1],
            tags=sorted(group.tags),
            metadata={name: value for name, (_, value) in sorted(group.metadata.items())},
            conflict=group.conflict,
            **total.to_dict(),
        )


class SessionWithTraces(Session):
    """A session and the first page of its traces."""

    traces: Page[Trace]


class SessionKey(BaseModel):
    """A session key."""

    key: str
    session_count: int
    first_seen: Time = Field(description="First start of a span.")
    last_seen: Time = Field(description="Last end of a span.")

    @classmethod
    def of(cls, summary: KeySummary) -> Self:
        """The key as the API shows it."""
        return cls(
            key=summary.key,
            session_count=summary.sessions,
            first_seen=shown_time(summary.first_seen),
            last_seen=shown_time(summary.last_seen),
        )


class Cohort(BaseModel):
    """The sessions that have one value; a session with several is in several cohorts.

    Quantiles are values of a session, of those where it is known; null if it is known of none.
    """

    value: MetadataValue | None = Field(description="Null for the sessions that have none.")
    session_count: int
    failed_session_count: int = Field(description="Sessions with a failed trace.")
    failure_rate: float = Field(description="Failed sessions over sessions.")
    cost_p50: Money | None
    cost_p95: Money | None
    tokens_p50: int | None
    tokens_p95: int | None
    duration_ms_p50: float
    duration_ms_p95: float

    @classmethod
    def of(cls, cohort: StoredCohort) -> Self:
        """The cohort as the API shows it."""
        return cls(
            value=cohort.value,
            session_count=cohort.sessions,
            failed_session_count=cohort.failed_sessions,
            failure_rate=cohort.failure_rate,
            cost_p50=shown_money(cohort.cost_p50),
            cost_p95=shown_money(cohort.cost_p95),
            tokens_p50=cohort.tokens_p50,
            tokens_p95=cohort.tokens_p95,
            duration_ms_p50=cohort.duration_ms_p50,
            duration_ms_p95=cohort.duration_ms_p95,
        )


class Deleted(BaseModel):
    """What a deletion took; nothing if there was no such session."""

    id: str
    key: str
    span_count: int = Field(description="Spans that are gone.")
    trace_count: int = Field(description="Traces that they were in.")
