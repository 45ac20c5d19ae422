"""`cache_use`: what a call did with the provider's cache, and what a token that is written again costs; kept until sessions are folded."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from otel_sessions.counting.cache_ttl import cache_ttl
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.tokens import Usage
from otel_sessions.money import EXACT


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


_NO_PENALTIES: Final = (None, None)


def cache_use(call: Call, span: SpanFacts, lane: str | None, pricer: Pricer | None) -> CacheUse | None:
    """What a counted call did with the cache; `None` if it says nothing of one.

    Args:
        call: the call.
        span: the span that tells of it.
        lane: the agent or sub-agent whose call it is; `None` for the main one.
        pricer: prices one token, at the price in force for this call; without one the penalties are not known.
    """
    usage = call.usage
    if usage is None or (usage.cache_read_tokens is None and usage.cache_write_tokens is None):
        return None
    model = call.model or call.request_model
    penalties = (
        _NO_PENALTIES if pricer is None or cache_ttl(call.provider, model) is None else _penalties(call, span, pricer)
    )
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
        *penalties,
    )


def _penalties(call: Call, span: SpanFacts, pricer: Pricer) -> tuple[Decimal | None, Decimal | None]:
    """The penalties of one token in a call with the same input, since prices may depend on the length of the input."""
    whole = max((call.usage and call.usage.input_tokens) or 0, 1)
    read, written, written_1h = (
        Usage(whole, 0, cache_read_tokens=1, cache_write_tokens=0),
        Usage(whole, 0, cache_read_tokens=0, cache_write_tokens=1),
        Usage(whole, 0, cache_read_tokens=0, cache_write_tokens=1, cache_write_1h_tokens=1),
    )
    for model in (call.model, call.request_model):
        if model is None:
            continue

        def cost(usage: Usage, model: str = model) -> Decimal | None:
            priced = pricer.price(provider=call.provider, model=model, usage=usage, at=span.start, context=call.context)
            return None if priced is None else priced.total

        of_read, of_written = cost(read), cost(written)
        if of_read is None or of_written is None:
            continue
        of_written_1h = cost(written_1h)
        has_own = of_written_1h is not None and of_written_1h != of_written
        return (
            EXACT.subtract(of_written, of_read),
            EXACT.subtract(of_written_1h, of_read) if has_own and of_written_1h is not None else None,
        )
    return _NO_PENALTIES
