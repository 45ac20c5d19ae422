"""The answers of the API, except spans. Unknown is null, never 0; money is a decimal string in USD."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from otel_sessions.counting.measures import AMOUNT, FLOAT, MEASURES, UINT64, Measure
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceGroup, by_name
from otel_sessions.counting.turns import failed_turns
from otel_sessions.money import shown_money
from otel_sessions.rules import MetadataValue
from otel_sessions.server.clickhouse.span_rows import trace_hex
from otel_sessions.server.queries.cohorts import QUANTILES
from otel_sessions.server.queries.cohorts import Cohort as StoredCohort
from otel_sessions.server.queries.sessions import KeySummary
from otel_sessions.timestamps import format_time

_AMOUNT: Final = {"pattern": r"^-?[0-9]+(\.[0-9]+)?$"}

Money = Annotated[str, Field(examples=["0.0123"], json_schema_extra=_AMOUNT)]
Time = Annotated[str, Field(examples=["2026-11-20T12:00:00.000Z"], json_schema_extra={"format": "date-time"})]
Metadata = dict[str, MetadataValue]

Item = TypeVar("Item")


def _measured(name: str) -> Any:
    """A field with the description of a measure."""
    measure = MEASURES[name]
    unit = "" if measure.field in ("start", "end", "name") else f", in {measure.unit}"
    unknown = "; null if it is not known" if measure.nullable else ""
    return Field(description=f"{measure.about[0].upper()}{measure.about[1:]}{unit}{unknown}.")


class Pagination(BaseModel):
    """The position of a page in its list."""

    total: int = Field(description="The number of items in the whole list.")
    limit: int = Field(description="How many items a page has at most.")
    offset: int = Field(
        description=(
            "How many items come before this page; in a list of sessions, how many were skipped after the cursor."
        )
    )
    next: str | None = Field(description="The `cursor` of the next page; null if this is the last page.")


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    model_config = ConfigDict(json_schema_extra={"description": "A page of a list."})

    data: list[Item] = Field(description="The items of the page, in the order of the list.")
    pagination: Pagination = Field(description="The position of the page in the list.")


class One(BaseModel, Generic[Item]):
    """A single item."""

    model_config = ConfigDict(json_schema_extra={"description": "A single item."})

    data: Item = Field(description="The item.")


CallCount = Annotated[
    int, Field(description="The number of model calls. A call that several spans report counts once.")
]
UnpricedCallCount = Annotated[
    int, Field(description="Model calls whose cost is not known. If there are any, the costs are lower bounds.")
]
InputTokens = Annotated[
    int | None, Field(description="Input tokens, including cache reads and writes; null if no call reported any.")
]
OutputTokens = Annotated[
    int | None, Field(description="Output tokens, including reasoning; null if no call reported any.")
]
CacheReadTokens = Annotated[
    int | None, Field(description="Input tokens that were read from a cache; null if no call reported any.")
]
CacheWriteTokens = Annotated[
    int | None, Field(description="Input tokens that were written to a cache; null if no call reported any.")
]
ReasoningTokens = Annotated[
    int | None, Field(description="Output tokens that were spent on reasoning; null if no call reported any.")
]
TotalTokens = Annotated[int | None, _measured("tokens")]
InputCost = Annotated[
    Money | None, Field(description="Cost of the input in USD; null if it is not known for any call.")
]
OutputCost = Annotated[
    Money | None, Field(description="Cost of the output in USD; null if it is not known for any call.")
]
TotalCost = Annotated[Money | None, _measured("cost")]
CostExact = Annotated[
    bool,
    Field(
        description=(
            "False if calls are unpriced, or if `cost_sources` says that something is not known about a cost; the costs are "
            "then lower bounds or estimates."
        )
    ),
]
CostSources = Annotated[
    list[str],
    Field(
        description=(
            "Where the costs come from, sorted: a price list with its version, a prices file, or `reported:` and the "
            "attribute of the span that reported the cost; followed by what is not known, if something is not."
        )
    ),
]
Environments = Annotated[list[str], Field(description="Deployment environments of the spans, sorted.")]
Services = Annotated[list[str], Field(description="Names of the services that sent the spans, sorted.")]
UserIds = Annotated[list[str], Field(description="Ids of the users, sorted.")]
Tags = Annotated[list[str], Field(description="All tags, sorted.")]
TraceId = Annotated[
    str, Field(description="The trace id, 32 hexadecimal digits.", examples=["0af7651916cd43dd8448eb211c80319c"])
]


class ModelUse(BaseModel):
    """What one model was used for. Tokens and costs that are not known are null."""

    provider: str | None = Field(description="The provider of the model; null if it is not known.")
    model: str | None = Field(description="The name of the model; null if it is not known.")
    call_count: CallCount
    unpriced_call_count: UnpricedCallCount
    input_tokens: InputTokens
    output_tokens: OutputTokens
    cache_read_tokens: CacheReadTokens
    cache_write_tokens: CacheWriteTokens
    reasoning_tokens: ReasoningTokens
    total_tokens: TotalTokens
    input_cost: InputCost
    output_cost: OutputCost
    total_cost: TotalCost
    cost_exact: CostExact
    cost_sources: CostSources


class LaneUse(BaseModel):
    """What one agent of a session used. Tokens and costs that are not known are null."""

    lane: str | None = Field(description="The sub-agent; null for the main agent.")
    call_count: CallCount
    unpriced_call_count: UnpricedCallCount
    input_tokens: InputTokens
    output_tokens: OutputTokens
    cache_read_tokens: CacheReadTokens
    cache_write_tokens: CacheWriteTokens
    reasoning_tokens: ReasoningTokens
    total_tokens: TotalTokens
    input_cost: InputCost
    output_cost: OutputCost
    total_cost: TotalCost
    cost_exact: CostExact
    cost_sources: CostSources


class SessionTime(BaseModel):
    """What the time of a session was spent on, in milliseconds. Within a trace each instant counts once, as the first that applies."""

    human_ms: float | None = Field(
        description="A tool waited for a person's decision. Null, as the next four, if it is not known."
    )
    generation_ms: float | None = Field(
        description="A model was answering; the whole call where its time to first token is not known."
    )
    model_wait_ms: float | None = Field(description="Waiting for the first token of a model.")
    tool_ms: float | None = Field(description="A tool was running.")
    other_ms: float | None = Field(description="Nothing of all this.")
    idle_ms: float = Field(description="Between the traces of the session.")


class CacheRebuilt(BaseModel):
    """Calls that wrote again what a provider's cache had held."""

    count: int = Field(description="The number of these calls.")
    tokens: int = Field(description="The tokens that they wrote again.")
    cost: Money | None = Field(
        description="What these cost more than to read them, in USD; null if it is not known for any call."
    )


class SessionCache(BaseModel):
    """What it cost to fill the caches of providers again."""

    rebuilt_count: int | None = Field(
        description="Calls that wrote again what had been cached; null if no call tells, as the next two."
    )
    rebuilt_tokens: int | None = Field(description="The tokens that they wrote again.")
    rebuilt_cost: Money | None = Field(description="What these cost more than to read them, in USD.")
    cost_exact: bool = Field(description="False if the cost is not known, or is a lower bound.")
    by_reason: dict[str, CacheRebuilt] = Field(
        description="The same by reason: `expired`, or `prefix_changed` within the time to live; reasons that did not occur are left out."
    )
    cheaper_ttl: str | None = Field(
        description="The time to live that would have been cheaper for these calls, `5m` or `1h`; null if both cost the same, or if it is not known."
    )


class ScoreSummary(BaseModel):
    """Scores of one name, added up."""

    count: int = Field(description="The number of scores.")
    mean: float | None = Field(description="The mean of their values; null if none has a value.")
    last: float | str | None = Field(
        description="The value of the last one, its label if it has no value; null if there are no scores."
    )
    labels: dict[str, int] = Field(description="How many have each label.")


class ScoresOfName(BaseModel):
    """The scores of one name in a session."""

    session: ScoreSummary = Field(description="Those on the session itself.")
    traces: ScoreSummary = Field(description="Those on its traces.")
    spans: ScoreSummary = Field(description="Those on its spans.")


class Session(BaseModel):
    """A session, added up from its traces. Tokens and costs that are not known are null."""

    id: str = Field(description="The session's id, which is the value of its session key.")
    key: str = Field(description="The session key.")
    name: str | None = _measured("name")
    title: str | None = Field(
        description=(
            "What to call the session: its name, else what the program that sent it calls it, else the first words of a user, "
            "else its first operation; null without any of these."
        )
    )
    start: Time = _measured("created")
    end: Time = _measured("last_active")
    duration_ms: float = _measured("duration")
    active_ms: float = Field(
        description="Milliseconds from the start to the end without pauses of more than five minutes between traces."
    )
    status: str = Field(
        description=(
            "`running` if something happened within the last minute; else `failed` if the last trace failed, `partly_failed` if only "
            "earlier ones did, `ok`, or `unknown` if the session has no trace."
        ),
        examples=["ok"],
    )
    environments: Environments
    services: Services
    user_ids: UserIds
    operations: list[str] = Field(
        description="Names of the top spans of the session's traces, sorted. A top span has no parent in the session."
    )
    trace_count: int = _measured("traces")
    failed_trace_count: int = Field(
        description=(
            "Traces in which a top span of the session, or one of kind CONSUMER, has the status ERROR, and turns that only log records tell "
            "of whose last call failed."
        )
    )
    failure_rate: float = _measured("failure_rate")
    span_count: int = Field(description="The number of spans in the session.")
    call_count: CallCount
    unpriced_call_count: UnpricedCallCount
    input_tokens: InputTokens
    output_tokens: OutputTokens
    cache_read_tokens: CacheReadTokens
    cache_write_tokens: CacheWriteTokens
    reasoning_tokens: ReasoningTokens
    total_tokens: TotalTokens
    input_cost: InputCost
    output_cost: OutputCost
    total_cost: TotalCost
    cost_exact: CostExact
    cost_sources: CostSources
    latency_ms: float = Field(
        description="Mean duration of the session's traces in milliseconds, each from its first start to its last end."
    )
    models: list[ModelUse] = Field(description="What each model was used for, by the names of the models.")
    lanes: list[LaneUse] = Field(
        description="What each agent used, the main one first; empty if no sub-agent made a call. Together they are the session's."
    )
    tags: Tags
    metadata: Metadata = Field(description="The last value of each metadata name.")
    first_input: str | None = Field(
        description="The first words of a user, at most 300 characters; null if no content was captured."
    )
    last_output: str | None = Field(
        description="The last words of a model, at most 300 characters; null if no content was captured."
    )
    scores: dict[str, ScoresOfName] = Field(
        description="Scores by name: those on the session itself, on its traces and on their spans apart."
    )
    annotation_count: int = Field(description="The number of annotations of the session.")
    dropped: dict[str, int] = Field(
        description="How much of the session is left out of this answer because it was too much, by field."
    )
    conflicts: int = Field(description="The number of traces that also have spans in another session of the same key.")
    late_span_count: int = Field(
        description="Spans that came too late to be counted. A server counts all spans, so it is 0."
    )
    previous_id: str | None = Field(
        description="The session that this one continues, where `session.previous_id` tells; also in `metadata`."
    )
    time: SessionTime = Field(description="What the time of the session was spent on.")
    cache: SessionCache = Field(description="What filling the caches of providers again cost the session.")

    @classmethod
    def of(cls, rollup: SessionRollup) -> Self:
        """The session of a rollup."""
        return cls.model_validate(rollup.to_dict())


class Trace(BaseModel):
    """A trace as seen from one session: those of its spans that belong to the session.

    Log records that are in no trace are shown in the same way, five minutes of a session at a time.
    """

    trace_id: str | None = Field(
        description="The trace id, 32 hexadecimal digits; null for log records that are in no trace.",
        examples=["0af7651916cd43dd8448eb211c80319c"],
    )
    turn_count: int = Field(
        description="1 for a trace; for log records in no trace, the number of turns that they tell of."
    )
    start: Time = Field(description="The first start of a span in the session.")
    end: Time = Field(description="The last end of a span in the session.")
    duration_ms: float = Field(description="Milliseconds from the start to the end.")
    status: str = Field(
        description="`error` if a top span in the session, or one of kind CONSUMER, has the status ERROR, else `ok`.",
        examples=["ok"],
    )
    span_count: int = Field(description="The number of the trace's spans in the session.")
    operations: list[str] = Field(
        description="Names of the top spans, sorted. A top span has no parent in the session."
    )
    environments: Environments
    services: Services
    user_ids: UserIds
    call_count: CallCount
    unpriced_call_count: UnpricedCallCount
    input_tokens: InputTokens
    output_tokens: OutputTokens
    cache_read_tokens: CacheReadTokens
    cache_write_tokens: CacheWriteTokens
    reasoning_tokens: ReasoningTokens
    total_tokens: TotalTokens
    input_cost: InputCost
    output_cost: OutputCost
    total_cost: TotalCost
    cost_exact: CostExact
    cost_sources: CostSources
    models: list[ModelUse] = Field(description="What each model was used for, by the names of the models.")
    name: str | None = Field(description="The last name that the session was given in this trace; null if it has none.")
    tags: Tags
    metadata: Metadata = Field(description="The last value of each metadata name in this trace.")
    conflict: bool = Field(description="True if the trace also has spans in another session of the same key.")

    @classmethod
    def of(cls, group: TraceGroup) -> Self:
        """The trace of a trace group."""
        return cls(
            trace_id=trace_hex(group.trace_id) if group.turns is None else None,
            turn_count=1 if group.turns is None else len(group.turns),
            start=format_time(group.start),
            end=format_time(group.end),
            duration_ms=(group.end - group.start) / 1e6,
            status="error" if group.failed or (group.turns and failed_turns(group.turns)) else "ok",
            span_count=group.span_count,
            operations=sorted(group.operations),
            environments=sorted(group.environments),
            services=sorted(group.services),
            user_ids=sorted(group.user_ids),
            models=[
                ModelUse(provider=provider, model=model, **totals.to_dict())
                for (provider, model), totals in by_name(group.models)
            ],
            name=group.name and group.name[1],
            tags=sorted(group.tags),
            metadata={name: value for name, (_, value) in sorted(group.metadata.items())},
            conflict=group.conflict,
            **group.totals.to_dict(),
        )


class SessionWithTraces(Session):
    """A session and the first page of its traces."""

    traces: Page[Trace] = Field(description="The first page of the session's traces.")


class SessionKey(BaseModel):
    """A session key, and the sessions that it has."""

    key: str = Field(description="The session key.", examples=["id"])
    session_count: int = Field(description="The number of sessions with this key.")
    first_seen: Time = Field(description="The first start of a span in these sessions.")
    last_seen: Time = Field(description="The last end of a span in these sessions.")

    @classmethod
    def of(cls, summary: KeySummary) -> Self:
        """The key of a summary."""
        return cls(
            key=summary.key,
            session_count=summary.sessions,
            first_seen=format_time(summary.first_seen),
            last_seen=format_time(summary.last_seen),
        )


class _CohortHead(BaseModel):
    value: MetadataValue | None = Field(
        description="The value that the sessions have in common; null for the sessions without a value."
    )
    session_count: int = Field(description="The number of sessions.")
    failed_session_count: int = Field(description="The number of sessions with a failed trace.")
    failure_rate: float = Field(description="Failed sessions divided by all sessions of the cohort, from 0 to 1.")


class CohortScores(BaseModel):
    """The scores of one name in a cohort."""

    count: int = Field(description="The number of sessions that have one.")
    mean: float = Field(
        description="The mean over these sessions, of each its own last score, else the mean of its traces', else of its spans'."
    )


def _percentile(measure: Measure, percent: int) -> Any:
    known = "; null if it is known for none" if measure.nullable else ""
    kind = {AMOUNT: Money, FLOAT: float, UINT64: int}[measure.type]
    return (
        kind | None if measure.nullable else kind,
        Field(description=f"{percent}th percentile, in {measure.unit}, of {measure.about}{known}."),
    )


_CohortFields: Final = create_model(
    "_CohortFields",
    __base__=_CohortHead,
    **{
        f"{measure.quantiles}_p{percent}": _percentile(measure, percent)
        for measure in QUANTILES.values()
        for percent in (50, 95)
    },
)


class Cohort(_CohortFields):  # type: ignore[misc, valid-type]
    """The sessions that have one value in common. A session with several values is in several cohorts.

    A percentile is the value of one session, among the sessions for which it is known; null if it is known for none.
    """

    scores: dict[str, CohortScores] = Field(description="Scores by name; those that no session has are left out.")

    @classmethod
    def of(cls, cohort: StoredCohort) -> Self:
        """The cohort as the store has counted it."""
        shown = {
            f"{QUANTILES[name].quantiles}_p{percent}": shown_money(value) if isinstance(value, Decimal) else value
            for name, values in cohort.quantiles.items()
            for percent, value in zip((50, 95), values, strict=True)
        }
        return cls(
            value=cohort.value,
            session_count=cohort.sessions,
            failed_session_count=cohort.failed_sessions,
            failure_rate=cohort.failure_rate,
            scores={name: CohortScores(count=one.sessions, mean=one.mean) for name, one in cohort.scores.items()},
            **shown,
        )


class Deleted(BaseModel):
    """What a deletion removed; nothing if there was no such session."""

    id: str = Field(description="The id of the session.")
    key: str = Field(description="The session key.")
    span_count: int = Field(description="The number of spans that were deleted, or whose content was.")
    trace_count: int = Field(
        default=0,
        description="How many traces these were in; of log records in no trace, five minutes of the session count as one.",
    )
    log_record_count: int = Field(
        description="The number of log records that told of its model calls or of what happened in it, or whose content was deleted."
    )
    message_count: int = Field(description="The number of messages that were deleted.")
