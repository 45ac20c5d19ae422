"""`cache_use`: what a call did with the provider's cache, and what a token that is written again costs; kept until sessions are folded."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from otel_sessions.counting.cache_ttl import cache_ttl
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.prices.penalties import Penalties, penalties_of
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.tokens import Usage


class CacheUse(NamedTuple):
    """One call that reports reads from a cache or writes to one.

    Attributes:
        start: of the call, nanoseconds UTC.
        end: of the call.
        lane: the agent or sub-agent whose call it is; `None` for the main one.
        provider: the provider, as the span names it.
        model: the model, as the span names it.
        input_tokens: all input, with cache reads and writes.
        read_tokens: input that was read from the cache; `None` if it is not reported, as all counts.
        written_tokens: input that was written to the cache.
        written_1h_tokens: the part of `written_tokens` that is kept for an hour.
        penalty: USD that a token costs more if it is written than if it is read; `None` if that is not known, or if it can never be
            told from the time alone that something was written again.
        penalty_1h: the same for a token that is kept for an hour; `None` also if the price list has no price of its own for it.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        >>> from otel_sessions import SessionExporter
        >>> traces = []
        >>> exporter, provider = SessionExporter(on_trace=traces.append), TracerProvider()
        >>> provider.add_span_processor(SimpleSpanProcessor(exporter))
        >>> usage = {"gen_ai.usage.input_tokens": 900, "gen_ai.usage.cache_read.input_tokens": 800}
        >>> call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", **usage}
        >>> provider.get_tracer("app").start_span("chat", attributes=call).end()
        >>> exporter.shutdown()  # a trace is reported when it was idle for a while, or at the end
        >>> [(use.model, use.read_tokens, use.written_tokens) for use in traces[0].whole.cache]
        [('gpt-4o', 800, None)]
    """

    start: int
    end: int
    lane: str | None
    provider: str | None
    model: str | None
    input_tokens: int | None
    read_tokens: int | None
    written_tokens: int | None
    written_1h_tokens: int | None
    penalty: Decimal | None = None
    penalty_1h: Decimal | None = None


def cache_use(call: Call, span: SpanFacts, lane: str | None, pricer: Pricer | None) -> CacheUse | None:
    """What a counted call did with the cache; `None` if it says nothing of one.

    Args:
        call: the call.
        span: the span that tells of it.
        lane: the agent or sub-agent whose call it is; `None` for the main one.
        pricer: tells the price of one token in this call; without one the penalties are not known.
    """
    usage = call.usage
    if usage is None or (usage.cache_read_tokens is None and usage.cache_write_tokens is None):
        return None
    model = call.model or call.request_model
    found: Penalties | None = None
    if pricer is not None and cache_ttl(call.provider, model) is not None:
        found = _penalties(call, usage, span.start, pricer)
    penalty, penalty_1h = (None, None) if found is None else found
    return CacheUse(
        span.start,
        span.end,
        lane,
        call.provider,
        model,
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        penalty,
        penalty_1h,
    )


def _penalties(call: Call, usage: Usage, at: int, pricer: Pricer) -> Penalties | None:
    """The penalties by the first of the model's names that has a price."""
    for name in (call.model, call.request_model):
        if name is not None:
            found = penalties_of(
                pricer,
                provider=call.provider,
                model=name,
                input_tokens=usage.input_tokens or 0,
                at=at,
                context=call.context,
            )
            if found is not None:
                return found
    return None
