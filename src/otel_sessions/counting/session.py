"""`SessionRollup`: a session as its readers get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from otel_sessions.money import shown_money
from otel_sessions.rules import MetadataValue
from otel_sessions.timestamps import format_time


@dataclass(frozen=True, slots=True)
class ModelRollup:
    """The model calls of a session to one model, added up. Token counts and costs as in `SessionRollup`.

    Attributes:
        provider: the provider of the model; `None` if no call names it.
        model: the name of the model; `None` if no call names it.
        call_count: model calls, each counted once.
        unpriced_call_count: those whose cost is not known.
        input_tokens: includes cache reads and writes; `None` if no call reported any, as all token counts.
        output_tokens: includes reasoning.
        cache_read_tokens: input tokens that were read from a cache.
        cache_write_tokens: input tokens that were written to a cache.
        reasoning_tokens: output tokens spent on reasoning.
        total_tokens: input and output tokens.
        input_cost: USD; `None` if it is not known for any call, as all costs.
        output_cost: USD.
        total_cost: USD; a lower bound if calls are unpriced.
        cost_exact: false if calls are unpriced, or if a source says that something is not known about a cost.
        cost_sources: where the costs come from: a price list, or the span that reports one; with what is not known, if
            something is not.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        >>> from otel_sessions import SessionExporter
        >>> exporter, provider = SessionExporter(), TracerProvider()
        >>> provider.add_span_processor(SimpleSpanProcessor(exporter))
        >>> call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 12}
        >>> provider.get_tracer("app").start_span("chat", attributes={"session.id": "ticket-2611", **call}).end()
        >>> [(one.model, one.input_tokens, one.output_tokens) for one in exporter.session("ticket-2611").models]
        [('gpt-4o', 12, None)]
    """

    provider: str | None
    model: str | None
    call_count: int
    unpriced_call_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    input_cost: Decimal | None
    output_cost: Decimal | None
    total_cost: Decimal | None
    cost_exact: bool
    cost_sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON carries it; money as decimal strings."""
        return _shown(self)


@dataclass(frozen=True, slots=True)
class LaneRollup:
    """The model calls of one agent of a session, added up. Token counts and costs as in `SessionRollup`.

    Attributes:
        lane: the sub-agent; `None` for the main agent, `(other agents)` for those beyond the first hundred.
        call_count: model calls, each counted once.
        unpriced_call_count: those whose cost is not known.
        input_tokens: includes cache reads and writes; `None` if no call reported any, as all token counts.
        output_tokens: includes reasoning.
        cache_read_tokens: input tokens that were read from a cache.
        cache_write_tokens: input tokens that were written to a cache.
        reasoning_tokens: output tokens spent on reasoning.
        total_tokens: input and output tokens.
        input_cost: USD; `None` if it is not known for any call, as all costs.
        output_cost: USD.
        total_cost: USD; a lower bound if calls are unpriced.
        cost_exact: false if calls are unpriced, or if a source says that something is not known about a cost.
        cost_sources: where the costs come from.

    Example:
        >>> from otel_sessions import LaneRollup
        >>> LaneRollup.__dataclass_fields__["lane"].type
        'str | None'
    """

    lane: str | None
    call_count: int
    unpriced_call_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    input_cost: Decimal | None
    output_cost: Decimal | None
    total_cost: Decimal | None
    cost_exact: bool
    cost_sources: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON carries it; money as decimal strings."""
        return _shown(self)


@dataclass(frozen=True, slots=True)
class SessionRollup:
    """A session: when, what, how much, how well. Unknown is `None`, never 0.

    Attributes:
        id: the value of the session key.
        key: the session key, `id` by default.
        name: the last name that was given.
        title: what to call it: its name, else what the program calls it, else the first words of a user, else its first operation.
        start: first start of a span, nanoseconds UTC.
        end: last end of a span, nanoseconds UTC.
        duration_ms: from start to end.
        active_ms: the same without pauses of more than five minutes.
        status: `failed` if the last trace failed, `partly_failed` if only earlier ones did, `ok`, or `unknown` without a trace; in the answers
            of a server also `running`, if something happened within the last minute.
        environments: deployment environments.
        services: names of services.
        user_ids: users.
        operations: names of the top spans of its traces.
        trace_count: traces with a span in the session, and turns that only log records tell of.
        failed_trace_count: traces in which a top span of the session, or one of kind CONSUMER, has status ERROR, and turns of log
            records whose last call failed.
        failure_rate: failed traces over traces.
        span_count: spans in the session.
        call_count: model calls, each counted once.
        unpriced_call_count: those whose cost is not known.
        input_tokens: includes cache reads and writes; `None` if no call reported any, as all token counts.
        output_tokens: includes reasoning.
        cache_read_tokens: input tokens that were read from a cache.
        cache_write_tokens: input tokens that were written to a cache.
        reasoning_tokens: output tokens spent on reasoning.
        total_tokens: input and output tokens.
        input_cost: USD; `None` if it is not known for any call, as all costs.
        output_cost: USD.
        total_cost: USD; a lower bound if calls are unpriced.
        cost_exact: false if calls are unpriced, or if a source says that something is not known about a cost.
        cost_sources: where the costs come from: a price list, or the span that reports one; with what is not known, if
            something is not.
        latency_ms: mean time from the first to the last span of a trace.
        models: the same numbers by model.
        lanes: the same numbers by agent; empty if no sub-agent made a call. Together they are the session's.
        tags: all tags, sorted.
        metadata: the last value of each name.
        first_input: the first words of a user, at most 300 characters; `None` if no content was captured.
        last_output: the last words of a model, likewise.
        scores: by name, what is on the session itself, on its traces and on its spans (`session`, `traces`, `spans`), each with `count`,
            `mean`, `last` and the number of each label in `labels`; filled where scores are stored.
        annotation_count: remarks on the session; counted where they are stored.
        dropped: what of this session was not kept, by reason.
        conflicts: traces that also carry another value of the same key.
        late_span_count: spans that came after their trace had been closed, and are in no other number.
        previous_id: the session that this one continues, where it was told (`session.previous_id`).
        time: what the time was spent on, each instant of a trace counted once: `model_wait_ms` until the first token, `generation_ms`,
            `tool_ms`, `human_ms` while a tool waited for a person's decision, `other_ms`; and `idle_ms` between traces.
        cache: what it cost to fill the caches of providers again: `rebuilt_count` calls wrote `rebuilt_tokens` again, which cost
            `rebuilt_cost` USD more than to read them, a lower bound unless `cost_exact`; the same by reason in `by_reason`, and in
            `cheaper_ttl` whether it would have been cheaper to keep all for `5m` or for `1h`.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        >>> from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions
        >>> exporter, provider = SessionExporter(), TracerProvider()
        >>> provider.add_span_processor(SessionSpanProcessor())
        >>> provider.add_span_processor(SimpleSpanProcessor(exporter))
        >>> with propagate_sessions("ticket-2611", tags=["support"]):
        ...     provider.get_tracer("app").start_span("answer").end()
        >>> session = exporter.session("ticket-2611")
        >>> session.trace_count, session.tags, session.total_cost
        (1, ('support',), None)
    """

    id: str
    key: str
    name: str | None
    title: str | None
    start: int
    end: int
    duration_ms: float
    active_ms: float
    status: str
    environments: tuple[str, ...]
    services: tuple[str, ...]
    user_ids: tuple[str, ...]
    operations: tuple[str, ...]
    trace_count: int
    failed_trace_count: int
    failure_rate: float
    span_count: int
    call_count: int
    unpriced_call_count: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    total_tokens: int | None
    input_cost: Decimal | None
    output_cost: Decimal | None
    total_cost: Decimal | None
    cost_exact: bool
    cost_sources: tuple[str, ...]
    latency_ms: float
    models: tuple[ModelRollup, ...]
    lanes: tuple[LaneRollup, ...]
    tags: tuple[str, ...]
    metadata: Mapping[str, MetadataValue]
    first_input: str | None
    last_output: str | None
    scores: Mapping[str, Any]
    annotation_count: int
    dropped: Mapping[str, int]
    conflicts: int
    late_span_count: int = 0
    previous_id: str | None = None
    time: Mapping[str, float | None] = field(default_factory=dict)
    cache: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The session as JSON carries it: times RFC 3339 UTC, money as decimal strings."""
        return _shown(self)


def _shown(rollup: SessionRollup | ModelRollup | LaneRollup) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in rollup.__dataclass_fields__:
        value = getattr(rollup, name)
        if isinstance(value, Decimal):
            value = shown_money(value)
        elif name in ("models", "lanes"):
            value = [part.to_dict() for part in value]
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = _shown_mapping(value)
        elif name in ("start", "end"):
            value = format_time(value)
        shown[name] = value
    return shown


def _shown_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: shown_money(value)
        if isinstance(value, Decimal)
        else _shown_mapping(value)
        if isinstance(value, Mapping)
        else value
        for name, value in values.items()
    }
