"""Langfuse's free-form usage and cost buckets, summed up into input, output, total and their parts.

Its own buckets are exclusive: the input is the sum of `input`, of every `input_*` and of the cache buckets under Anthropic's
names. Several integrations name one thing twice, such as `input_cache_creation` and `input_ephemeral_5m_input_tokens`: it is
counted once. Langfuse also accepts the usage object of OpenAI and Anthropic, with its details and its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from otel_sessions.dialects import values
from otel_sessions.dialects.raw_usage import PLACE_OF, collected, slots_of
from otel_sessions.money import money_sum

_CACHE_READ: Final = (
    *("input_cached_tokens", "cache_read_input_tokens", "input_cache_read", "input_cached"),
    *("input_cache_read_input_tokens", "input_priority_cache_read", "input_flex_cache_read"),
)
_CACHE_WRITE: Final = (
    *("input_cache_creation", "cache_creation_input_tokens", "input_cache_write"),
    *("input_cache_creation_input_tokens", "input_cache_write_tokens"),
)
_CACHE_WRITE_5M: Final = ("input_ephemeral_5m_input_tokens", "input_cache_creation_5m", "ephemeral_5m_input_tokens")
_CACHE_WRITE_1H: Final = ("input_ephemeral_1h_input_tokens", "input_cache_creation_1h", "ephemeral_1h_input_tokens")
_BY_TIME: Final = (_CACHE_WRITE_5M, _CACHE_WRITE_1H)
_CACHE: Final = frozenset({*_CACHE_READ, *_CACHE_WRITE, *_CACHE_WRITE_5M, *_CACHE_WRITE_1H})
_CACHED_MODALITY: Final = "cached_modality_"
_PARTS: Final = {
    "cache_read": _CACHE_READ,
    "cache_write": _CACHE_WRITE,
    "cache_write_5m": _CACHE_WRITE_5M,
    "cache_write_1h": _CACHE_WRITE_1H,
    "reasoning": (
        *("output_reasoning_tokens", "output_reasoning"),
        *("output_priority_reasoning", "output_flex_reasoning"),
    ),
    "audio_input": ("input_audio_tokens", "input_audio"),
    "audio_output": ("output_audio_tokens", "output_audio"),
    "bucket_total": ("total",),
}
_PLACE_OF: Final = MappingProxyType({**{name: part for part, names in _PARTS.items() for name in names}, **PLACE_OF})


def usage_buckets(details: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens by slot of a `Family`, with inclusive `input` and `output`."""
    found = collected(details, _PLACE_OF)
    # Langfuse's LangChain handler makes these of Vertex AI's usage.
    cached = sum(_counts(details, _CACHED_MODALITY).values())
    if cached:
        found["cache_read"] = max(cached, found.get("cache_read", 0))
    slots = slots_of(found, details)
    inputs, outputs = _counts(details, "input"), _counts(details, "output")
    if slots["input"] is None and any(map(_is_input, inputs)):
        others = sum(count for name, count in inputs.items() if _is_input(name) and name not in _CACHE)
        slots["input"] = others + (slots["cache_read"] or 0) + (slots["cache_write"] or 0)
    if slots["output"] is None and any(map(_is_output, outputs)):
        thoughts = found.get("gemini_thoughts", 0)
        slots["output"] = sum(count for name, count in outputs.items() if _is_output(name)) + thoughts
    slots["total"] = found.get("bucket_total", slots["total"])
    return slots


def _counts(details: Mapping[Any, Any], start: str) -> dict[str, int]:
    return {
        name: count
        for name, value in details.items()
        if isinstance(name, str) and name.startswith(start) and (count := values.tokens(value)) is not None
    }


def cost_buckets(details: Mapping[Any, Any]) -> dict[str, Decimal | None]:
    """`input`, `output` and `total` in USD; a missing total is the sum of all buckets."""
    amounts = {
        name: amount
        for name, value in details.items()
        if isinstance(name, str) and (amount := values.money(value)) is not None
    }
    cache = _cache(amounts)
    input_ = [*(amount for name, amount in amounts.items() if _is_input(name) and name not in _CACHE), *cache]
    output = [amount for name, amount in amounts.items() if _is_output(name)]
    others = (
        amount for name, amount in amounts.items() if name not in _CACHE and not (_is_input(name) or _is_output(name))
    )
    return {
        "input": money_sum(input_),
        "output": money_sum(output),
        "total": amounts["total"] if "total" in amounts else money_sum([*input_, *output, *others]),
    }


def _cache(amounts: Mapping[str, Decimal]) -> list[Decimal]:
    """The costs of the cache, each thing once: writes under one name, or by time to live if these come to more."""
    read, write = _most(amounts, _CACHE_READ), _most(amounts, _CACHE_WRITE)
    by_time = [amount for names in _BY_TIME if (amount := _most(amounts, names)) is not None]
    total = money_sum(by_time)
    if total is not None and (write is None or write < total):
        write = total
    return [amount for amount in (read, write) if amount is not None]


def _is_input(name: str) -> bool:
    return name == "input" or name.startswith("input_")


def _is_output(name: str) -> bool:
    return name == "output" or name.startswith("output_")


def _most(amounts: Mapping[str, Decimal], names: tuple[str, ...]) -> Decimal | None:
    """The greatest of several names of one thing: they are copies, of which one may be left at 0."""
    return max((amounts[name] for name in names if name in amounts), default=None)
