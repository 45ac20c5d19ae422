"""Langfuse's free-form usage and cost buckets, summed up into input, output, total and their parts.

Its own buckets are exclusive: the input is the sum of `input`, of every `input_*` and of the cache buckets under Anthropic's
names. Langfuse also accepts the keys that OpenAI and Anthropic use for totals, with their meaning: `prompt_tokens`
includes cached tokens, `input_tokens` is what the provider reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from otel_sessions.dialects import values
from otel_sessions.money import money_sum

T = TypeVar("T")

_CACHE_READ: Final = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read")
_CACHE_WRITE: Final = ("input_cache_creation", "cache_creation_input_tokens", "input_cache_write")
_REASONING: Final = ("output_reasoning_tokens", "output_reasoning")


def usage_buckets(details: Mapping[str, Any]) -> dict[str, int | None]:
    """The tokens by slot of a `Family`: inclusive `input` and `output`, `total`, `cache_read`, `cache_write`, `reasoning`."""
    counts = {name: count for name, value in details.items() if (count := values.tokens(value)) is not None}
    cache = {name: counts[name] for name in (*_CACHE_READ, *_CACHE_WRITE) if name in counts}
    input_ = _first(counts, ("prompt_tokens", "input_tokens"))
    if input_ is None:
        buckets = _side(counts, "input")
        input_ = sum((cache | buckets).values()) if buckets else None
    output = _first(counts, ("completion_tokens", "output_tokens"))
    if output is None:
        buckets = _side(counts, "output")
        output = sum(buckets.values()) if buckets else None
    return {
        "input": input_,
        "output": output,
        "total": _first(counts, ("total", "total_tokens")),
        "cache_read": _first(counts, _CACHE_READ),
        "cache_write": _first(counts, _CACHE_WRITE),
        "reasoning": _first(counts, _REASONING),
    }


def cost_buckets(details: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """`input`, `output` and `total` in USD; a missing total is the sum of all buckets."""
    amounts = {name: amount for name, value in details.items() if (amount := values.money(value)) is not None}
    return {
        "input": money_sum(_side(amounts, "input").values()),
        "output": money_sum(_side(amounts, "output").values()),
        "total": amounts["total"] if "total" in amounts else money_sum(amounts.values()),
    }


def _side(buckets: Mapping[str, T], side: str) -> dict[str, T]:
    return {name: value for name, value in buckets.items() if name == side or name.startswith(side + "_")}


def _first(counts: Mapping[str, int], names: tuple[str, ...]) -> int | None:
    return next((counts[name] for name in names if name in counts), None)
