"""Langfuse's free-form usage and cost buckets, summed up into input, output, total and their parts.

Its own buckets are exclusive: the input is the sum of `input`, of every `input_*` and of the cache buckets under Anthropic's
names. Several integrations name one thing twice, such as `input_cache_creation` and `input_ephemeral_5m_input_tokens`: it is
counted once. Langfuse also accepts the usage object of OpenAI and Anthropic, with its details and its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from otel_sessions.dialects import values
from otel_sessions.dialects.raw_usage import usage_slots
from otel_sessions.money import money_sum

T = TypeVar("T", int, Decimal)

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
_THOUGHTS: Final = "thoughts_token_count"
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
}


def usage_buckets(details: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens by slot of a `Family`, with inclusive `input` and `output`."""
    counts = {name: count for name, value in details.items() if (count := values.tokens(value)) is not None}
    # What its LangChain handler makes of Vertex AI's usage.
    cached = sum(count for name, count in counts.items() if name.startswith(_CACHED_MODALITY))
    if cached:
        counts["input_cached_tokens"] = max(counts.get("input_cached_tokens", 0), cached)
    slots = usage_slots(details)
    for part, names in _PARTS.items():
        found = [count for count in (slots[part], _most(counts, names)) if count is not None]
        slots[part] = max(found, default=None)
    by_time = (slots["cache_write_5m"] or 0) + (slots["cache_write_1h"] or 0)
    if by_time:
        slots["cache_write"] = max(slots["cache_write"] or 0, by_time)
    for side, more in (("input", _cache(counts, sum)), ("output", [counts.get(_THOUGHTS, 0)])):
        if slots[side] is None and any(_is_of(name, side) for name in counts):
            slots[side] = sum([*_side(counts, side), *more])
    if "total" in counts:
        slots["total"] = counts["total"]
    return slots


def cost_buckets(details: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """`input`, `output` and `total` in USD; a missing total is the sum of all buckets."""
    amounts = {name: amount for name, value in details.items() if (amount := values.money(value)) is not None}
    input_, output, cache = _side(amounts, "input"), _side(amounts, "output"), _cache(amounts, money_sum)
    others = [
        amount
        for name, amount in amounts.items()
        if name not in _CACHE and not (_is_of(name, "input") or _is_of(name, "output"))
    ]
    return {
        "input": money_sum([*input_, *cache]),
        "output": money_sum(output),
        "total": amounts["total"] if "total" in amounts else money_sum([*input_, *output, *cache, *others]),
    }


def _side(buckets: Mapping[str, T], side: str) -> list[T]:
    """The buckets of a side but those of the cache."""
    return [value for name, value in buckets.items() if _is_of(name, side) and name not in _CACHE]


def _cache(buckets: Mapping[str, T], add: Callable[[Iterable[T]], Any]) -> list[T]:
    """The buckets of the cache, each thing once: writes under one name, or by time to live if these come to more."""
    by_time = [value for names in _BY_TIME if (value := _most(buckets, names)) is not None]
    write = _most(buckets, _CACHE_WRITE)
    once = [_most(buckets, _CACHE_READ)]
    once += by_time if write is None or (by_time and write < add(by_time)) else [write]
    return [value for value in once if value is not None]


def _is_of(name: str, side: str) -> bool:
    return name == side or name.startswith(side + "_")


def _most(counts: Mapping[str, T], names: tuple[str, ...]) -> T | None:
    """The greatest of several names of one thing: they are copies, of which one may be left at 0."""
    return max((counts[name] for name in names if name in counts), default=None)
